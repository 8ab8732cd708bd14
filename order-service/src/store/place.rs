//! Placing an order: the caller's key, the order, its lines, and the first step of its saga, in one transaction.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::advance;
use super::apply::{ApplyError, Cause};
use super::batch::{Change, Facts, Key, Need, Writes};
use super::key::Taken;
use super::{Order, Placement, Store, StoreOptions};
use crate::saga::{self, Action};

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

/// A placement on its way, under the id that its order will have.
struct Place {
    id: Uuid,
    payment_id: Uuid,
    token: Uuid,
    placement: Placement,
}

impl Change for Place {
    type Answer = Placed;

    fn need(&self) -> Need {
        let Placement { user_id, key, fingerprint, .. } = &self.placement;
        let (user, key, fingerprint) = (user_id.clone(), key.clone(), fingerprint.clone());
        Need { key: Some(Key { user, key, fingerprint, order: self.id }), ..Need::default() }
    }

    fn decide(
        &self,
        facts: &Facts,
        options: &StoreOptions,
        writes: &mut Writes,
    ) -> Result<Placed, ApplyError> {
        let placement = &self.placement;
        match facts.key(&placement.user_id, &placement.key) {
            Some(Taken::Theirs { fingerprint, order }) if *fingerprint == placement.fingerprint => {
                Ok(Placed::Replayed(*order))
            }
            Some(Taken::Theirs { order, .. }) => Ok(Placed::Conflict(*order)),
            Some(Taken::Mine) => self.begin(facts.now(), options, writes),
            // Every key that is wanted is somebody's.
            None => Err(ApplyError::Sql(sqlx::Error::RowNotFound)),
        }
    }
}

impl Place {
    fn begin(
        &self,
        now: DateTime<Utc>,
        options: &StoreOptions,
        writes: &mut Writes,
    ) -> Result<Placed, ApplyError> {
        let begun = saga::begin(options.mode);
        let is_mine = begun.saga.outstanding.contains(&Action::ReserveInventory);
        let token = is_mine.then_some(self.token);
        let placement = &self.placement;
        let order = Order {
            id: self.id,
            user_id: placement.user_id.clone(),
            items: placement.items.clone(),
            total: placement.total,
            payment_id: self.payment_id,
            payment_method: placement.payment_method.clone(),
            traceparent: placement.traceparent.clone(),
            saga: begun.saga.clone(),
            created_at: now,
            updated_at: now,
        };
        let cause = Cause { id: placement.request_id.clone(), traceparent: None };
        advance::begin(&order, &begun, &cause, options, token, writes)?;
        Ok(Placed::New { order: Box::new(order), token })
    }
}

impl Store {
    /// Places an order.
    pub async fn place(&self, placement: &Placement) -> Result<Placed, ApplyError> {
        let (id, payment_id, token) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::new_v4());
        self.change(Place { id, payment_id, token, placement: placement.clone() }).await
    }
}
