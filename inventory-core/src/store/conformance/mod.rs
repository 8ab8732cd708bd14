//! What every store must do, as cases that anyone may run on a store of their own.
//!
//! The cases drive the port alone: they write effects made by hand, and judge what comes back. A case panics
//! with what went wrong. Each gets a fresh, empty store. [`scripts`] are drawn from a seed instead, and tell whether
//! two stores are alike in everything that an engine could see.
//!
//! ```no_run
//! # use inventory_core::store::conformance::{run_all, StoreFactory};
//! # async fn my_store_conforms(mine: &dyn StoreFactory) {
//! run_all(mine).await;
//! # }
//! ```

mod draft;
mod fences;
mod guards;
mod keyed;
mod locking;
mod pruning;
mod reads;
mod round_trips;
pub mod scripts;
mod transactions;

use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;

use super::Store;
use crate::event::OutboxRow;

/// Makes stores to be proven.
#[async_trait]
pub trait StoreFactory: Send + Sync {
    /// A fresh store without a row in it.
    async fn fresh(&self) -> Box<dyn Subject>;

    /// Whether [`Store::resolve`] settles a batch whose session is still open, as a server does by ending that
    /// session. Where the session lives in this process, it is dropped first.
    fn resolves_open_sessions(&self) -> bool {
        false
    }
}

/// A store under proof. Dropping it may remove its data.
#[async_trait]
pub trait Subject: Send + Sync {
    /// The store.
    fn store(&self) -> Arc<dyn Store>;

    /// Every event written so far, in order, read past the port.
    async fn outbox(&self) -> Vec<OutboxRow>;

    /// The same data opened by another store, as after a restart; none if the data is gone with the store.
    /// No session and no other handle of the old store is left when this is called.
    async fn reopen(self: Box<Self>) -> Option<Box<dyn Subject>>;
}

/// A running case.
pub type Running<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;
/// A case, to be given a factory.
pub type Case = for<'a> fn(&'a dyn StoreFactory) -> Running<'a>;

/// Every case and its name.
pub const CASES: &[(&str, Case)] = &[
    ("a committed batch resolves as committed", |f| Box::pin(fences::committed(f))),
    ("a batch that never ran resolves as aborted and can never run", |f| Box::pin(fences::never_ran(f))),
    ("a batch that was rolled back resolves as aborted", |f| Box::pin(fences::rolled_back(f))),
    ("a batch whose session was lost resolves as aborted", |f| Box::pin(fences::session_lost(f))),
    ("a COMMIT that comes after its batch was resolved as aborted fails", |f| {
        Box::pin(fences::late_commit(f))
    }),
    ("a batch id is used once", |f| Box::pin(fences::used_twice(f))),
    ("a batch without effects may commit", |f| Box::pin(fences::without_effects(f))),
    ("a batch sees what an earlier one wrote", |f| Box::pin(transactions::sees_earlier(f))),
    ("a rollback leaves nothing", |f| Box::pin(transactions::rollback(f))),
    ("a dropped session leaves nothing and blocks nobody", |f| Box::pin(transactions::dropped(f))),
    ("a session is usable after an error", |f| Box::pin(transactions::usable_after_error(f))),
    ("a batch waits for another that changes its products", |f| Box::pin(transactions::waits(f))),
    ("a batch that was begun ahead rests on what the one before has left", |f| {
        Box::pin(transactions::begun_ahead(f))
    }),
    ("a batch that was begun ahead of a failure never was", |f| Box::pin(transactions::ahead_of_failure(f))),
    ("one that was begun ahead and given up changes nothing of what others are told", |f| {
        Box::pin(transactions::given_up_ahead(f))
    }),
    ("i9: no batch rests on a reservation that another has changed", |f| Box::pin(transactions::i9_told(f))),
    ("the store's time never goes back", |f| Box::pin(transactions::time(f))),
    ("what was committed is there after a restart", |f| Box::pin(transactions::durable(f))),
    ("an order that exists is not created again", |f| Box::pin(guards::duplicate_order(f))),
    ("a reservation changes only from the status that was read", |f| Box::pin(guards::status(f))),
    ("a product changes only from the version that was read", |f| Box::pin(guards::version(f))),
    ("a product is created once", |f| Box::pin(guards::duplicate_product(f))),
    ("an adjustment is written once", |f| Box::pin(guards::duplicate_adjustment(f))),
    ("a delivery is handled once", |f| Box::pin(guards::duplicate_delivery(f))),
    ("i1: a product is never oversold, whatever the effects say", |f| Box::pin(guards::i1_oversold(f))),
    ("a product comes back as it was written", |f| Box::pin(round_trips::products(f))),
    ("a reservation comes back as it was created", |f| Box::pin(round_trips::created(f))),
    ("a reservation comes back as it was changed", |f| Box::pin(round_trips::changed(f))),
    ("a large batch comes back as it was written", |f| Box::pin(round_trips::large_batch(f))),
    ("an event comes out as it was written", |f| Box::pin(round_trips::outbox(f))),
    ("an adjustment comes back as it was written", |f| Box::pin(keyed::adjustments(f))),
    ("a delivery is known once it was handled", |f| Box::pin(keyed::deliveries(f))),
    ("customers' units are kept until they are zero", |f| Box::pin(keyed::customer_units(f))),
    ("a batch of reserves reads no orders", |f| Box::pin(locking::without_orders(f))),
    ("a batch locks the products of its orders", |f| Box::pin(locking::products_of_orders(f))),
    ("the customers of the orders read count too", |f| Box::pin(locking::customers_of_orders(f))),
    ("nothing is skipped where nobody else holds a row", |f| Box::pin(locking::skip_locked(f))),
    ("what does not exist is absent", |f| Box::pin(reads::absent(f))),
    ("products and known orders are read together", |f| Box::pin(reads::products_and_orders(f))),
    ("orders are paged in key order", |f| Box::pin(reads::orders_after(f))),
    ("i8: holds are due once their time and the grace are over", |f| Box::pin(reads::i8_due(f))),
    ("open holds on a product come in the order in which they end", |f| Box::pin(reads::holds_on(f))),
    ("a product's history has its own changes only", |f| Box::pin(reads::history(f))),
    ("pruning keeps what is young or open", |f| Box::pin(pruning::keeps(f))),
    ("pruning removes what ended, a bounded piece at a time", |f| Box::pin(pruning::removes(f))),
    ("pruning leaves each product its last version", |f| Box::pin(pruning::checkpoints(f))),
];

/// Runs every case, one after the other.
pub async fn run_all(make: &dyn StoreFactory) {
    for (name, case) in CASES {
        tracing::info!("{name}");
        case(make).await;
    }
}
