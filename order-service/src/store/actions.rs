//! Calls to make: stored before they are made, claimed with a random token, settled under it.
//!
//! **Every write of whoever makes a call checks its token**: one that lost its lease writes nothing.

use std::time::Duration;

use service_kit::sql::{Sql, Transaction, touched};
use sqlx::Row as _;
use uuid::Uuid;

use super::apply::{Applied, ApplyError, Cause, lock};
use super::row::from_name;
use super::{Store, micros};
use crate::saga::{Action, Input};

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

/// When to try again, and what to tell the saga about it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Retry {
    /// From now, by the database's clock.
    pub after: Duration,
    /// What was last seen.
    pub error: String,
    /// Whether the saga should hear that it keeps failing.
    pub tell: bool,
}

/// What became of an answer.
#[derive(Clone, PartialEq, Debug)]
pub enum Settled {
    /// The saga heard it.
    Applied(Box<Applied>),
    /// The lease was lost meanwhile: nothing was written. Whoever holds it now gets the same answer.
    LeaseLost,
}

const START: Sql = Sql::each(
    "INSERT INTO saga_actions (order_id, action, attempts, due_at, lease_token) \
     VALUES ($1::uuid, $2, $3, clock_timestamp() + $4 * interval '1 microsecond', $5) \
     ON CONFLICT (order_id, action) DO UPDATE SET attempts = excluded.attempts, due_at = excluded.due_at, \
         lease_token = excluded.lease_token, last_error = NULL",
    "INSERT INTO saga_actions (order_id, action, attempts, due_at, lease_token) \
     VALUES ($1, $2, $3, CAST(unixepoch('subsec') * 1000000 AS INTEGER) + $4, $5) \
     ON CONFLICT (order_id, action) DO UPDATE SET attempts = excluded.attempts, due_at = excluded.due_at, \
         lease_token = excluded.lease_token, last_error = NULL",
);
const FINISH: Sql = Sql::each(
    "DELETE FROM saga_actions WHERE order_id = $1::uuid AND action = $2",
    "DELETE FROM saga_actions WHERE order_id = $1 AND action = $2",
);
const FORGET: Sql = Sql::each(
    "DELETE FROM saga_actions WHERE order_id = $1::uuid AND action = $2 AND lease_token = $3",
    "DELETE FROM saga_actions WHERE order_id = $1 AND action = $2 AND lease_token = $3",
);
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
// The lease counts until somebody else took it, even past its end: the answer is true and nobody else is at it.
const HOLD: Sql = Sql::each(
    "SELECT action FROM saga_actions WHERE order_id = $1::uuid AND action = $2 AND lease_token = $3 FOR UPDATE",
    "SELECT action FROM saga_actions WHERE order_id = $1 AND action = $2 AND lease_token = $3",
);
const POSTPONE: Sql = Sql::each(
    "UPDATE saga_actions SET lease_token = NULL, due_at = clock_timestamp() + $4 * interval '1 microsecond', last_error = $5 \
     WHERE order_id = $1::uuid AND action = $2 AND lease_token = $3",
    "UPDATE saga_actions SET lease_token = NULL, due_at = CAST(unixepoch('subsec') * 1000000 AS INTEGER) + $4, last_error = $5 \
     WHERE order_id = $1 AND action = $2 AND lease_token = $3",
);
const HURRY: Sql = Sql::each(
    "UPDATE saga_actions SET due_at = clock_timestamp(), lease_token = NULL WHERE order_id = $1::uuid",
    "UPDATE saga_actions SET due_at = CAST(unixepoch('subsec') * 1000000 AS INTEGER), lease_token = NULL WHERE order_id = $1",
);

/// Stores the intent. With a token it is leased to the caller at once.
pub(super) async fn start(
    tx: &mut Transaction,
    order: Uuid,
    action: Action,
    token: Option<Uuid>,
    lease: Duration,
) -> Result<(), sqlx::Error> {
    let (attempts, due_in) = if token.is_some() { (1_i64, micros(lease)) } else { (0, 0) };
    sqlx::query(tx.sql(START))
        .bind(order.to_string())
        .bind(action.name())
        .bind(attempts)
        .bind(due_in)
        .bind(token.map(|token| token.to_string()))
        .execute(tx.connection())
        .await
        .map(drop)
}

/// Forgets the intent.
pub(super) async fn finish(tx: &mut Transaction, order: Uuid, action: Action) -> Result<(), sqlx::Error> {
    sqlx::query(tx.sql(FINISH))
        .bind(order.to_string())
        .bind(action.name())
        .execute(tx.connection())
        .await
        .map(drop)
}

async fn postpone(tx: &mut Transaction, claim: &Claim, retry: &Retry) -> Result<u64, sqlx::Error> {
    let postponed = sqlx::query(tx.sql(POSTPONE))
        .bind(claim.order.to_string())
        .bind(claim.action.name())
        .bind(claim.token.to_string())
        .bind(micros(retry.after))
        .bind(retry.error.as_str())
        .execute(tx.connection())
        .await?;
    Ok(touched(&postponed))
}

async fn is_held(tx: &mut Transaction, claim: &Claim) -> Result<bool, sqlx::Error> {
    let held = sqlx::query(tx.sql(HOLD))
        .bind(claim.order.to_string())
        .bind(claim.action.name())
        .bind(claim.token.to_string())
        .fetch_optional(tx.connection())
        .await?;
    Ok(held.is_some())
}

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

    /// Gives the saga the answer of a call. If it still wants the call made, that is tried again after `again`.
    pub async fn settle(
        &self,
        claim: &Claim,
        input: &Input,
        again: &Retry,
        cause: &Cause,
    ) -> Result<Settled, ApplyError> {
        let mut tx = self.db.begin().await?;
        let locked = lock(&mut tx, claim.order).await?;
        if !is_held(&mut tx, claim).await? {
            return Ok(Settled::LeaseLost);
        }
        let applied = self.apply_locked(&mut tx, locked, input, cause).await?;
        if applied.order.saga.outstanding.contains(&claim.action) {
            postpone(&mut tx, claim, again).await?;
        }
        tx.commit().await?;
        self.ring(&applied);
        Ok(Settled::Applied(Box::new(applied)))
    }

    /// Puts a call off that failed, and lets the saga know if it is told to.
    pub async fn retry(&self, claim: &Claim, retry: &Retry) -> Result<Settled, ApplyError> {
        let mut tx = self.db.begin().await?;
        let locked = lock(&mut tx, claim.order).await?;
        if postpone(&mut tx, claim, retry).await? == 0 {
            return Ok(Settled::LeaseLost);
        }
        let applied = if retry.tell {
            let Claim { action, attempts, .. } = *claim;
            let input = Input::ActionFailing { action, attempts, error: retry.error.clone() };
            self.apply_locked(&mut tx, locked, &input, &Cause::default()).await?
        } else {
            Applied::unchanged(locked.order)
        };
        tx.commit().await?;
        self.ring(&applied);
        Ok(Settled::Applied(Box::new(applied)))
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
        postpone(&mut tx, claim, retry).await?;
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
