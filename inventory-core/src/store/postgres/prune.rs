//! Pruning, as the maintenance role, a bounded piece at a time.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, Executor as _, PgConnection};

use super::connect::{self, MAINTENANCE_ROLE};
use super::errors::classify;
use super::rows::limit as bound;
use crate::store::{Pruned, Retention, StoreError};

/// `expires_at` has the index; holds are shorter than a day, so what ended before the cut-off has its end at most a day
/// after it. A longer hold goes a little later. Says also which ranges of 64 blocks, those of the index, it took from.
const RESERVATIONS: &str = "WITH gone AS (DELETE FROM reservations WHERE order_id = ANY (ARRAY( \
     SELECT order_id FROM reservations WHERE status <> 1 \
     AND expires_at < now() - make_interval(secs => $1) + interval '1 day' \
     AND ended_at < now() - make_interval(secs => $1) LIMIT $2)) \
     AND status <> 1 AND ended_at < now() - make_interval(secs => $1) \
     RETURNING (ctid::text::point)[0]::bigint / 64 * 64 AS range) \
     SELECT count(*), COALESCE(array_agg(DISTINCT range), '{}') FROM gone";
/// An entry that is the last of a product stays, as its checkpoint. What is not the last any more never becomes it again.
const JOURNAL: &str = "DELETE FROM journal WHERE batch_id = ANY (ARRAY( \
     SELECT j.batch_id FROM journal j WHERE j.at < now() - make_interval(secs => $1) \
     AND NOT EXISTS (SELECT FROM inventory i WHERE i.product_id = ANY (j.products) AND i.last_batch = j.batch_id) \
     LIMIT $2))";
const FENCES: &str = "DELETE FROM commit_batch WHERE batch_id = ANY (ARRAY( \
     SELECT batch_id FROM commit_batch WHERE at < now() - make_interval(secs => $1) LIMIT $2))";
const DELIVERIES: &str = "DELETE FROM inbox i USING (SELECT consumer, message FROM inbox \
     WHERE at < now() - make_interval(secs => $1) LIMIT $2) old \
     WHERE i.consumer = old.consumer AND i.message = old.message";

/// Says before when rows may be gone, before they go: the audit misses none of those.
const MARK: &str = "INSERT INTO watermarks (name, at) \
     SELECT unnest($1::text[]), now() - make_interval(secs => unnest($2::float8[])) \
     ON CONFLICT (name) DO UPDATE SET at = GREATEST(watermarks.at, excluded.at)";

/// Has ranges of reservations summarized anew.
const RESUMMARIZE: &str = "SELECT resummarize_reservations($1)";
/// Of more ranges than these, 4 GB of rows, the newest are remembered; in the others scans go on reading what is gone.
const RANGES_MAX: usize = 8_192;

/// When a range is summarized for the second time, after it was emptied; every further time comes [`AGAIN_FACTOR`] times as late.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
const AGAIN_FACTOR: u32 = 8;
/// Whoever still sees what was pruned so long ago is not waited for.
const AGAIN_AFTER_MAX: Duration = Duration::from_secs(600);

/// Ranges of reservations that pruning took from, by their first block. Their summaries in the index still have what is gone, until they are
/// made anew. While a transaction that began before can see the dead rows, a new summary has them too, and nobody tells: so
/// ranges are summarized at the next piece, when batches under way have ended, and a few times later, when long reads have.
#[derive(Debug, Default)]
pub(super) struct Emptied(Mutex<BTreeMap<i64, Again>>);

/// When a range is to be summarized.
#[derive(Debug)]
struct Again {
    emptied: Instant,
    after: Duration,
}

impl Emptied {
    /// Best effort: without it scans are slower, not wrong. It fails while the table is vacuumed, and is tried again.
    async fn resummarize(&self, conn: &mut PgConnection) {
        let is_due = |again: &Again| again.emptied.elapsed() >= again.after;
        let ranges: Vec<i64> =
            self.0.lock().iter().filter(|(_, again)| is_due(again)).map(|(range, _)| *range).collect();
        if ranges.is_empty() {
            return;
        }
        match sqlx::query(RESUMMARIZE).bind(&ranges).execute(conn).await {
            Ok(_) => self.summarized(&ranges),
            Err(error) => tracing::debug!(%error, "what was pruned is still in the index's summary"),
        }
    }

    fn summarized(&self, ranges: &[i64]) {
        self.0.lock().retain(|range, again| {
            if ranges.binary_search(range).is_ok() {
                again.after = (again.after * AGAIN_FACTOR).max(AGAIN_AFTER);
            }
            again.after <= AGAIN_AFTER_MAX
        });
    }

    fn note(&self, ranges: Vec<i64>) {
        let mut emptied = self.0.lock();
        let now = Instant::now();
        emptied
            .extend(ranges.into_iter().map(|range| (range, Again { emptied: now, after: Duration::ZERO })));
        while emptied.len() > RANGES_MAX {
            emptied.pop_first();
        }
    }
}

/// See [`crate::store::Store::prune`].
pub(super) async fn prune(
    options: &PgConnectOptions,
    emptied: &Emptied,
    retention: &Retention,
) -> Result<Pruned, StoreError> {
    let mut conn = connect::open(options).await?;
    let outcome = pieces(&mut conn, emptied, retention).await;
    let _ = conn.close().await;
    outcome
}

async fn pieces(
    conn: &mut PgConnection,
    emptied: &Emptied,
    retention: &Retention,
) -> Result<Pruned, StoreError> {
    connect::take_role(conn, MAINTENANCE_ROLE).await.map_err(classify)?;
    emptied.resummarize(conn).await;
    // One transaction, one clock: `now()` is that of BEGIN for the marks and for what they speak of.
    conn.execute("BEGIN").await.map_err(classify)?;
    let ages = [retention.reservations, retention.journal, retention.fences, retention.deliveries];
    sqlx::query(MARK)
        .bind(["reservations", "journal", "fences", "deliveries"].as_slice())
        .bind(ages.map(|age| age.as_secs_f64()).as_slice())
        .execute(&mut *conn)
        .await
        .map_err(classify)?;
    let mut left = retention.rows_max;
    let (reservations, ranges) = reservations(conn, retention.reservations, &mut left).await?;
    let mut pruned = Pruned {
        reservations,
        journal: piece(conn, JOURNAL, retention.journal, &mut left).await?,
        fences: piece(conn, FENCES, retention.fences, &mut left).await?,
        deliveries: piece(conn, DELIVERIES, retention.deliveries, &mut left).await?,
        more: false,
    };
    pruned.more = left == 0;
    conn.execute("COMMIT").await.map_err(classify)?;
    emptied.note(ranges);
    Ok(pruned)
}

/// How many went, and from which ranges.
async fn reservations(
    conn: &mut PgConnection,
    age: Duration,
    left: &mut usize,
) -> Result<(u64, Vec<i64>), StoreError> {
    if *left == 0 {
        return Ok((0, Vec::new()));
    }
    let (gone, ranges): (i64, Vec<i64>) = sqlx::query_as(RESERVATIONS)
        .bind(age.as_secs_f64())
        .bind(bound(*left))
        .fetch_one(conn)
        .await
        .map_err(classify)?;
    *left = left.saturating_sub(usize::try_from(gone).unwrap_or(usize::MAX));
    Ok((u64::try_from(gone).unwrap_or_default(), ranges))
}

async fn piece(
    conn: &mut PgConnection,
    sql: &'static str,
    age: Duration,
    left: &mut usize,
) -> Result<u64, StoreError> {
    if *left == 0 {
        return Ok(0);
    }
    let gone = sqlx::query(sql)
        .bind(age.as_secs_f64())
        .bind(bound(*left))
        .execute(conn)
        .await
        .map_err(classify)?
        .rows_affected();
    *left = left.saturating_sub(usize::try_from(gone).unwrap_or(usize::MAX));
    Ok(gone)
}
