//! The one way to change an order.

use chrono::{DateTime, Utc};
use service_kit::sql::{Sql, Transaction, time};
use sqlx::Row as _;
use uuid::Uuid;

use super::apply_effects::{Came, Writing, write};
use super::row::{self, RowError, order_columns_postgres, order_columns_sqlite};
use super::{Order, Store};
use crate::saga::{Cell, Effect, Input, Step, step};

/// What led to an input.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Cause {
    /// The event's or the request's id.
    pub id: Option<String>,
    /// W3C trace context; the order's own if there is none.
    pub traceparent: Option<String>,
}

/// What became of an input.
#[derive(Clone, PartialEq, Debug)]
pub struct Applied {
    /// The order as it is now.
    pub order: Order,
    /// What kind of answer the saga gave.
    pub cell: Cell,
    /// Why, in words.
    pub because: &'static str,
    /// Whether the order changed.
    pub changed: bool,
    /// Whether calls are to be made.
    pub has_work: bool,
    /// Whether events are to be sent.
    pub has_events: bool,
    /// How often an operator is asked to look.
    pub alarms: u64,
}

impl Applied {
    /// An order that nothing was done to.
    pub(super) fn unchanged(order: Order) -> Self {
        let (cell, because) = (Cell::Duplicate, "nothing happened");
        Self { order, cell, because, changed: false, has_work: false, has_events: false, alarms: 0 }
    }
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// No such order.
    #[error("there is no order {0}")]
    Unknown(Uuid),
    /// The row is newer than this code, or broken.
    #[error(transparent)]
    Row(#[from] RowError),
    /// The database.
    #[error(transparent)]
    Sql(#[from] sqlx::Error),
}

impl ApplyError {
    /// Whether the same may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unknown(_) => false,
            // Newer code will be able to.
            Self::Row(RowError::Newer { .. }) => true,
            Self::Row(RowError::Broken { .. }) => false,
            Self::Sql(error) => service_kit::sql::is_transient(error),
        }
    }
}

// The lock first: whatever is decided, is decided on what stands there under it. SQLite's transactions are alone anyway.
const LOCK: Sql = Sql::each(
    concat!(
        "SELECT ",
        order_columns_postgres!(),
        " FROM orders o WHERE o.order_id = $1::uuid FOR UPDATE OF o"
    ),
    concat!("SELECT ", order_columns_sqlite!(), " FROM orders o WHERE o.order_id = $1"),
);

/// An order whose row is locked by this transaction.
pub(super) struct Locked {
    pub(super) order: Order,
    pub(super) now: DateTime<Utc>,
}

/// Locks the order's row.
pub(super) async fn lock(tx: &mut Transaction, order: Uuid) -> Result<Locked, ApplyError> {
    let found = sqlx::query(tx.sql(LOCK)).bind(order.to_string()).fetch_optional(tx.connection()).await?;
    let found = found.ok_or(ApplyError::Unknown(order))?;
    let order = row::read(&found)??;
    // Never behind what was written before: a history does not go backwards when the clock does.
    let now = time(found.try_get("now")?).max(order.updated_at);
    Ok(Locked { order, now })
}

impl Store {
    /// Locks the order, decides, and writes everything that was decided; the caller commits, then rings.
    pub(crate) async fn apply_in(
        &self,
        tx: &mut Transaction,
        order: Uuid,
        input: &Input,
        cause: &Cause,
    ) -> Result<Applied, ApplyError> {
        let locked = lock(tx, order).await?;
        self.apply_locked(tx, locked, input, cause).await
    }

    /// As [`Store::apply_in`], when the lock is held already.
    pub(super) async fn apply_locked(
        &self,
        tx: &mut Transaction,
        locked: Locked,
        input: &Input,
        cause: &Cause,
    ) -> Result<Applied, ApplyError> {
        let Locked { mut order, now } = locked;
        let decided = step(&order.saga, input);
        let is_changed = decided.saga != order.saga;
        if decided.cell == Cell::Newer {
            let definition = i64::from(order.saga.definition);
            return Err(RowError::Newer { order: order.id, definition }.into());
        }
        let (mut has_work, mut has_events) = (false, false);
        if is_changed || !decided.effects.is_empty() {
            let came = Came { input, because: decided.because, timer_was: order.saga.payment_timer };
            order.saga = decided.saga.clone();
            order.updated_at = now;
            let writing = Writing { came: Some(came), cause, at: now, options: &self.options, leased: None };
            (has_work, has_events) = write(tx, &order, &decided.effects, &writing).await?;
        }
        let Step { cell, because, effects, .. } = decided;
        let alarms = effects.iter().filter(|effect| matches!(effect, Effect::Alarm(_))).count() as u64;
        Ok(Applied { order, cell, because, changed: is_changed, has_work, has_events, alarms })
    }

    /// One input, in a transaction of its own. Run it in a task that nobody drops.
    pub async fn apply(&self, order: Uuid, input: &Input, cause: &Cause) -> Result<Applied, ApplyError> {
        let mut tx = self.db.begin().await?;
        let applied = self.apply_in(&mut tx, order, input, cause).await?;
        tx.commit().await?;
        self.ring(&applied);
        Ok(applied)
    }
}
