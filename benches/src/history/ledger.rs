//! A ledger with a past, written by the server itself: what the engine's batches would have left, a hundred times as fast. Orders of
//! one unit of one product, a thousand a batch; the batch after it commits them all. The audit finds such a ledger clean.

use std::time::Duration;

use anyhow::{Result, ensure};
use inventory_core::clock::Timestamp;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use crate::peers::in_process::InProcess;
use crate::peers::sql;
use crate::workload::{Ids, Shape, Workload};

/// Orders in a batch.
pub const BATCH: u32 = 1_000;
/// Batches of holds written by one statement.
const CHUNK: u32 = 200;
/// From a hold to its commit; less where the next hold comes sooner.
const HELD: Duration = Duration::from_secs(5);

/// An id of version 7 from a time and a number below 2^60: ascending as the times, and as `low` (below 4,096) within one.
macro_rules! time_ordered {
    ($at:literal, $low:literal, $number:literal) => {
        concat!(
            "(lpad(to_hex((extract(epoch FROM ",
            $at,
            ") * 1000)::bigint), 12, '0') || '7' || lpad(to_hex(",
            $low,
            "), 3, '0') || '8' || lpad(to_hex(",
            $number,
            "), 15, '0'))::uuid"
        )
    };
}

/// `$1` the first batch of holds, `$2` the last, `$3` the first one's time, `$4` seconds to the next, `$5` seconds from a hold to its
/// commit; `$6`, `$7` and `$8` the product's version, stock and last batch before all this; `$9` orders in a batch.
macro_rules! grow_sql {
    ($id:expr) => {
        concat!(
            "WITH batch AS MATERIALIZED (SELECT b, t AS held_at, u AS ended_at, ",
            time_ordered!("t", "0", "2 * b"), " AS held_by, ", time_ordered!("u", "1", "2 * b + 1"), " AS ended_by \
             FROM (SELECT b, t, t + make_interval(secs => $5) AS u \
             FROM (SELECT b, $3 + make_interval(secs => (b - $1) * $4) AS t FROM generate_series($1, $2) b) times) s), \
             orders AS MATERIALIZED (SELECT b, held_at, ended_at, ", $id, " AS id \
             FROM batch, generate_series(0, $9 - 1) i), \
             ended AS (INSERT INTO reservations (order_id, status, created_at, expires_at, expires_at_max, ended_at, products, \
             quantities) SELECT id, 2, held_at, held_at + interval '15 minutes', held_at + interval '1 hour', ended_at, \
             ARRAY[1::bigint], ARRAY[1] FROM orders), \
             lists AS (SELECT b, array_agg(id) AS ids FROM orders GROUP BY b), \
             steps AS MATERIALIZED (SELECT b, 0 AS step, held_by AS id, held_at AS at, \
             COALESCE(lag(ended_by) OVER (ORDER BY b), $8) AS previous FROM batch \
             UNION ALL SELECT b, 1, ended_by, ended_at, held_by FROM batch), \
             fences AS (INSERT INTO commit_batch (batch_id, at) SELECT id, at FROM steps ORDER BY at), \
             entries AS (INSERT INTO journal (batch_id, at, kinds, orders, line_command, line_product, line_units, products, \
             versions, on_hands, helds, previous) \
             SELECT id, at, array_fill((1 + step)::smallint, ARRAY[$9]), ids, ARRAY(SELECT generate_series(1, $9)), \
             array_fill(1::bigint, ARRAY[$9]), array_fill(1::bigint, ARRAY[$9]), ARRAY[1::bigint], \
             ARRAY[$6 + 2 * (b - $1) + step + 1], ARRAY[$7 - (b - $1 + step) * $9], ARRAY[(1 - step) * $9::bigint], ARRAY[previous] \
             FROM steps JOIN lists USING (b) ORDER BY at), \
             swept AS (INSERT INTO watermarks (name, at) SELECT 'sweep', max(held_at) FROM batch \
             ON CONFLICT (name) DO UPDATE SET at = excluded.at) \
             UPDATE inventory SET version = $6 + 2 * ($2 - $1 + 1), on_hand = $7 - ($2 - $1 + 1) * $9, \
             last_batch = (SELECT ended_by FROM batch ORDER BY b DESC LIMIT 1) WHERE product_id = 1"
        )
    };
}
const TIME_ORDERED: &str = grow_sql!(time_ordered!("held_at", "i", "b * $9 + i"));
const RANDOM: &str = grow_sql!("gen_random_uuid()");

/// The stock was set before the history begins.
const LONG_AGO: &str = "UPDATE journal SET at = at - interval '100 days'; \
     UPDATE commit_batch SET at = at - interval '100 days'";

/// A ledger that nobody works on: each call has a connection of its own, so that the database can be copied in between.
#[derive(Clone, Debug)]
pub struct Ledger {
    url: String,
    ids: Ids,
}

impl Ledger {
    /// With plenty of one hot product, and nothing else.
    pub async fn begin(url: &str, ids: Ids) -> Result<Self> {
        InProcess::prepare(url, &Workload::new(Shape::Hot, ids)?).await?.stop().await;
        let ledger = Self::over(url, ids);
        let mut conn = ledger.connect().await?;
        conn.execute(LONG_AGO).await?;
        conn.close().await?;
        Ok(ledger)
    }

    /// One that is there already.
    pub fn over(url: &str, ids: Ids) -> Self {
        Self { url: url.to_owned(), ids }
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The server's time.
    pub async fn now(&self) -> Result<Timestamp> {
        let mut conn = self.connect().await?;
        let now = sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(&mut conn).await?;
        conn.close().await?;
        Ok(now)
    }

    /// Adds so many ended reservations, whole batches, evenly over the time between.
    pub async fn grow(&self, by: u32, from: Timestamp, until: Timestamp) -> Result<()> {
        ensure!(by.is_multiple_of(BATCH), "a history grows by batches of {BATCH}");
        let step = until.since(from) / (by / BATCH).max(1);
        let mut conn = self.connect().await?;
        conn.execute("SET synchronous_commit = off; SET work_mem = '256MB'; SET jit = off").await?;
        let (mut left, mut at) = (by / BATCH, from);
        while left > 0 {
            let batches = left.min(CHUNK);
            self.write(&mut conn, batches, at, step).await?;
            at = at.plus(step * batches);
            left -= batches;
        }
        Ok(conn.close().await?)
    }

    async fn write(
        &self,
        conn: &mut PgConnection,
        batches: u32,
        at: Timestamp,
        step: Duration,
    ) -> Result<()> {
        const PRODUCT: &str = "SELECT version, on_hand, last_batch FROM inventory WHERE product_id = 1";
        let (version, on_hand, last): (i64, i64, uuid::Uuid) =
            sqlx::query_as(PRODUCT).fetch_one(&mut *conn).await?;
        // A batch of holds and one of commits each; before all of them, the one that set the stock.
        let first = (version - 1) / 2;
        let grow = match self.ids {
            Ids::TimeOrdered => TIME_ORDERED,
            Ids::Random => RANDOM,
        };
        sqlx::query(grow)
            .bind(first)
            .bind(first + i64::from(batches) - 1)
            .bind(at)
            .bind(step.as_secs_f64())
            .bind(HELD.min(step / 2).as_secs_f64())
            .bind(version)
            .bind(on_hand)
            .bind(last)
            .bind(i32::try_from(BATCH)?)
            .execute(conn)
            .await?;
        Ok(())
    }

    /// Vacuumed, and on the disk.
    pub async fn settle(&self) -> Result<()> {
        let mut conn = self.connect().await?;
        for table in ["reservations", "journal", "commit_batch", "inventory"] {
            conn.execute(AssertSqlSafe(format!("VACUUM (ANALYZE) {table}"))).await?;
        }
        conn.execute("CHECKPOINT").await?;
        Ok(conn.close().await?)
    }

    /// A connection for which the ledger's tables are the nearest.
    pub(super) async fn connect(&self) -> Result<PgConnection> {
        let mut conn = sql::connect(&self.url).await?;
        conn.execute("SET search_path TO inventory_service_schema").await?;
        Ok(conn)
    }
}
