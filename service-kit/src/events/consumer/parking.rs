//! Parked keys: an event of theirs stands among the dead letters, and later ones follow it.
//!
//! `at` moves forward with each letter. Every letter carries it, so who has seen the key's last letter can say "unpark, if
//! nothing was added since" without a lock across processes.

use crate::sql::{Database, Sql, touched};

const ANY: Sql = Sql::same("SELECT count(*) FROM (SELECT 1 FROM parked_keys WHERE consumer = $1 LIMIT 1) p");
const PARKED_AT: Sql = Sql::each(
    "SELECT (extract(epoch FROM at) * 1000000)::bigint FROM parked_keys \
     WHERE consumer = $1 AND topic = $2 AND key = $3",
    "SELECT at FROM parked_keys WHERE consumer = $1 AND topic = $2 AND key = $3",
);
const PARK: Sql = Sql::each(
    "INSERT INTO parked_keys (consumer, topic, key, at) VALUES ($1, $2, $3, clock_timestamp()) \
     ON CONFLICT (consumer, topic, key) \
     DO UPDATE SET at = greatest(excluded.at, parked_keys.at + interval '1 microsecond') \
     RETURNING (extract(epoch FROM at) * 1000000)::bigint",
    "INSERT INTO parked_keys (consumer, topic, key, at) \
     VALUES ($1, $2, $3, CAST(unixepoch('subsec') * 1000000 AS INTEGER)) \
     ON CONFLICT (consumer, topic, key) DO UPDATE SET at = max(excluded.at, parked_keys.at + 1) RETURNING at",
);
const UNPARK: Sql = Sql::each(
    "DELETE FROM parked_keys WHERE consumer = $1 AND topic = $2 AND key = $3 \
     AND (extract(epoch FROM at) * 1000000)::bigint = $4",
    "DELETE FROM parked_keys WHERE consumer = $1 AND topic = $2 AND key = $3 AND at = $4",
);

/// The parked keys of one group.
pub(super) struct Parking {
    database: Database,
    group: &'static str,
}

impl Parking {
    pub(super) fn new(database: Database, group: &'static str) -> Self {
        Self { database, group }
    }

    /// Whether any key is parked.
    pub(super) async fn is_used(&self) -> Result<bool, sqlx::Error> {
        let count: i64 = sqlx::query_scalar(self.database.sql(ANY))
            .bind(self.group)
            .fetch_one(self.database.pool())
            .await?;
        Ok(count > 0)
    }

    /// Since when, or rather since which letter, the key is parked.
    pub(super) async fn parked_at(&self, topic: &str, key: &str) -> Result<Option<i64>, sqlx::Error> {
        sqlx::query_scalar(self.database.sql(PARKED_AT))
            .bind(self.group)
            .bind(topic)
            .bind(key)
            .fetch_optional(self.database.pool())
            .await
    }

    /// Parks the key, or moves its time forward.
    pub(super) async fn park(&self, topic: &str, key: &str) -> Result<i64, sqlx::Error> {
        sqlx::query_scalar(self.database.sql(PARK))
            .bind(self.group)
            .bind(topic)
            .bind(key)
            .fetch_one(self.database.pool())
            .await
    }

    /// Lets the key go if no letter was added after this one.
    pub(super) async fn unpark(&self, topic: &str, key: &str, at: i64) -> Result<bool, sqlx::Error> {
        let deleted = sqlx::query(self.database.sql(UNPARK))
            .bind(self.group)
            .bind(topic)
            .bind(key)
            .bind(at)
            .execute(self.database.pool())
            .await?;
        Ok(touched(&deleted) == 1)
    }
}
