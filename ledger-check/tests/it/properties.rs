//! Random histories of many callers at once over the correct toy: nothing is found. The same with one thing broken: something is.

use std::time::Duration;

use ledger_check::history::{Answer, Asked, Short};
use ledger_check::{Options, Verdict};
use proptest::prelude::*;
use uuid::Uuid;

use crate::toy::{Toy, adjust, commit, commit_part, extend, release, release_part, reserve};

/// How stale the callers' memory may be, in microseconds.
const STALENESS: i64 = 150;
/// How long holds last, in microseconds: short enough to run out often.
const TTL: u64 = 400;

/// What happens next: what, and three dice.
type Step = (u8, u8, u8, u16);

#[derive(Default)]
struct Run {
    toy: Toy,
    /// Asked, not executed.
    pending: Vec<(Asked, i64)>,
    /// Executed, not answered.
    executed: Vec<(Asked, i64, Answer)>,
    /// What was available at which time.
    past: Vec<(i64, [i64; 3])>,
}

fn order(die: u8) -> Uuid {
    Uuid::from_u128(1_000 + u128::from(die % 9))
}

/// Mostly what this order always asks for.
fn asked(a: u8, b: u8) -> Asked {
    let order_id = order(a);
    let mut lines = vec![(i64::from(a % 3), u32::from(a % 2) + 1)];
    if a % 9 > 4 {
        lines.push((i64::from((a + 1) % 3), 1));
    }
    let first = [(lines[0].0, 1)];
    match b % 16 {
        0..=6 => {
            let mut asked = reserve(order_id, &lines);
            if let Asked::Reserve { ttl_micros, lines, .. } = &mut asked {
                *ttl_micros = (b & 64 == 0).then_some(TTL + u64::from(b & 32));
                lines.truncate(if b & 128 == 0 { 2 } else { 1 });
            }
            asked
        }
        7 | 8 => commit(order_id),
        9 => commit_part(order_id, &first),
        10 => release(order_id),
        11 => release_part(order_id, &first),
        12 => extend(order_id, TTL + u64::from(b)),
        13 => adjust(&format!("key {}", a % 7), i64::from(a % 3), i64::from(a % 5) - 2),
        14 => Asked::Set { product: i64::from(a % 3), on_hand: i64::from(b / 16) },
        _ => reserve(order_id, &lines),
    }
}

impl Run {
    fn new() -> Self {
        let toy = Toy::stocked(&[(0, 3), (1, 2), (2, 4)]);
        let mut run = Self { toy, ..Self::default() };
        run.remember();
        run
    }

    fn step(&mut self, (what, a, b, wait): Step) {
        self.toy.wait(i64::from(wait % 60) + 1);
        match what % 12 {
            0..=4 => self.pending.push((asked(a, b), self.toy.now)),
            5..=7 => self.execute(a, b),
            8 => self.answer(a, b),
            9 => self.fail(a, b),
            10 => self.refuse_from_memory(a, b),
            _ => {
                self.toy.wait(if a % 4 == 0 { 500 } else { 0 });
                self.toy.sweep();
            }
        }
        self.remember();
    }

    fn remember(&mut self) {
        let available = [0, 1, 2].map(|product| self.toy.available(product));
        self.past.push((self.toy.now, available));
    }

    fn take_pending(&mut self, die: u8) -> Option<(Asked, i64)> {
        let count = self.pending.len();
        (count > 0).then(|| self.pending.remove(usize::from(die) % count))
    }

    /// A batch of some of what waits.
    fn execute(&mut self, a: u8, b: u8) {
        let batch: Vec<_> = (0..=a % 4).filter_map(|_| self.take_pending(b)).collect();
        let questions: Vec<Asked> = batch.iter().map(|(asked, _)| asked.clone()).collect();
        let answers = self.toy.batch(&questions);
        for ((asked, invoked_at), answer) in batch.into_iter().zip(answers) {
            self.executed.push((asked, invoked_at, answer));
        }
    }

    /// The answer comes, or does not.
    fn answer(&mut self, a: u8, b: u8) {
        let count = self.executed.len();
        if count == 0 {
            return;
        }
        let (asked, invoked_at, answer) = self.executed.remove(usize::from(a) % count);
        let now = self.toy.now;
        match b % 8 {
            0 => self.toy.tell(asked, invoked_at, Some((now, Answer::OutcomeUnknown))),
            1 => self.toy.tell(asked, invoked_at, None),
            _ => self.toy.tell(asked, invoked_at, Some((now, answer))),
        }
    }

    /// A batch that is never committed.
    fn fail(&mut self, a: u8, b: u8) {
        let Some((asked, invoked_at)) = self.take_pending(a) else { return };
        let now = self.toy.now;
        let told = match b % 4 {
            0 => None,
            1 => Some((now, Answer::OutcomeUnknown)),
            2 => Some((now, Answer::Unavailable)),
            _ => Some((now, Answer::Overloaded)),
        };
        self.toy.tell(asked, invoked_at, told);
    }

    /// A "sold out" by what was seen at a time that is not too long ago.
    fn refuse_from_memory(&mut self, a: u8, b: u8) {
        let Some((asked, invoked_at)) = self.take_pending(a) else { return };
        let recent: Vec<_> =
            self.past.iter().filter(|(at, _)| *at >= invoked_at - STALENESS).map(|(_, seen)| *seen).collect();
        let seen = recent[usize::from(b) % recent.len()];
        let short = match &asked {
            Asked::Reserve { order, lines, .. } if !self.toy.state.orders.contains_key(order) => {
                let line = lines
                    .iter()
                    .find(|line| seen[usize::try_from(line.product).unwrap()] < line.quantity.into());
                line.map(|line| Short {
                    product: line.product,
                    requested: line.quantity,
                    available: seen[usize::try_from(line.product).unwrap()],
                })
            }
            _ => None,
        };
        match short {
            Some(short) => {
                let answer = Answer::Insufficient { short: vec![short] };
                self.toy.tell(asked, invoked_at, Some((self.toy.now, answer)));
            }
            None => self.pending.push((asked, invoked_at)),
        }
    }

    fn finish(mut self) -> Toy {
        self.toy.wait(10);
        for (asked, invoked_at, answer) in std::mem::take(&mut self.executed) {
            self.toy.tell(asked, invoked_at, Some((self.toy.now, answer)));
        }
        for (asked, invoked_at) in std::mem::take(&mut self.pending) {
            self.toy.tell(asked, invoked_at, None);
        }
        self.toy
    }
}

fn play(steps: Vec<Step>) -> Toy {
    let mut run = Run::new();
    for step in steps {
        run.step(step);
    }
    run.finish()
}

fn judged(toy: &Toy) -> Verdict {
    let staleness = Duration::from_micros(u64::try_from(STALENESS).unwrap());
    toy.check_with(&Options { staleness, ..Options::default() })
}

fn steps(count: usize) -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::vec(any::<Step>(), count..=count)
}

/// The places where `is_one` holds, one of them by a die.
fn pick<T>(items: &[T], die: usize, is_one: impl Fn(&T) -> bool) -> Option<usize> {
    let places: Vec<usize> = (0..items.len()).filter(|at| is_one(&items[*at])).collect();
    (!places.is_empty()).then(|| places[die % places.len()])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn correct_histories_are_clean(steps in steps(150)) {
        let toy = play(steps);
        let verdict = judged(&toy);
        prop_assert!(verdict.is_clean(), "{verdict}\n{:#?}\n{:#?}", toy.journal, toy.records);
    }

    #[test]
    fn i5_any_batch_that_is_lost_is_found(steps in steps(120), die: usize) {
        let mut toy = play(steps);
        // One that changed something, so that it is missed: by its product's next version, or by whoever was told.
        let Some(at) = pick(&toy.journal, die, |entry| {
            let acknowledged = |order| toy.records.iter().any(|record| {
                record.asked.order() == Some(order) && matches!(record.answer(), Some(Answer::Held { .. }))
            });
            entry.commands.iter().any(|command| {
                command.kind == inventory_core::journal::ChangeKind::Reserve
                    && command.order.is_some_and(|order| acknowledged(order.get()))
            })
        }) else { return Ok(()) };
        toy.journal.remove(at);
        prop_assert!(!judged(&toy).is_clean());
    }

    #[test]
    fn i6_any_effect_that_nobody_asked_for_is_found(steps in steps(120), die: usize) {
        let mut toy = play(steps);
        let Some(at) = pick(&toy.records, die, |record| {
            matches!(record.answer(), Some(Answer::Held { replayed: false, .. }))
        }) else { return Ok(()) };
        let gone = toy.records.remove(at);
        // Others may have asked for the same and not learnt the outcome: then it may be theirs.
        let order = gone.asked.order();
        toy.records.retain(|record| record.asked.order() != order || !matches!(record.asked, Asked::Reserve { .. })
            || !matches!(record.answer(), None | Some(Answer::OutcomeUnknown)));
        prop_assert!(!judged(&toy).is_clean());
    }
}
