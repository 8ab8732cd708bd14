//! I5, I6: what was acknowledged is in the ledger, what failed for sure is not, and nothing is there that nobody asked for.

use std::collections::HashSet;

use super::{Check, Ledger};
use crate::clients::record::{Record, Standing};
use crate::clients::{Remembered, SHORT_SECONDS, keeper};

/// Every acknowledgement is kept.
pub(crate) fn kept(remembered: &Remembered, ledger: &Ledger) -> Check {
    let mut findings: Vec<String> =
        remembered.records.iter().filter_map(|record| misfit(record, ledger)).collect();
    for adjustment in remembered.adjustments.iter().filter(|adjustment| adjustment.is_acknowledged) {
        let found = ledger.adjustments.get(&adjustment.id);
        if found != Some(&(adjustment.product, adjustment.delta)) {
            findings.push(format!("{adjustment:?} was acknowledged, and the ledger has {found:?}"));
        }
    }
    findings
        .extend(remembered.unsettled.iter().map(|what| format!("nobody would say what became of {what}")));
    let looked_at = remembered.records.len() + remembered.adjustments.len();
    Check::new("every acknowledgement is kept, and what failed for sure left nothing", looked_at, findings)
}

fn misfit(record: &Record, ledger: &Ledger) -> Option<String> {
    let standing = ledger.standing(record.order);
    if !record.fits(standing, SHORT_SECONDS) {
        return Some(format!("the ledger has {standing:?} for {record:?}"));
    }
    // A short hold that stands when everything is at rest outlived its time (I8).
    if standing == Standing::Held && record.may_have_run_out(SHORT_SECONDS) {
        return Some(format!("I8: the hold outlived its time: {record:?}"));
    }
    let reservation = ledger.reservations.get(&record.order)?;
    let is_tombstone = standing == Standing::Released && reservation.lines.is_empty();
    (!is_tombstone && reservation.lines != record.lines)
        .then(|| format!("the ledger has the lines {:?} for {record:?}", reservation.lines))
}

/// Everything in the ledger was asked for.
pub(crate) fn nothing_else(remembered: &Remembered, ledger: &Ledger) -> Check {
    let asked: HashSet<_> =
        remembered.records.iter().map(|record| record.order).chain(ledger.orders.iter().copied()).collect();
    let mut findings: Vec<String> = ledger
        .reservations
        .keys()
        .filter(|order| !asked.contains(order))
        .map(|order| format!("nobody asked for order {order}"))
        .collect();
    let adjusted: HashSet<&str> =
        remembered.adjustments.iter().map(|adjustment| adjustment.id.as_str()).collect();
    let ours = ledger.adjustments.keys().filter(|key| key.starts_with(keeper::PREFIX));
    findings.extend(
        ours.filter(|key| !adjusted.contains(key.as_str()))
            .map(|key| format!("nobody asked for adjustment {key}")),
    );
    Check::new("nothing is in the ledger that nobody asked for", ledger.reservations.len(), findings)
}

/// No answer contradicted another, or the contract.
pub(crate) fn contract(remembered: &Remembered) -> Check {
    let records = remembered.records.iter().flat_map(|record| &record.contradictions);
    let placements = remembered.placements.iter().flat_map(|placement| &placement.contradictions);
    let adjustments = remembered.adjustments.iter().flat_map(|adjustment| &adjustment.contradictions);
    let findings: Vec<String> = records.chain(placements).chain(adjustments).cloned().collect();
    let looked_at = remembered.records.len() + remembered.placements.len() + remembered.adjustments.len();
    Check::new("no answer contradicted another or the contract", looked_at, findings)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::check::ledger::Reservation;
    use crate::clients::record::Step;
    use crate::http::Told;

    fn told(status: u16) -> Told {
        Told::Answer { status, code: String::new(), body: Value::Null }
    }

    fn held() -> Record {
        let mut record = Record::new(vec![(1, 2)], 3_600);
        record.hear(Step::Reserve, &told(201));
        record
    }

    fn ledger_of(record: &Record, standing: Standing, lines: Vec<(i64, i32)>) -> Ledger {
        let reservation = Reservation { standing, left: lines.clone(), lines };
        Ledger { reservations: [(record.order, reservation)].into(), ..Ledger::default() }
    }

    fn remembered(record: Record) -> Remembered {
        Remembered { records: vec![record], ..Remembered::default() }
    }

    #[test]
    fn an_acknowledged_hold_that_is_gone_or_has_other_lines_is_found() {
        let record = held();
        let intact = ledger_of(&record, Standing::Held, vec![(1, 2)]);
        let altered = ledger_of(&record, Standing::Held, vec![(1, 3)]);
        let remembered = remembered(record);
        assert!(kept(&remembered, &intact).is_kept());
        assert!(!kept(&remembered, &altered).is_kept());
        assert!(!kept(&remembered, &Ledger::default()).is_kept());
    }

    #[test]
    fn a_hold_that_nobody_asked_for_is_found() {
        let ledger = ledger_of(&held(), Standing::Held, vec![(1, 2)]);
        assert!(!nothing_else(&remembered(held()), &ledger).is_kept());
    }

    #[test]
    fn a_short_hold_that_stands_at_rest_is_found() {
        let mut record = held();
        record.ttl_seconds = 2;
        let ledger = ledger_of(&record, Standing::Held, vec![(1, 2)]);
        assert!(!kept(&remembered(record), &ledger).is_kept());
    }
}
