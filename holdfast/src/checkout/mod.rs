//! The audit across the three services: that what every order says, what inventory holds and sold for it, and what the provider took and
//! gave back for it agree. `judge` is pure; the services are asked over HTTP, so that any deployment can be audited.

mod ask;
mod judge;

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value;

pub use ask::Services;
use judge::Verdict;

use crate::ledger::AuditReport;

/// What orders that have not ended are counted as.
pub const UNDER_WAY: &str = "underWay";
/// Orders looked at at the same time.
const ORDERS_AT_ONCE: usize = 16;

/// Looks at every order. Orders under way are counted, not judged: audit again when they have ended. `seen` is told how many are done.
pub async fn audit(services: &Services, seen: &(dyn Fn(u64) + Sync)) -> anyhow::Result<AuditReport> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut violations: Vec<Value> = Vec::new();
    let mut cursor = None;
    let mut done = 0;
    loop {
        let page = services.orders(cursor.as_deref()).await?;
        let facts: Vec<_> = stream::iter(page.items)
            .map(|order| services.facts(order))
            .buffered(ORDERS_AT_ONCE)
            .try_collect()
            .await?;
        for facts in &facts {
            *counts.entry(facts.order.status.clone()).or_default() += 1;
            match judge::judge(facts) {
                Verdict::Agrees => {}
                Verdict::UnderWay => *counts.entry(UNDER_WAY.to_owned()).or_default() += 1,
                Verdict::Disagrees(found) => {
                    violations.extend(
                        found
                            .into_iter()
                            .map(|why| Value::from(format!("order {}: {why}", facts.order.order_id))),
                    );
                }
            }
        }
        done += facts.len() as u64;
        seen(done);
        *counts.entry("orders".to_owned()).or_default() = done;
        match page.next_cursor {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    let checked = counts.into_iter().map(|(what, count)| (what, Value::from(count))).collect();
    Ok(AuditReport { ok: violations.is_empty(), checked, violations })
}
