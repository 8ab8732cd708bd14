//! What a ledger takes on the disk.

use anyhow::Result;
use serde::Serialize;
use sqlx::Connection as _;

use super::Ledger;

/// In bytes, by the server's count of its files.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Room {
    /// Reservations in it.
    pub reservations: i64,
    /// Their rows.
    pub rows: i64,
    /// Their key and the index of their ends.
    pub keys: i64,
    /// The journal, all of it.
    pub journal: i64,
    /// The fences, all of them.
    pub fences: i64,
}

impl Room {
    /// Counts.
    pub async fn of(ledger: &Ledger) -> Result<Self> {
        const ROOM: &str = "SELECT (SELECT count(*) FROM reservations), pg_table_size('reservations'), \
             pg_indexes_size('reservations'), pg_total_relation_size('journal'), pg_total_relation_size('commit_batch')";
        let mut conn = ledger.connect().await?;
        let (reservations, rows, keys, journal, fences) = sqlx::query_as(ROOM).fetch_one(&mut conn).await?;
        conn.close().await?;
        Ok(Self { reservations, rows, keys, journal, fences })
    }

    /// All of it.
    pub fn bytes(&self) -> i64 {
        self.rows + self.keys + self.journal + self.fences
    }

    /// So many bytes, spread over the reservations.
    pub fn each(&self, bytes: i64) -> f64 {
        bytes as f64 / self.reservations.max(1) as f64
    }
}
