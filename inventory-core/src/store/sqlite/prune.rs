//! Removing what is older than the retention says. What may go is found by readers, so that no batch waits for a
//! scan; it is removed in a short transaction of its own. A reservation is judged again there: an expired one may
//! just have been committed late.

use futures::TryStreamExt;
use sqlx::sqlite::SqliteConnection;
use uuid::Uuid;

use super::error::store_error;
use super::read::row_limit;
use super::{Shared, rows};
use crate::clock::Timestamp;
use crate::store::{Pruned, Retention, StoreError, json};

const ENDED: &str = "SELECT order_id FROM reservations \
    WHERE status <> 1 AND coalesce(ended_at, created_at) < ?1 ORDER BY order_id LIMIT ?2";

/// Old entries that still have commands, or a product that a later entry has too; and how many rows each has.
const OLD_ENTRIES: &str = "SELECT j.batch_id, 1 \
        + (SELECT count(*) FROM journal_command c WHERE c.batch_id = j.batch_id) \
        + (SELECT count(*) FROM journal_line l WHERE l.batch_id = j.batch_id) \
    FROM journal j WHERE j.at < ?1 AND ( \
        EXISTS (SELECT 1 FROM journal_command c WHERE c.batch_id = j.batch_id) \
        OR NOT EXISTS (SELECT 1 FROM journal_product p WHERE p.batch_id = j.batch_id) \
        OR EXISTS (SELECT 1 FROM journal_product p JOIN journal_product n \
            ON n.product_id = p.product_id AND n.version > p.version WHERE p.batch_id = j.batch_id)) \
    ORDER BY j.batch_id LIMIT ?2";

/// Leaves of each entry the products that nothing changed since, its checkpoint; without any, nothing.
const PRUNE_ENTRIES: [&str; 4] = [
    "DELETE FROM journal_command WHERE batch_id IN (SELECT unhex(value) FROM json_each(?1))",
    "DELETE FROM journal_line WHERE batch_id IN (SELECT unhex(value) FROM json_each(?1))",
    "DELETE FROM journal_product WHERE batch_id IN (SELECT unhex(value) FROM json_each(?1)) \
     AND EXISTS (SELECT 1 FROM journal_product n \
         WHERE n.product_id = journal_product.product_id AND n.version > journal_product.version)",
    "DELETE FROM journal WHERE batch_id IN (SELECT unhex(value) FROM json_each(?1)) \
     AND NOT EXISTS (SELECT 1 FROM journal_product p WHERE p.batch_id = journal.batch_id)",
];

const PRUNE_ENDED: &str = "DELETE FROM reservations \
    WHERE order_id IN (SELECT unhex(value) FROM json_each(?1)) \
    AND status <> 1 AND coalesce(ended_at, created_at) < ?2";

const OLD_FENCES: &str = "SELECT batch_id FROM commit_batch WHERE at < ?1 ORDER BY batch_id LIMIT ?2";

const PRUNE_FENCES: &str =
    "DELETE FROM commit_batch WHERE batch_id IN (SELECT unhex(value) FROM json_each(?1))";

/// One piece of work, found but not done.
struct Found {
    ids: Vec<Uuid>,
    /// There may be more of the kind.
    more: bool,
}

impl Shared {
    pub(super) async fn prune(&self, retention: &Retention) -> Result<Pruned, StoreError> {
        let now = self.clock.now();
        let mut room = retention.rows_max.max(1);
        let ended_before = now.minus(retention.reservations);
        let reservations = self.find(ENDED, ended_before, &mut room).await?;
        let written_before = now.minus(retention.journal);
        let entries = self.find_entries(written_before, &mut room).await?;
        let fenced_before = now.minus(retention.fences);
        let fences = self.find(OLD_FENCES, fenced_before, &mut room).await?;
        let delivered_before = now.minus(retention.deliveries);

        let _turn = self.turn.lock().await;
        // Dropped on the way, the connection closes and rolls back.
        let mut connection = self.connect().await?;
        execute(&mut connection, "BEGIN IMMEDIATE").await?;
        let reservations_gone = remove(&mut connection, PRUNE_ENDED, &reservations, ended_before).await?;
        for statement in PRUNE_ENTRIES {
            remove(&mut connection, statement, &entries, written_before).await?;
        }
        remove(&mut connection, PRUNE_FENCES, &fences, fenced_before).await?;
        let (deliveries, more_deliveries) =
            remove_deliveries(&mut connection, delivered_before, room).await?;
        raise_watermark(&mut connection, "reservations", ended_before).await?;
        raise_watermark(&mut connection, "journal", written_before).await?;
        raise_watermark(&mut connection, "fences", fenced_before).await?;
        raise_watermark(&mut connection, "deliveries", delivered_before).await?;
        execute(&mut connection, "COMMIT").await?;
        Ok(Pruned {
            reservations: reservations_gone,
            journal: entries.ids.len() as u64,
            fences: fences.ids.len() as u64,
            deliveries,
            more: reservations.more || entries.more || fences.more || more_deliveries,
        })
    }

    /// Keys of rows older than `before`, as many as there is room for; takes the room they need.
    async fn find(
        &self,
        statement: &'static str,
        before: Timestamp,
        room: &mut usize,
    ) -> Result<Found, StoreError> {
        let ids: Vec<Uuid> = sqlx::query_scalar(statement)
            .bind(before.micros())
            .bind(row_limit(*room))
            .fetch_all(&self.readers)
            .await
            .map_err(store_error)?;
        let more = ids.len() == *room;
        *room -= ids.len();
        Ok(Found { ids, more })
    }

    /// The same of journal entries, which have many rows each: whole entries, at least one.
    async fn find_entries(&self, before: Timestamp, room: &mut usize) -> Result<Found, StoreError> {
        let mut found = Found { ids: Vec::new(), more: *room == 0 };
        let mut stream =
            sqlx::query(OLD_ENTRIES).bind(before.micros()).bind(row_limit(*room)).fetch(&self.readers);
        while *room > 0 {
            let Some(row) = stream.try_next().await.map_err(store_error)? else { break };
            let count = usize::try_from(rows::unsigned(&row, 1)?).unwrap_or(usize::MAX);
            found.ids.push(rows::get(&row, 0)?);
            *room = room.saturating_sub(count);
            found.more = *room == 0;
        }
        Ok(found)
    }
}

async fn execute(connection: &mut SqliteConnection, statement: &'static str) -> Result<(), StoreError> {
    sqlx::query(statement).execute(connection).await.map(drop).map_err(store_error)
}

async fn remove(
    connection: &mut SqliteConnection,
    statement: &'static str,
    found: &Found,
    before: Timestamp,
) -> Result<u64, StoreError> {
    if found.ids.is_empty() {
        return Ok(0);
    }
    let ids = json::uuids(found.ids.iter().copied());
    let done = sqlx::query(statement).bind(ids).bind(before.micros()).execute(connection).await;
    Ok(done.map_err(store_error)?.rows_affected())
}

async fn remove_deliveries(
    connection: &mut SqliteConnection,
    before: Timestamp,
    room: usize,
) -> Result<(u64, bool), StoreError> {
    let done = sqlx::query(
        "DELETE FROM inbox WHERE (consumer, message) IN \
         (SELECT consumer, message FROM inbox WHERE at < ?1 ORDER BY consumer, message LIMIT ?2)",
    )
    .bind(before.micros())
    .bind(row_limit(room))
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok((done.rows_affected(), done.rows_affected() == room as u64))
}

/// Says before when rows may be gone, in the transaction that removes them: the audit misses none of those.
async fn raise_watermark(
    connection: &mut SqliteConnection,
    name: &'static str,
    to: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO watermarks (name, at) VALUES (?1, ?2) \
         ON CONFLICT (name) DO UPDATE SET at = max(at, excluded.at)",
    )
    .bind(name)
    .bind(to.micros())
    .execute(connection)
    .await
    .map(drop)
    .map_err(store_error)
}
