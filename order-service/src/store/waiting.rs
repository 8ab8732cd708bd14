//! How much waits to be done, for those who watch.

use std::time::Duration;

use service_kit::sql::Sql;
use sqlx::Row as _;

use super::Store;

/// Calls that failed so often look stuck.
pub const STUCK_ATTEMPTS: i64 = 10;

const WAITING: Sql = Sql::each(
    "SELECT count(*) AS calls, count(*) FILTER (WHERE attempts >= $1) AS stuck, \
            COALESCE((extract(epoch FROM clock_timestamp() - min(due_at)) * 1000000)::bigint, 0) AS overdue FROM saga_actions",
    "SELECT count(*) AS calls, count(*) FILTER (WHERE attempts >= $1) AS stuck, \
            COALESCE(CAST(unixepoch('subsec') * 1000000 AS INTEGER) - min(due_at), 0) AS overdue FROM saga_actions",
);

/// Calls that orders wait for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Waiting {
    /// All of them, those under way included.
    pub calls: u64,
    /// Those that were tried [`STUCK_ATTEMPTS`] times or more: an operator should look.
    pub stuck: u64,
    /// How long ago the first of them was due. More than seconds: nobody works.
    pub overdue: Duration,
}

impl Store {
    /// What waits now.
    pub async fn waiting(&self) -> Result<Waiting, sqlx::Error> {
        let row = sqlx::query(self.db.sql(WAITING)).bind(STUCK_ATTEMPTS).fetch_one(self.db.pool()).await?;
        let number = |column: &str| row.try_get::<i64, _>(column).map(|n| u64::try_from(n).unwrap_or(0));
        Ok(Waiting {
            calls: number("calls")?,
            stuck: number("stuck")?,
            overdue: Duration::from_micros(number("overdue")?),
        })
    }
}
