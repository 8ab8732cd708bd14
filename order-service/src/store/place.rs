//! Placing an order: the caller's key, the order, its lines, and the first step of its saga, in one transaction.

use service_kit::sql::{Sql, Transaction};
use uuid::Uuid;

use super::apply::{ApplyError, Cause};
use super::apply_effects::{Writing, write};
use super::key::{self, Taken};
use super::row::name_of;
use super::{Order, Placement, Store};
use crate::saga::{Action, begin};

/// What became of a placement.
#[derive(Clone, PartialEq, Debug)]
pub enum Placed {
    /// It is new. With a token, the caller makes the reserve itself and settles it under the token.
    New {
        /// The order.
        order: Box<Order>,
        /// The lease on the reserve.
        token: Option<Uuid>,
    },
    /// The same key and body came before: that order.
    Replayed(Uuid),
    /// The key came before with another body.
    Conflict(Uuid),
}

const INSERT_ORDER: Sql = Sql::each(
    "INSERT INTO orders (order_id, user_id, total_amount, status, payment_status, payment_id, payment_method, reason, \
            traceparent, saga_phase, saga_version, saga_definition, saga, created_at, updated_at) \
     VALUES ($1::uuid, $2, $3::numeric, $4::order_status, $5, $6::uuid, $7, $8, $9, $10, $11, $12, $13::jsonb, \
             timestamptz 'epoch' + $14 * interval '1 microsecond', timestamptz 'epoch' + $14 * interval '1 microsecond')",
    "INSERT INTO orders (order_id, user_id, total_amount, status, payment_status, payment_id, payment_method, reason, \
            traceparent, saga_phase, saga_version, saga_definition, saga, created_at, updated_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14)",
);
// All lines in one statement.
const INSERT_ITEMS: Sql = Sql::each(
    "INSERT INTO order_items (order_id, line, product_id, quantity, unit_price) \
     SELECT $1::uuid, l.n, (l.value->>'productId')::bigint, (l.value->>'quantity')::integer, (l.value->>'unitPrice')::numeric \
     FROM jsonb_array_elements($2::jsonb) WITH ORDINALITY AS l (value, n)",
    "INSERT INTO order_items (order_id, line, product_id, quantity, unit_price) \
     SELECT $1, l.key + 1, l.value->>'productId', l.value->>'quantity', l.value->>'unitPrice' FROM json_each($2) AS l",
);

impl Store {
    /// Places an order. Run it in a task that nobody drops.
    pub async fn place(&self, placement: &Placement) -> Result<Placed, ApplyError> {
        loop {
            let mut tx = self.db.begin().await?;
            let id = Uuid::now_v7();
            let Placement { user_id, key, fingerprint, .. } = placement;
            match key::take(&mut tx, user_id, key, fingerprint, id).await? {
                Taken::Gone => {}
                Taken::Theirs { fingerprint: theirs, order } => {
                    return Ok(if theirs == *fingerprint {
                        Placed::Replayed(order)
                    } else {
                        Placed::Conflict(order)
                    });
                }
                Taken::Mine => {
                    let (order, token) = self.insert(&mut tx, id, placement).await?;
                    tx.commit().await?;
                    self.outbox.notify_one();
                    if token.is_none() {
                        self.work.notify_one();
                    }
                    return Ok(Placed::New { order: Box::new(order), token });
                }
            }
        }
    }

    async fn insert(
        &self,
        tx: &mut Transaction,
        id: Uuid,
        placement: &Placement,
    ) -> Result<(Order, Option<Uuid>), sqlx::Error> {
        let now = tx.now().await?;
        let begun = begin(self.options.mode);
        let is_mine = begun.saga.outstanding.contains(&Action::ReserveInventory);
        let token = is_mine.then(Uuid::new_v4);
        let order = Order {
            id,
            user_id: placement.user_id.clone(),
            items: placement.items.clone(),
            total: placement.total,
            payment_id: Uuid::now_v7(),
            payment_method: placement.payment_method.clone(),
            traceparent: placement.traceparent.clone(),
            saga: begun.saga,
            created_at: now,
            updated_at: now,
        };
        insert_rows(tx, &order).await?;
        let writing = Writing {
            came: None,
            cause: &Cause { id: placement.request_id.clone(), traceparent: None },
            at: now,
            options: &self.options,
            leased: token.map(|token| (Action::ReserveInventory, token)),
        };
        write(tx, &order, &begun.effects, &writing).await?;
        Ok((order, token))
    }
}

async fn insert_rows(tx: &mut Transaction, order: &Order) -> Result<(), sqlx::Error> {
    let encode = |error: serde_json::Error| sqlx::Error::Encode(error.into());
    let (saga, items) = (serde_json::to_string(&order.saga), serde_json::to_string(&order.items));
    sqlx::query(tx.sql(INSERT_ORDER))
        .bind(order.id.to_string())
        .bind(order.user_id.as_str())
        .bind(order.total.to_string())
        .bind(name_of(&order.saga.status))
        .bind(name_of(&order.saga.payment))
        .bind(order.payment_id.to_string())
        .bind(order.payment_method.as_str())
        .bind(order.saga.reason.as_deref())
        .bind(order.traceparent.as_deref())
        .bind(name_of(&order.saga.phase))
        .bind(i64::try_from(order.saga.version).unwrap_or(i64::MAX))
        .bind(i64::from(order.saga.definition))
        .bind(saga.map_err(encode)?)
        .bind(order.created_at.timestamp_micros())
        .execute(tx.connection())
        .await?;
    sqlx::query(tx.sql(INSERT_ITEMS))
        .bind(order.id.to_string())
        .bind(items.map_err(encode)?)
        .execute(tx.connection())
        .await?;
    Ok(())
}
