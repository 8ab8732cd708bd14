//! I16: time is the ledger's. No hold is ended by the sweeper before as much time as was asked for has passed since anybody asked for
//! it, and no batch is dated later than its COMMIT.

use std::collections::BTreeMap;
use std::time::Duration;

use inventory_core::ids::OrderId;
use inventory_core::journal::ChangeKind;
use tokio::time::Instant;

use super::{Evidence, Findings};
use crate::history::Asked;
use crate::processes::HOLD_TTL;

/// Stores count in microseconds.
const TICK: Duration = Duration::from_micros(1);

pub(super) fn check(evidence: &Evidence, findings: &mut Findings) {
    let mut lasts: BTreeMap<OrderId, Instant> = BTreeMap::new();
    for op in &evidence.ops {
        if let Asked::Reserve(request) = &op.asked {
            let until = op.begun + request.ttl.unwrap_or(HOLD_TTL);
            lasts.entry(request.order).and_modify(|known| *known = until.min(*known)).or_insert(until);
        }
    }
    for (order, record) in evidence.orders.iter().filter(|(_, record)| record.kind() == ChangeKind::Expire) {
        if let Some(until) = lasts.get(&order).filter(|until| record.at + TICK < **until) {
            let early = *until - record.at;
            findings.push(format!("I16: order {order} was ended at least {early:?} before its time"));
        }
    }
    let dated_ahead = evidence.log.batches.iter().filter(|batch| batch.entry.at > batch.now);
    findings.extend(dated_ahead.map(|batch| {
        let (entry, now) = (&batch.entry, batch.now);
        format!("I16: batch {} is dated {} and took effect at {now}", entry.batch, entry.at)
    }));
}
