//! One order as its client remembers it: where it may stand by all that was asked and answered.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::http::{Request, Told};

/// Where a reservation may stand.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Standing {
    /// The ledger does not know it.
    Absent,
    Held,
    Committed,
    Released,
    Expired,
    Lost,
}

impl Standing {
    /// As the ledger keeps it.
    pub(crate) fn of_code(code: i16) -> Option<Self> {
        match code {
            1 => Some(Self::Held),
            2 => Some(Self::Committed),
            3 => Some(Self::Released),
            4 => Some(Self::Expired),
            5 => Some(Self::Lost),
            _ => None,
        }
    }
}

/// What a client does with its order.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Step {
    Reserve,
    Extend,
    Commit,
    Release,
}

/// What an answer means to its client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Meaning {
    /// Done, or refused for good.
    Settled,
    /// Nothing happened: ask again.
    Again,
    /// Nobody knows: ask again.
    InDoubt,
}

/// An order and everything that may be true of it.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) order: Uuid,
    /// Sorted, each product once.
    pub(crate) lines: Vec<(i64, i32)>,
    pub(crate) ttl_seconds: u32,
    /// Where it may stand, but for its hold running out.
    pub(crate) may_be: BTreeSet<Standing>,
    /// A step that was sent and is not settled.
    pub(crate) unsettled: Option<Step>,
    /// Whether some reserve may still be under way.
    reserve_in_doubt: bool,
    /// A reserve was answered 201.
    is_new_told: bool,
    /// What no service may answer, as it was answered.
    pub(crate) contradictions: Vec<String>,
}

impl Record {
    /// Nothing was asked yet.
    pub(crate) fn new(lines: Vec<(i64, i32)>, ttl_seconds: u32) -> Self {
        Self {
            order: Uuid::now_v7(),
            lines,
            ttl_seconds,
            may_be: BTreeSet::from([Standing::Absent]),
            unsettled: None,
            reserve_in_doubt: false,
            is_new_told: false,
            contradictions: Vec::new(),
        }
    }

    /// What is sent for a step.
    pub(crate) fn request(&self, step: Step) -> Request {
        let (path, body) = match step {
            Step::Reserve => {
                let items: Vec<Value> = self
                    .lines
                    .iter()
                    .map(|(id, units)| json!({"productId": id, "quantity": units}))
                    .collect();
                ("reserve", json!({"orderId": self.order, "items": items, "ttlSeconds": self.ttl_seconds}))
            }
            Step::Extend => ("extend", json!({"orderId": self.order, "ttlSeconds": self.ttl_seconds})),
            Step::Commit => ("commit", json!({"orderId": self.order})),
            Step::Release => ("release", json!({"orderId": self.order})),
        };
        Request::post(format!("/api/v1/inventory/{path}"), body)
    }

    /// Takes note of what came of a step.
    pub(crate) fn hear(&mut self, step: Step, told: &Told) -> Meaning {
        let meaning = match told {
            Told::Nothing(_) => self.doubt(step),
            Told::Answer { status: 503, code, .. } => match code.as_str() {
                "overloaded" | "unavailable" => Meaning::Again,
                "outcome_unknown" => self.doubt(step),
                _ => self.strange(step, told),
            },
            Told::Answer { status, code, body } => self.answer(step, *status, code, body, told),
        };
        self.unsettled = (meaning != Meaning::Settled).then_some(step);
        meaning
    }

    fn answer(&mut self, step: Step, status: u16, code: &str, body: &Value, told: &Told) -> Meaning {
        use Standing::{Absent, Committed, Expired, Held, Lost, Released};
        let now: &[Standing] = match (step, status, code) {
            (Step::Reserve, 201, _) => {
                if self.is_new_told || !self.may_be.contains(&Absent) {
                    self.contradictions.push(format!(
                        "I7: {} was told 201 after it had been told that it holds",
                        self.order
                    ));
                }
                self.is_new_told = true;
                &[Held]
            }
            (Step::Reserve, 200, _) => &[Held],
            (Step::Reserve, 409, "insufficient_stock") if self.reserve_in_doubt => &[Absent, Held],
            (Step::Reserve, 409, "insufficient_stock") => &[Absent],
            (Step::Reserve, 409, "already_released") | (Step::Release, 200, _) => &[Released],
            (Step::Reserve | Step::Extend, 410, _) => &[Expired],
            (Step::Extend, 200, _) => &[Held],
            (Step::Commit, 200, _) => &[Committed],
            (Step::Commit, 410, _) => &[Lost],
            _ => return self.strange(step, told),
        };
        let now = BTreeSet::from_iter(now.iter().copied());
        if self.may_be.is_disjoint(&reachable(&now)) {
            self.contradictions.push(format!(
                "{} could be {:?}, and {step:?} was answered {status} {code} {body}",
                self.order, self.may_be
            ));
        }
        self.may_be = now;
        Meaning::Settled
    }

    /// What was sent may take effect, now or later.
    fn doubt(&mut self, step: Step) -> Meaning {
        use Standing::{Absent, Committed, Expired, Held, Lost, Released};
        self.reserve_in_doubt |= step == Step::Reserve;
        let might = |from: &[Standing], to: &[Standing], may_be: &mut BTreeSet<Standing>| {
            if from.iter().any(|standing| may_be.contains(standing)) {
                may_be.extend(to.iter().copied());
            }
        };
        match step {
            Step::Reserve => might(&[Absent], &[Held], &mut self.may_be),
            Step::Extend => {}
            Step::Commit => might(&[Held, Expired], &[Committed, Lost], &mut self.may_be),
            Step::Release => might(&[Absent, Held, Expired], &[Released], &mut self.may_be),
        }
        Meaning::InDoubt
    }

    fn strange(&mut self, step: Step, told: &Told) -> Meaning {
        self.contradictions.push(format!("{step:?} of {} was answered {told:?}", self.order));
        Meaning::Settled
    }

    /// Whether only a release makes sure of what it is: a refused reserve whose earlier try may still arrive.
    pub(crate) fn needs_release(&self) -> bool {
        self.unsettled.is_none() && self.may_be.len() > 1
    }

    /// Whether its hold may have run out while nobody looked.
    pub(crate) fn may_have_run_out(&self, short_seconds: u32) -> bool {
        self.ttl_seconds <= short_seconds
    }

    /// Whether the ledger's word fits what was told.
    pub(crate) fn fits(&self, standing: Standing, short_seconds: u32) -> bool {
        self.may_be.contains(&standing)
            || (standing == Standing::Expired
                && self.may_be.contains(&Standing::Held)
                && self.may_have_run_out(short_seconds))
    }
}

/// From where a step can have led here.
fn reachable(now: &BTreeSet<Standing>) -> BTreeSet<Standing> {
    use Standing::{Absent, Committed, Expired, Held, Lost, Released};
    now.iter()
        .flat_map(|now| match now {
            Absent => vec![Absent],
            Held => vec![Absent, Held],
            Committed => vec![Held, Expired, Committed],
            Released => vec![Absent, Held, Expired, Lost, Released],
            Expired => vec![Held, Expired, Absent],
            Lost => vec![Held, Expired, Lost],
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, code: &str) -> Told {
        Told::Answer { status, code: code.to_owned(), body: Value::Null }
    }

    fn record() -> Record {
        Record::new(vec![(1, 1)], 3_600)
    }

    #[test]
    fn a_hold_that_was_acknowledged_and_is_gone_is_found() {
        let mut record = record();
        assert_eq!(record.hear(Step::Reserve, &answer(201, "")), Meaning::Settled);
        assert!(record.fits(Standing::Held, 10));
        assert!(!record.fits(Standing::Absent, 10), "lost");
        assert!(!record.fits(Standing::Expired, 10), "too early");
    }

    #[test]
    fn what_failed_for_sure_must_not_have_happened() {
        let mut record = record();
        assert_eq!(record.hear(Step::Reserve, &answer(503, "unavailable")), Meaning::Again);
        assert!(record.fits(Standing::Absent, 10) && !record.fits(Standing::Held, 10));
    }

    #[test]
    fn what_is_in_doubt_may_be_either_until_it_is_settled() {
        let mut record = record();
        assert_eq!(record.hear(Step::Reserve, &Told::Nothing("cut off".to_owned())), Meaning::InDoubt);
        assert!(record.fits(Standing::Absent, 10) && record.fits(Standing::Held, 10));
        record.hear(Step::Reserve, &answer(409, "insufficient_stock"));
        assert!(record.fits(Standing::Held, 10), "the first may come late");
        record.hear(Step::Release, &answer(200, ""));
        assert!(record.fits(Standing::Released, 10) && !record.fits(Standing::Held, 10));
        assert_eq!(record.contradictions, Vec::<String>::new());
    }

    #[test]
    fn two_new_holds_of_one_order_and_a_commit_after_a_release_are_contradictions() {
        let mut record = record();
        record.hear(Step::Reserve, &answer(201, ""));
        record.hear(Step::Reserve, &answer(201, ""));
        assert_eq!(record.contradictions.len(), 1);
        record.hear(Step::Release, &answer(200, ""));
        record.hear(Step::Commit, &answer(200, ""));
        assert_eq!(record.contradictions.len(), 2);
    }

    #[test]
    fn an_answer_that_no_contract_has_is_a_contradiction() {
        let mut record = record();
        record.hear(Step::Reserve, &answer(500, "internal"));
        assert_eq!(record.contradictions.len(), 1);
    }
}
