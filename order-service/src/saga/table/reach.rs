//! Which states there are: not what the types allow, but what `begin` and `step` lead to.

use std::collections::HashSet;

use super::samples;
use crate::saga::{Mode, Saga, begin, step};

/// Every saga that can be reached in any way, versions and words aside. Finite, so rules about `step` are proved by trying all.
pub fn reachable() -> Vec<Saga> {
    let mut found: Vec<Saga> =
        [Mode::Orchestration, Mode::Choreography].map(|mode| plain(begin(mode).saga)).into();
    let mut seen: HashSet<Saga> = found.iter().cloned().collect();
    let mut next = 0;
    while let Some(saga) = found.get(next).cloned() {
        next += 1;
        for (_, input) in samples(&saga) {
            let after = plain(step(&saga, &input).saga);
            if seen.insert(after.clone()) {
                found.push(after);
            }
        }
    }
    found
}

/// The saga without what no decision depends on.
fn plain(saga: Saga) -> Saga {
    Saga {
        version: 1,
        payment_timer: saga.payment_timer.map(|_| 1),
        reason: saga.reason.map(|_| "why".to_owned()),
        tracking_number: saga.tracking_number.map(|_| "parcel".to_owned()),
        ..saga
    }
}
