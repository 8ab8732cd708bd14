//! Leasing calls that are due, and what their holders may do with them besides settling.

use service_kit::sql::{Sql, touched};
use sqlx::Row as _;
use uuid::Uuid;

use super::actions::{self, Postponed};
use super::row::from_name;
use super::settle::Retry;
use super::{Store, micros};
use crate::saga::Action;

/// A call that is leased to whoever holds the token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Claim {
    /// Whose.
    pub order: Uuid,
    /// Which.
    pub action: Action,
    /// Tries begun, this one included. More than one: what became of the earlier ones may be unknown.
    pub attempts: u32,
    /// The lease.
    pub token: Uuid,
}

// SKIP LOCKED: several instances share the work. While leased, `due_at` is the lease's end.
const CLAIM: Sql = Sql::each(
    "UPDATE saga_actions a SET lease_token = $1, due_at = clock_timestamp() + $2 * interval '1 microsecond', \
            attempts = a.attempts + 1 \
     FROM (SELECT order_id, action FROM saga_actions WHERE due_at <= clock_timestamp() ORDER BY due_at LIMIT $3 \
           FOR UPDATE SKIP LOCKED) due \
     WHERE a.order_id = due.order_id AND a.action = due.action \
     RETURNING a.order_id::text AS order_id, a.action, a.attempts",
    "UPDATE saga_actions SET lease_token = $1, due_at = CAST(unixepoch('subsec') * 1000000 AS INTEGER) + $2, \
            attempts = attempts + 1 \
     WHERE (order_id, action) IN (SELECT order_id, action FROM saga_actions \
           WHERE due_at <= CAST(unixepoch('subsec') * 1000000 AS INTEGER) ORDER BY due_at LIMIT $3) \
     RETURNING order_id, action, attempts",
);
const FORGET: Sql = Sql::each(
    "DELETE FROM saga_actions WHERE order_id = $1::uuid AND action = $2 AND lease_token = $3",
    "DELETE FROM saga_actions WHERE order_id = $1 AND action = $2 AND lease_token = $3",
);
const HURRY: Sql = Sql::each(
    "UPDATE saga_actions SET due_at = clock_timestamp(), lease_token = NULL WHERE order_id = $1::uuid",
    "UPDATE saga_actions SET due_at = CAST(unixepoch('subsec') * 1000000 AS INTEGER), lease_token = NULL WHERE order_id = $1",
);

impl Store {
    /// Leases calls that are due, up to so many. An action that this code does not know is left to newer code.
    pub async fn claim_actions(&self, most: usize) -> Result<Vec<Claim>, sqlx::Error> {
        let token = Uuid::new_v4();
        let rows = sqlx::query(self.db.sql(CLAIM))
            .bind(token.to_string())
            .bind(micros(self.options.lease))
            .bind(i64::try_from(most).unwrap_or(i64::MAX))
            .fetch_all(self.db.pool())
            .await?;
        let mut claims = Vec::with_capacity(rows.len());
        for row in rows {
            let (order, action): (String, String) = (row.try_get("order_id")?, row.try_get("action")?);
            match (Uuid::try_parse(&order), from_name(&action)) {
                (Ok(order), Some(action)) => {
                    let attempts = u32::try_from(row.try_get::<i64, _>("attempts")?).unwrap_or(u32::MAX);
                    claims.push(Claim { order, action, attempts, token });
                }
                (Err(_), _) | (_, None) => {
                    tracing::warn!(%order, %action, "an action that this version does not know is left alone");
                }
            }
        }
        Ok(claims)
    }

    /// Forgets an intent that its saga does not know of (any more).
    pub async fn forget(&self, claim: &Claim) -> Result<(), sqlx::Error> {
        let mut tx = self.db.begin().await?;
        sqlx::query(tx.sql(FORGET))
            .bind(claim.order.to_string())
            .bind(claim.action.name())
            .bind(claim.token.to_string())
            .execute(tx.connection())
            .await?;
        tx.commit().await
    }

    /// Puts a call off without a look at its order, whose row cannot be worked on: one broken saga does not stop the rest.
    pub async fn set_aside(&self, claim: &Claim, retry: &Retry) -> Result<(), sqlx::Error> {
        let mut tx = self.db.begin().await?;
        actions::postpone(&mut tx, &[Postponed::new(claim, retry)]).await?;
        tx.commit().await
    }

    /// An operator: try whatever this order waits for now, not when its back-off ends. Leases are taken away. Answers how many.
    pub async fn hurry(&self, order: Uuid) -> Result<u64, sqlx::Error> {
        let mut tx = self.db.begin().await?;
        let hurried = sqlx::query(tx.sql(HURRY)).bind(order.to_string()).execute(tx.connection()).await?;
        tx.commit().await?;
        self.work.notify_one();
        Ok(touched(&hurried))
    }
}
