//! What is due, without rescanning history: the scan runs between a durable low watermark and now.

use std::time::Duration;

use parking_lot::Mutex;
use sqlx::Row as _;
use sqlx::postgres::{PgPool, PgRow};
use uuid::Uuid;

use super::errors::classify;
use super::presumed::LATE_MAX;
use super::read::rows;
use super::rows::{column, limit as bound};
use crate::clock::Timestamp;
use crate::ids::OrderId;
use crate::store::{Due, StoreError};

/// Always at least one row, with the clock, the running transactions and the watermark. Running are those that hold the lock on
/// their own id: a snapshot's bounds do not tell, since `xmax` is the last *ended* transaction plus one.
const DUE: &str = "WITH clock AS MATERIALIZED (SELECT clock_timestamp() AS now, \
     ARRAY(SELECT transactionid::text::bigint FROM pg_locks WHERE locktype = 'transactionid' \
     AND mode = 'ExclusiveLock' AND granted) AS running, \
     COALESCE((SELECT at FROM watermarks WHERE name = 'sweep'), '-infinity') AS swept) \
     SELECT c.now, c.running, \
     CASE WHEN isfinite(c.swept) THEN c.swept END, d.order_id, d.expires_at \
     FROM clock c LEFT JOIN (SELECT order_id, expires_at FROM reservations WHERE status = 1 \
     AND expires_at >= (SELECT swept FROM clock) \
     AND expires_at <= (SELECT now FROM clock) - make_interval(secs => $1) \
     ORDER BY expires_at, order_id LIMIT $2) d ON true ORDER BY d.expires_at, d.order_id";
const ADVANCE: &str = "INSERT INTO watermarks (name, at) VALUES ('sweep', $1) \
     ON CONFLICT (name) DO UPDATE SET at = GREATEST(watermarks.at, excluded.at)";

/// The newest blocks are in no summary yet; a scan would read them all.
const SUMMARIZE: &str = "SELECT summarize_reservations($1)";

/// The watermark stays this far behind the clock, for times that were presumed, and against a server's clock that is set back a little.
const BEHIND: Duration = Duration::from_secs(10);
const _: () =
    assert!(BEHIND.as_millis() > 2 * LATE_MAX.as_millis(), "holds are stamped by a time that was presumed");
/// Smaller steps are not worth a write.
const STEP_MIN: Duration = Duration::from_secs(5);

/// Which point the next advance may reach, and when.
#[derive(Debug, Default)]
pub(super) struct Sweep {
    candidate: Mutex<Option<Candidate>>,
    /// Blocks of reservations below this one are in the index's summary.
    summarized: Mutex<i64>,
}

/// A point below which no hold was visible but the ones returned. A transaction that was running at that moment may still
/// bring some: its hold was stamped before, and becomes visible later. One that got its id afterwards stamps its holds later
/// than the point: under its fence, which gave it the id, it reads the clock; or it had its locks, which gave it the id, at most
/// [`LATE_MAX`] after the time that it presumed, and the point is farther behind than that. So the watermark moves there only when every
/// transaction of that moment has ended.
#[derive(Clone, Debug)]
struct Candidate {
    at: Timestamp,
    running: Vec<i64>,
}

/// See [`crate::store::Store::due`].
pub(super) async fn due(
    pool: &PgPool,
    sweep: &Sweep,
    grace: Duration,
    limit: usize,
) -> Result<Due, StoreError> {
    sweep.summarize(pool).await;
    let found = rows(pool, || sqlx::query(DUE).bind(grace.as_secs_f64()).bind(bound(limit))).await?;
    let first = found.first().ok_or_else(|| classify(sqlx::Error::RowNotFound))?;
    let now = column(first, 0)?;
    let mut orders = Vec::with_capacity(found.len());
    for row in &found {
        if let Some(order) = row.try_get::<Option<Uuid>, _>(3).map_err(classify)? {
            orders.push(OrderId::new(order));
        }
    }
    if orders.len() < limit {
        advance(pool, sweep, first, now, grace, !orders.is_empty()).await?;
    }
    Ok(Due { now, orders })
}

async fn advance(
    pool: &PgPool,
    sweep: &Sweep,
    first: &PgRow,
    now: Timestamp,
    grace: Duration,
    any_held: bool,
) -> Result<(), StoreError> {
    let running: Vec<i64> = column(first, 1)?;
    let swept: Option<Timestamp> = column(first, 2)?;
    // The scan was complete up to here; what it returned is still held, and stays above the watermark.
    let mut reachable = now.minus(BEHIND.max(grace));
    if any_held {
        reachable = reachable.min(column(first, 4)?);
    }
    let Some(at) = sweep.take(reachable, running) else { return Ok(()) };
    if swept.is_some_and(|swept| at < swept.plus(STEP_MIN)) {
        return Ok(());
    }
    sqlx::query(ADVANCE).bind(at).execute(pool).await.map(drop).map_err(classify)
}

impl Sweep {
    /// Best effort: without it the scan is slower, not wrong. It waits for a vacuum of the table, for one.
    async fn summarize(&self, pool: &PgPool) {
        let from = *self.summarized.lock();
        match sqlx::query_scalar::<_, i64>(SUMMARIZE).bind(from).fetch_one(pool).await {
            Ok(next) => *self.summarized.lock() = next,
            Err(error) => tracing::debug!(%error, "the newest reservations are not summarized"),
        }
    }

    /// How far the watermark may move now; remembers `reachable` for later.
    fn take(&self, reachable: Timestamp, running: Vec<i64>) -> Option<Timestamp> {
        let mut candidate = self.candidate.lock();
        if candidate.as_ref().is_some_and(|earlier| earlier.running.iter().any(|id| running.contains(id))) {
            return None;
        }
        let earlier = candidate.replace(Candidate { at: reachable, running })?;
        // What became visible in between counts, too.
        Some(earlier.at.min(reachable))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn i8_the_watermark_waits_for_every_transaction_that_ran_when_its_point_was_seen() {
        let sweep = Sweep::default();
        assert_eq!(sweep.take(at(100), vec![7, 9]), None, "nothing is known of what is running");
        assert_eq!(sweep.take(at(200), vec![9, 12]), None, "transaction 9 may still bring a hold below 100");
        assert_eq!(sweep.take(at(300), vec![12]), Some(at(100)));
        assert_eq!(sweep.take(at(250), vec![]), Some(at(250)), "a hold at 250 became visible meanwhile");
    }
}
