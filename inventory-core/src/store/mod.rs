//! The store port: lock rows, call nothing, persist effects. Three adapters ship with the engine; a program may
//! bring its own and prove it with the conformance suite in [`conformance`].
//!
//! A batch goes through a [`Session`]: `begin` (fence, lock, read) → the pure decision → `persist` → `commit`.
//! Everything the rules need is in [`Locked`]; everything they decided is in [`Effects`].

use std::collections::{HashMap, HashSet};
use std::pin::Pin;
use std::time::Duration;

use async_trait::async_trait;

use crate::clock::Timestamp;
use crate::event::OutboxRow;
use crate::ids::{AdjustmentId, BatchId, CustomerId, Delivery, Note, OrderId, ProductId};
use crate::journal::{JournalEntry, ProductVersion};
use crate::product::Product;
use crate::quantity::{Quantity, Units};
use crate::reservation::{Reservation, Status};

/// A hash map for keys of our own making (ids), where flooding attacks do not matter because the store
/// bounds every batch.
pub type IdMap<K, V> = HashMap<K, V, rustc_hash::FxBuildHasher>;
/// The set to [`IdMap`].
pub type IdSet<K> = HashSet<K, rustc_hash::FxBuildHasher>;

/// Who else may change the rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sharing {
    /// Only this process: what it has read stays true, and refusals rest on it. (Not after a failover to a standby that lacks commits:
    /// until its next command the engine refuses by what was lost. It never oversells.)
    Exclusive,
    /// Other engines too: a final refusal needs a fresh read.
    Shared,
}

/// A durable ledger. All methods may be called concurrently.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Whether other engines may change the same rows.
    fn sharing(&self) -> Sharing;

    /// Opens the connection that batches go through. The writer keeps one and opens another after a loss.
    async fn open_session(&self) -> Result<Box<dyn Session>, StoreError>;

    /// Settles the outcome of a batch whose COMMIT got no answer, for good: after `Aborted` the batch can never
    /// take effect any more. `backend` is what [`Session::backend`] said of the lost session.
    async fn resolve(&self, batch: BatchId, backend: Backend) -> Result<Resolution, StoreError>;

    /// Products as they are, and which of `orders` are known, in one round trip. Unknown products are absent.
    async fn read(&self, products: &[ProductId], orders: &[OrderId]) -> Result<Read, StoreError>;

    /// One reservation, and the store's time.
    async fn reservation(&self, order: OrderId) -> Result<(Timestamp, Option<Reservation>), StoreError>;

    /// Known orders after `after` in key order, and when those that are held end. For an exclusive store's start.
    async fn orders_after(&self, after: Option<OrderId>, limit: usize) -> Result<OrdersPage, StoreError>;

    /// Holds whose time has been over for at least `grace`, earliest first, up to `limit`. Starts at a durable
    /// low watermark, which it may move forward, so that history is never scanned again.
    async fn due(&self, grace: Duration, limit: usize) -> Result<Due, StoreError>;

    /// Open holds on a product, earliest end first.
    async fn holds_on(&self, product: ProductId, limit: usize) -> Result<Vec<HoldOn>, StoreError>;

    /// Versions of a product from `from_version` on, oldest first, up to `limit` versions.
    async fn history(
        &self,
        product: ProductId,
        from_version: u64,
        limit: usize,
    ) -> Result<Vec<ProductVersion>, StoreError>;

    /// Removes what is older than the retention says, a bounded piece at a time; says what it removed.
    /// Called again while `more` is true.
    async fn prune(&self, retention: &Retention) -> Result<Pruned, StoreError>;

    /// A consistent view of everything, for the audit. Rows come sorted, a page at a time.
    async fn snapshot(&self) -> Result<Box<dyn audit_rows::Snapshot>, StoreError>;
}

/// One connection with at most one open transaction. Never cancelled inside one: the writer drives every
/// future to its end.
#[async_trait]
pub trait Session: Send {
    /// What [`Store::resolve`] needs to find this session again from outside.
    fn backend(&self) -> Backend;

    /// Begins a transaction, writes the batch's fence first, locks the footprint's products in product order
    /// and reads what the rules need, as it is under the locks. On error the transaction is gone.
    ///
    /// Reservations, which say what to lock, may be told as they were a moment before: then `persist` or `commit` makes sure of them. Products, and the
    /// time, may be told as this session remembers them, with nothing locked or written yet: then `persist` or `commit` locks first and makes
    /// sure of all of it, that `batch` is new too. The time told is never before this call, nor after the COMMIT.
    async fn begin(&mut self, batch: BatchId, footprint: &Footprint) -> Result<Locked, StoreError>;

    /// Writes the effects, if there are any, and makes sure that every reservation that `begin` told is still what it was:
    /// a batch's answers, refusals too, rest on all of them. If not, [`StoreErrorKind::Conflict`]: nothing was decided, try
    /// again. On error the transaction is gone. Of effects that are not empty, `commit` may do all of that.
    async fn persist(&mut self, effects: &Effects) -> Result<(), StoreError>;

    /// Makes it durable. `Err(CommitFailure::Unknown)` for anything but a matching answer or a definite error; among the definite ones
    /// [`StoreErrorKind::Conflict`], if what `begin` told is no longer so.
    async fn commit(&mut self) -> Result<(), CommitFailure>;

    /// As [`Self::commit`]. A store that is able to begin the next batch on what this one leaves, without asking anyone, does `look` while
    /// it waits for its disk. Nothing depends on it; a session around another one should pass it on.
    async fn commit_looking_ahead(&mut self, look: LookAhead<'_>) -> Result<(), CommitFailure> {
        drop(look);
        self.commit().await
    }

    /// Gives the transaction up. A batch without effects is persisted too before its answers are given.
    async fn rollback(&mut self) -> Result<(), StoreError>;
}

/// What is to be done while a store is busy with COMMIT.
pub struct LookAhead<'a> {
    /// Completes once it can be done. It is not waited for when the COMMIT is over.
    pub when: Pin<Box<dyn Future<Output = ()> + Send + 'a>>,
    /// Does it.
    pub what: Look<'a>,
}

/// A session that is busy with the COMMIT of one batch, to begin the next.
pub trait Ahead {
    /// As [`Session::begin`], as if the COMMIT had succeeded. If it does, the batch is open afterwards; if not, it never was. None: it has to
    /// be begun when the COMMIT is over.
    fn begin(&mut self, batch: BatchId, footprint: &Footprint) -> Option<Locked>;

    /// The effects that [`Session::persist`] will be called with, unless the COMMIT fails. A store may prepare what it will send.
    fn prepare(&mut self, effects: &Effects);
}

/// What is done with a session that is busy.
pub type Look<'a> = Box<dyn FnOnce(&mut dyn Ahead) + Send + 'a>;

impl<'a> LookAhead<'a> {
    /// At once.
    pub fn now(what: impl FnOnce(&mut dyn Ahead) + Send + 'a) -> Self {
        Self { when: Box::pin(std::future::ready(())), what: Box::new(what) }
    }

    /// There is nothing to be done.
    pub fn nothing() -> Self {
        Self { when: Box::pin(std::future::pending()), what: Box::new(|_| {}) }
    }
}

/// What a batch concerns, known before anything is locked. All lists sorted and without duplicates.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Footprint {
    /// Products that commands name. Those of `orders` are added by the store.
    pub products: Vec<ProductId>,
    /// The orders whose reservations are read. A reserve that nobody suspects of being a repeat is not among them: its key
    /// arbitrates, and a duplicate key is [`StoreErrorKind::Conflict`], answered by trying again with every order.
    pub orders: Vec<OrderId>,
    /// Adjustment ids concerned.
    pub adjustments: Vec<AdjustmentId>,
    /// Customers that reserves name. Those of the reservations that are read count too.
    pub customers: Vec<CustomerId>,
    /// Deliveries that commands carry.
    pub deliveries: Vec<Delivery>,
    /// Do not wait for rows that others hold: lock what can be locked, name the rest in [`Locked::skipped`].
    pub skip_locked: bool,
}

/// What `begin` locked and read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Locked {
    /// The store's time: read after the locks, or, by a session that has not locked yet, bounded by when it asked last.
    pub now: Timestamp,
    /// The locked products that exist.
    pub products: IdMap<ProductId, Product>,
    /// Those of the footprint's orders that exist.
    pub reservations: IdMap<OrderId, Reservation>,
    /// The adjustments that exist.
    pub adjustments: IdMap<AdjustmentId, Adjustment>,
    /// What customers hold and have bought of limited products. Absent means nothing.
    pub customer_units: IdMap<(CustomerId, ProductId), Units>,
    /// The deliveries that were handled before.
    pub delivered: IdSet<Delivery>,
    /// With `skip_locked`: products that exist and that someone else holds. Sorted.
    pub skipped: Vec<ProductId>,
}

impl Locked {
    /// Nothing yet, at this time.
    pub fn nothing(now: Timestamp) -> Self {
        Self {
            now,
            products: IdMap::default(),
            reservations: IdMap::default(),
            adjustments: IdMap::default(),
            customer_units: IdMap::default(),
            delivered: IdSet::default(),
            skipped: Vec::new(),
        }
    }
}

/// What a batch writes. Everything in it is in the order in which it was decided or sorted by key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Effects {
    /// Rows that did not exist; a duplicate key is [`StoreErrorKind::Conflict`]. Final state within the batch.
    pub created: Vec<Reservation>,
    /// Rows that did, and the status each had: the guard that the store checks.
    pub changed: Vec<(Status, Reservation)>,
    /// Products, sorted.
    pub products: Vec<ProductEffect>,
    /// New adjustments.
    pub adjustments: Vec<Adjustment>,
    /// What customers hold and have bought now; zero removes the row. Sorted.
    pub customer_units: Vec<(CustomerId, ProductId, Units)>,
    /// Deliveries handled.
    pub deliveries: Vec<Delivery>,
    /// Events, in the order decided.
    pub outbox: Vec<OutboxRow>,
    /// The batch's journal entry.
    pub journal: JournalEntry,
}

impl Effects {
    /// Of a batch that changes nothing.
    pub fn none(batch: BatchId, at: Timestamp) -> Self {
        Self {
            created: Vec::new(),
            changed: Vec::new(),
            products: Vec::new(),
            adjustments: Vec::new(),
            customer_units: Vec::new(),
            deliveries: Vec::new(),
            outbox: Vec::new(),
            journal: JournalEntry { batch, at, commands: Vec::new(), products: Vec::new() },
        }
    }

    /// Whether there is nothing to persist: a batch of replays and refusals is rolled back.
    pub fn is_empty(&self) -> bool {
        self.created.is_empty()
            && self.changed.is_empty()
            && self.products.is_empty()
            && self.adjustments.is_empty()
            && self.customer_units.is_empty()
            && self.deliveries.is_empty()
            && self.outbox.is_empty()
    }

    /// Whether nothing is written but the stock of products that exist, reservations, and the journal.
    pub fn are_of_stock_and_holds(&self) -> bool {
        self.products.iter().all(|product| product.stock_only && product.version_before.is_some())
            && self.adjustments.is_empty()
            && self.customer_units.is_empty()
            && self.deliveries.is_empty()
            && self.outbox.is_empty()
    }
}

/// A product's row after the batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProductEffect {
    /// The version it had: the guard. `None` when the batch creates it.
    pub version_before: Option<u64>,
    /// Whether only `on_hand`, `held`, `version`, `alert` and `last_batch` differ: the common case.
    pub stock_only: bool,
    /// The row.
    pub after: Product,
}

/// A keyed change of a product's stock.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Adjustment {
    /// The key.
    pub id: AdjustmentId,
    /// The product.
    pub product: ProductId,
    /// The change.
    pub delta: Units,
    /// Why.
    pub reason: Note,
    /// A delivery note, a ticket.
    pub reference: Option<Note>,
    /// When.
    pub at: Timestamp,
    /// The product's version after it.
    pub version: u64,
}

/// Where a session lives in the store's server; opaque to the engine.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Backend {
    /// The server's process, if the store has one.
    pub pid: Option<i32>,
    /// When that process started: with the pid, its identity.
    pub started_at: Option<Timestamp>,
}

/// How an unknown COMMIT turned out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Resolution {
    /// It took effect.
    Committed,
    /// It did not, and never will.
    Aborted,
}

/// The answer to [`Store::read`].
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Read {
    /// The products that exist.
    pub products: Vec<Product>,
    /// The orders that exist, sorted.
    pub known_orders: Vec<OrderId>,
}

/// One page of [`Store::orders_after`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OrdersPage {
    /// The store's time.
    pub now: Timestamp,
    /// Orders in key order, and when each ends if it is held.
    pub orders: Vec<(OrderId, Option<Timestamp>)>,
}

/// The answer to [`Store::due`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Due {
    /// The store's time.
    pub now: Timestamp,
    /// Orders, earliest end first.
    pub orders: Vec<OrderId>,
}

/// One open hold on a product.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HoldOn {
    /// Whose.
    pub order: OrderId,
    /// How many.
    pub quantity: Quantity,
    /// Until when.
    pub expires_at: Timestamp,
}

/// How long ended things are kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Retention {
    /// Reservations that ended (tombstones too) longer ago than this go.
    pub reservations: Duration,
    /// Journal entries older than this go, except the last one of each product, which stays as its checkpoint (whole or cut down
    /// to it).
    /// Never shorter than `reservations`.
    pub journal: Duration,
    /// Fences older than this go; far longer than any outcome can stay unknown.
    pub fences: Duration,
    /// Handled deliveries older than this go.
    pub deliveries: Duration,
    /// Rows removed in one call, at most.
    pub rows_max: usize,
}

/// What [`Store::prune`] removed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Pruned {
    /// Ended reservations.
    pub reservations: u64,
    /// Journal entries.
    pub journal: u64,
    /// Fences.
    pub fences: u64,
    /// Deliveries.
    pub deliveries: u64,
    /// There may be more.
    pub more: bool,
}

/// What a store says went wrong, and what may be done about it.
#[derive(Debug, thiserror::Error)]
#[error("{kind:?}: {message}")]
pub struct StoreError {
    /// What may be done about it.
    pub kind: StoreErrorKind,
    /// What the store said, for people.
    pub message: String,
    /// The driver's error.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What may be done about a store's error. In every case the transaction is gone and left no effect.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum StoreErrorKind {
    /// Deadlock, serialisation failure: try again with jitter.
    Transient,
    /// Someone else holds a row: try again with `skip_locked`.
    LockTimeout,
    /// A key that the batch wanted to insert exists, or a guard saw another state: read and decide again.
    Conflict,
    /// A command's data is not acceptable: split the batch until it stands alone.
    Data,
    /// Out of disk, memory or connections: refuse new work.
    Full,
    /// The connection is gone or cannot be made: open another.
    Unavailable,
    /// The schema or the rights are not what the adapter expects: a mistake of set-up.
    Misconfigured,
    /// Rows that cannot be understood: stop and look.
    Corrupt,
}

impl StoreError {
    /// An error without a driver's error behind it.
    pub fn new(kind: StoreErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }
}

/// How a COMMIT can fail.
#[derive(Debug, thiserror::Error)]
pub enum CommitFailure {
    /// It did not take effect.
    #[error(transparent)]
    Definite(#[from] StoreError),
    /// Nobody knows yet: [`Store::resolve`] will.
    #[error("no answer to COMMIT: {0}")]
    Unknown(String),
}

pub mod audit_rows;
pub mod conformance;
pub mod faults;
mod footprint;
#[cfg(feature = "sqlite")]
mod json;
pub mod ledger_copy;
pub mod memory;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "sqlite")]
pub mod sqlite;
