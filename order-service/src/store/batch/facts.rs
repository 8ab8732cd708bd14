//! What a batch is decided on: read under locks, each kind by one statement.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use service_kit::events::inbox;
use service_kit::sql::{Transaction, id, json};
use uuid::Uuid;

use super::change::Need;
use crate::saga::Action;
use crate::store::hear::GROUP;
use crate::store::key::{self, Taken};
use crate::store::row::{self, RowError};
use crate::store::{ApplyError, Order, actions, payments, timers};

/// What a batch is decided on.
pub(in crate::store) struct Facts {
    /// The database's clock.
    now: DateTime<Utc>,
    orders: HashMap<Uuid, Result<Order, RowError>>,
    leases: HashMap<(Uuid, String), String>,
    timers: HashMap<Uuid, u64>,
    keys: HashMap<(String, String), Taken>,
    given_back: HashSet<Uuid>,
    new_messages: HashSet<String>,
    new_money: HashSet<(Uuid, String)>,
}

impl Facts {
    /// Keys first, then orders by their ids, then what belongs to them: whoever waits for another, waits in this order.
    pub(super) async fn gather(tx: &mut Transaction, needs: &[&Need]) -> Result<Self, sqlx::Error> {
        let wanted: Vec<_> = needs.iter().filter_map(|need| need.key.as_ref()).collect();
        let keys = key::take(tx, &wanted).await?;
        let unused: Vec<Uuid> = needs.iter().filter_map(|need| need.given_back).collect();
        let given_back = key::give_back(tx, &unused).await?;
        let orders = lock(tx, needs.iter().filter_map(|need| need.order)).await?;
        let leased = needs.iter().filter(|need| need.leases).filter_map(|need| need.order);
        let leases = actions::leases(tx, leased).await?;
        let timed = needs.iter().filter(|need| need.timer).filter_map(|need| need.order);
        let timers = timers::versions(tx, timed).await?;
        let messages: Vec<_> = needs.iter().filter_map(|need| need.message.as_ref()).collect();
        let ids: Vec<&str> = messages.iter().map(|message| message.id.as_str()).collect();
        let new_messages = inbox::firsts(tx, GROUP, &ids).await?;
        let money: Vec<_> = messages.iter().filter_map(|message| message.money.as_ref()).collect();
        let new_money = payments::firsts(tx, &money).await?;
        let now = tx.now().await?;
        Ok(Self { now, orders, leases, timers, keys, given_back, new_messages, new_money })
    }

    /// The order under its lock, and the time: never behind what was written before, for a history does not go backwards when the
    /// clock does.
    pub(in crate::store) fn order(&self, id: Uuid) -> Result<(&Order, DateTime<Utc>), ApplyError> {
        match self.orders.get(&id) {
            None => Err(ApplyError::Unknown(id)),
            Some(Err(error)) => Err(error.clone().into()),
            Some(Ok(order)) => Ok((order, self.now.max(order.updated_at))),
        }
    }

    /// The database's clock, after every lock was had.
    pub(in crate::store) fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// Whether this token still holds the lease on the call.
    pub(in crate::store) fn holds_lease(&self, order: Uuid, action: Action, token: Uuid) -> bool {
        let held = self.leases.get(&(order, action.name().to_owned()));
        held.is_some_and(|held| *held == token.to_string())
    }

    /// The version that the order's timer was set at.
    pub(in crate::store) fn timer(&self, order: Uuid) -> Option<u64> {
        self.timers.get(&order).copied()
    }

    /// Whose key this is.
    pub(in crate::store) fn key(&self, user: &str, key: &str) -> Option<&Taken> {
        self.keys.get(&(user.to_owned(), key.to_owned()))
    }

    /// Whether the order's key was given back.
    pub(in crate::store) fn is_given_back(&self, order: Uuid) -> bool {
        self.given_back.contains(&order)
    }

    /// Whether the message came for the first time.
    pub(in crate::store) fn is_first(&self, message: &str) -> bool {
        self.new_messages.contains(message)
    }

    /// Whether this outcome of this payment is told for the first time.
    pub(in crate::store) fn is_news(&self, payment: Uuid, outcome: &str) -> bool {
        self.new_money.contains(&(payment, outcome.to_owned()))
    }
}

async fn lock(
    tx: &mut Transaction,
    orders: impl Iterator<Item = Uuid>,
) -> Result<HashMap<Uuid, Result<Order, RowError>>, sqlx::Error> {
    let orders: Vec<Uuid> = orders.collect();
    if orders.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query(tx.sql(row::LOCK)).bind(json(&orders)?).fetch_all(tx.connection()).await?;
    rows.iter().map(|found| Ok((id(found, "order_id")?, row::read(found)?))).collect()
}
