//! What would happen next to an order.

use chrono::{DateTime, Utc};
use service_kit::sql::{Sql, time};
use sqlx::Row as _;
use uuid::Uuid;

use super::{ApplyError, Order, Store};

/// What would happen next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// The order as it is now.
    pub order: Order,
    /// Calls that will be made.
    pub actions: Vec<Planned>,
    /// When the time to pay ends.
    pub payment_deadline: Option<DateTime<Utc>>,
}

/// A call that will be made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Planned {
    /// Which.
    pub action: String,
    /// Tries so far.
    pub attempts: i64,
    /// When it is tried, or taken over.
    pub due_at: DateTime<Utc>,
    /// Whether somebody is at it.
    pub is_leased: bool,
    /// What was last seen.
    pub last_error: Option<String>,
}

const ACTIONS: Sql = Sql::each(
    "SELECT action, attempts, (extract(epoch FROM due_at) * 1000000)::bigint AS due_at, lease_token, last_error \
     FROM saga_actions WHERE order_id = $1::uuid ORDER BY due_at",
    "SELECT action, attempts, due_at, lease_token, last_error FROM saga_actions WHERE order_id = $1 ORDER BY due_at",
);
const TIMER: Sql = Sql::each(
    "SELECT (extract(epoch FROM due_at) * 1000000)::bigint FROM saga_timers WHERE order_id = $1::uuid",
    "SELECT due_at FROM saga_timers WHERE order_id = $1",
);

impl Store {
    /// The calls and the timer that an order waits for. Nothing is locked: it may have happened already.
    pub async fn plan(&self, id: Uuid) -> Result<Option<Plan>, ApplyError> {
        let Some(order) = self.read(id).await? else { return Ok(None) };
        let (pool, id) = (self.db.pool(), id.to_string());
        let rows = sqlx::query(self.db.sql(ACTIONS)).bind(id.as_str()).fetch_all(pool).await?;
        let due: Option<i64> =
            sqlx::query_scalar(self.db.sql(TIMER)).bind(id.as_str()).fetch_optional(pool).await?;
        let actions = rows.iter().map(|row| {
            Ok(Planned {
                action: row.try_get("action")?,
                attempts: row.try_get("attempts")?,
                due_at: time(row.try_get("due_at")?),
                is_leased: row.try_get::<Option<String>, _>("lease_token")?.is_some(),
                last_error: row.try_get("last_error")?,
            })
        });
        let actions = actions.collect::<Result<_, sqlx::Error>>()?;
        Ok(Some(Plan { order, actions, payment_deadline: due.map(time) }))
    }
}
