//! What becomes of old records. The caller gives the ages: see [`crate::events::retention`].

use std::time::Duration;

use super::{LocalLog, unusable};
use crate::events::TransportError;
use crate::sql::touched;

/// Rows that one statement deletes at most: publishers wait for it.
const PIECE: i64 = 2_000;

/// Old, and done by every group that ever subscribed to the topic. Dead letters have no group; they have an age of their own.
const OLD: &str = "DELETE FROM records WHERE seq IN (SELECT r.seq FROM records r \
     LEFT JOIN topics t ON t.name = r.topic \
     WHERE r.at < CAST(unixepoch('subsec') * 1000000 AS INTEGER) - CASE WHEN r.topic LIKE '%.dlq' THEN $2 ELSE $1 END \
     AND COALESCE(t.cleanup, 'delete') = 'delete' \
     AND NOT EXISTS (SELECT 1 FROM group_offsets g WHERE g.topic = r.topic AND g.done < r.seq) \
     ORDER BY r.seq LIMIT $3)";

/// Compacted topics: all but the last of each key, done by every group.
const SUPERSEDED: &str = "DELETE FROM records WHERE seq IN (SELECT k.seq FROM (SELECT r.seq, r.topic, \
     row_number() OVER (PARTITION BY r.topic, r.key ORDER BY r.seq DESC) AS age \
     FROM topics t CROSS JOIN records r ON r.topic = t.name WHERE t.cleanup = 'compact') k \
     WHERE k.age > 1 \
     AND NOT EXISTS (SELECT 1 FROM group_offsets g WHERE g.topic = k.topic AND g.done < k.seq) \
     LIMIT $1)";

/// What was removed.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct LogPruned {
    /// Records past their age.
    pub old: u64,
    /// Records of compacted topics that a later one of their key replaced.
    pub superseded: u64,
    /// Whether there may be more: call again.
    pub more: bool,
}

impl LocalLog {
    /// Removes a bounded number of records that nobody needs any more.
    pub async fn prune(
        &self,
        keep: Duration,
        keep_dead_letters: Duration,
    ) -> Result<LogPruned, TransportError> {
        let micros = |age: Duration| i64::try_from(age.as_micros()).unwrap_or(i64::MAX / 2);
        let pool = self.inner.writer.pool();
        let old = sqlx::query(OLD)
            .bind(micros(keep))
            .bind(micros(keep_dead_letters))
            .bind(PIECE)
            .execute(pool)
            .await
            .map_err(|error| unusable(&error))?;
        let superseded =
            sqlx::query(SUPERSEDED).bind(PIECE).execute(pool).await.map_err(|error| unusable(&error))?;
        let (old, superseded) = (touched(&old), touched(&superseded));
        let full = PIECE.unsigned_abs();
        Ok(LogPruned { old, superseded, more: old >= full || superseded >= full })
    }
}
