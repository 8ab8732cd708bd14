//! Who may publish: a row with a token, judged by the database's clock.

use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use crate::sql::{Database, Sql, touched};

/// Takes the lease if it is free or ours, and prolongs it.
const HOLD: Sql = Sql::each(
    "INSERT INTO relay_leases (name, token, until) \
     VALUES ($1, $2::uuid, clock_timestamp() + $3 * interval '1 microsecond') \
     ON CONFLICT (name) DO UPDATE SET token = excluded.token, until = excluded.until \
     WHERE relay_leases.token = excluded.token OR relay_leases.until < clock_timestamp()",
    "INSERT INTO relay_leases (name, token, until) \
     VALUES ($1, $2, CAST(unixepoch('subsec') * 1000000 AS INTEGER) + $3) \
     ON CONFLICT (name) DO UPDATE SET token = excluded.token, until = excluded.until \
     WHERE relay_leases.token = excluded.token \
     OR relay_leases.until < CAST(unixepoch('subsec') * 1000000 AS INTEGER)",
);
const GIVE_BACK: Sql = Sql::each(
    "DELETE FROM relay_leases WHERE name = $1 AND token = $2::uuid",
    "DELETE FROM relay_leases WHERE name = $1 AND token = $2",
);

pub(super) struct Lease {
    database: Database,
    pub(super) name: &'static str,
    pub(super) token: String,
    lasts: Duration,
    renewed: Option<Instant>,
}

impl Lease {
    pub(super) fn new(database: Database, name: &'static str, lasts: Duration) -> Self {
        Self { database, name, token: Uuid::new_v4().to_string(), lasts, renewed: None }
    }

    /// Whether it is ours for most of its time from now on. Asks the database only if it did not do so lately.
    pub(super) async fn hold(&mut self) -> Result<bool, sqlx::Error> {
        if self.renewed.is_some_and(|renewed| renewed.elapsed() < self.lasts / 3) {
            return Ok(true);
        }
        self.renewed = None;
        // Before the question: the database counts from later.
        let asked = Instant::now();
        let held = sqlx::query(self.database.sql(HOLD))
            .bind(self.name)
            .bind(self.token.as_str())
            .bind(i64::try_from(self.lasts.as_micros()).unwrap_or(i64::MAX / 2))
            .execute(self.database.pool())
            .await?;
        let is_held = touched(&held) == 1;
        self.renewed = is_held.then_some(asked);
        Ok(is_held)
    }

    /// Somebody else has it: ask before the next use.
    pub(super) fn lost(&mut self) {
        self.renewed = None;
    }

    /// Lets the next one begin at once. Best effort: it ends by itself.
    pub(super) async fn give_back(&self) {
        let given = sqlx::query(self.database.sql(GIVE_BACK))
            .bind(self.name)
            .bind(self.token.as_str())
            .execute(self.database.pool())
            .await;
        if let Err(error) = given {
            tracing::debug!(%error, "the relay's lease was not given back; it runs out");
        }
    }
}
