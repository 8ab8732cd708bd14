//! The engine: admit on counters, submit to the writer, settle or give back. Skeleton: signatures first.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::command::{Adjust, SetStock};
use crate::error::{AdjustError, CommitError, ExtendError, Failure, ReleaseError, ReserveError, SetError};
use crate::event::EventEncoder;
use crate::ids::{CustomerId, Delivery, Note, OrderId, ProductId};
use crate::journal::ProductVersion;
use crate::lines::Lines;
use crate::options::{EngineOptions, InvalidOptions};
use crate::outcome::{Adjusted, Reserved, StockSet};
use crate::product::Product;
use crate::reservation::Reservation;
use crate::store::{HoldOn, Store};

/// A reservation engine over one store. Cheap to clone; clones are the same engine.
#[derive(Clone)]
pub struct Engine {}

/// What to reserve.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReserveRequest {
    /// The order; the idempotency key.
    pub order: OrderId,
    /// What to hold.
    pub lines: Lines,
    /// Who buys.
    pub customer: Option<CustomerId>,
    /// How long; the engine's `hold_ttl` if none. The caller checks it against `hold_ttl_max`.
    pub ttl: Option<Duration>,
}

/// Why an engine did not start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The options do not make sense.
    #[error("invalid options: {0}")]
    Options(#[from] InvalidOptions),
    /// The store could not be read.
    #[error("the store could not be opened: {0}")]
    Store(#[from] crate::store::StoreError),
}

/// What the engine has done so far, and how full it is. Counts are since the start.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    /// Batches committed.
    pub batches: u64,
    /// Commands in committed batches.
    pub commands: u64,
    /// Reserves refused from memory.
    pub refused_in_memory: u64,
    /// Reserves that waited for a take in flight.
    pub contended: u64,
    /// Requests refused because a queue was full.
    pub overloaded: u64,
    /// Batches tried again.
    pub retries: u64,
    /// Commits whose outcome was unknown for a while.
    pub unknown_commits: u64,
    /// Holds ended by the sweeper.
    pub expired: u64,
    /// Commands waiting for the writer now.
    pub queued: u64,
    /// Products in memory.
    pub products_loaded: u64,
    /// Products whose counter is striped.
    pub products_striped: u64,
}

impl Engine {
    /// Opens an engine over a store whose schema is up to date, and starts its writer and sweeper on the present
    /// tokio runtime.
    pub async fn open(
        _store: Arc<dyn Store>,
        _encoder: Arc<dyn EventEncoder>,
        options: EngineOptions,
    ) -> Result<Self, OpenError> {
        options.validate()?;
        Ok(Self {})
    }

    /// Holds stock for an order: all lines or none.
    pub async fn reserve(&self, _request: ReserveRequest) -> Result<Reserved, ReserveError> {
        Err(Failure::Stopped.into())
    }

    /// Turns a hold into a permanent deduction; with `items` these quantities only, and the rest is released.
    pub async fn commit(
        &self,
        _order: OrderId,
        _items: Option<Lines>,
        _delivery: Option<Delivery>,
    ) -> Result<Reservation, CommitError> {
        Err(Failure::Stopped.into())
    }

    /// Gives stock back; with `items` these quantities only. Of an unknown order: leaves a tombstone.
    pub async fn release(
        &self,
        _order: OrderId,
        _items: Option<Lines>,
        _reason: Option<Note>,
        _delivery: Option<Delivery>,
    ) -> Result<Reservation, ReleaseError> {
        Err(Failure::Stopped.into())
    }

    /// Makes a hold last at least `ttl` from now.
    pub async fn extend(&self, _order: OrderId, _ttl: Duration) -> Result<Reservation, ExtendError> {
        Err(Failure::Stopped.into())
    }

    /// Changes a product's stock by a keyed delta.
    pub async fn adjust(&self, _adjust: Adjust) -> Result<Adjusted, AdjustError> {
        Err(Failure::Stopped.into())
    }

    /// Creates a product or sets its stock and settings.
    pub async fn set(&self, _set: SetStock) -> Result<StockSet, SetError> {
        Err(Failure::Stopped.into())
    }

    /// As [`Engine::set`], for bulk import. Call many at once: they share batches.
    pub async fn import(&self, _row: SetStock) -> Result<StockSet, SetError> {
        Err(Failure::Stopped.into())
    }

    /// Products as the store has them now; unknown ones are absent.
    pub async fn products(&self, _products: &[ProductId]) -> Result<Vec<Product>, Failure> {
        Err(Failure::Stopped)
    }

    /// One reservation and the store's time (to judge [`Reservation::standing`] by).
    pub async fn reservation(&self, _order: OrderId) -> Result<(Timestamp, Option<Reservation>), Failure> {
        Err(Failure::Stopped)
    }

    /// Open holds on a product, earliest end first.
    pub async fn holds_on(&self, _product: ProductId, _limit: usize) -> Result<Vec<HoldOn>, Failure> {
        Err(Failure::Stopped)
    }

    /// Versions of a product from `from_version` on, oldest first.
    pub async fn history(
        &self,
        _product: ProductId,
        _from_version: u64,
        _limit: usize,
    ) -> Result<Vec<ProductVersion>, Failure> {
        Err(Failure::Stopped)
    }

    /// What the engine has done so far.
    pub fn stats(&self) -> Stats {
        Stats::default()
    }

    /// Whether the store answered the writer's last try.
    pub fn is_ready(&self) -> bool {
        false
    }

    /// Completes when the engine has stopped by itself: its writer failed for good. The process should end then.
    pub async fn failed(&self) {
        std::future::pending().await
    }

    /// Takes no more requests, finishes what it took, stops its tasks.
    pub async fn shutdown(&self) {}
}
