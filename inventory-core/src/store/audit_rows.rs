//! What the audit reads: every table as sorted streams of plain rows, a page at a time, a bounded piece at a time.
//!
//! Rows are *as stored*: numbers that the rules would never write (an unknown status, a negative quantity) must
//! arrive here, so that the audit can name them. An adapter sorts on its server and keeps one page in memory.

use async_trait::async_trait;
use uuid::Uuid;

use super::StoreError;
use crate::clock::Timestamp;
use crate::event::OutboxRow;
use crate::ids::{BatchId, OrderId, ProductId};

/// A part of the ledger that is read in one consistent view. Bounds are inclusive unless they are called `before`.
/// The pieces of one kind, taken together, cover every key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Piece {
    /// Products: streams `products`, `held`, `versions`, `effects`, `customer_units`, `customer_lines`.
    Products {
        /// The first.
        from: ProductId,
        /// The last.
        through: ProductId,
    },
    /// Orders: streams `reservations` and `command_lines`.
    Orders {
        /// The first.
        from: Uuid,
        /// The last.
        through: Uuid,
    },
    /// Batches: streams `batches`, `fences` and `events`.
    Batches {
        /// The first.
        from: Uuid,
        /// The last.
        through: Uuid,
    },
    /// Adjustments by id: streams `adjustments` and `adjusts`.
    Adjustments {
        /// The first.
        from: String,
        /// The first beyond; none for the last piece.
        before: Option<String>,
    },
    /// Deliveries by message: streams `inbox` and `deliveries`.
    Deliveries {
        /// The first.
        from: String,
        /// The first beyond; none for the last piece.
        before: Option<String>,
    },
}

impl Piece {
    /// One piece of each kind that covers every key.
    pub fn whole() -> Vec<Self> {
        vec![
            Self::Products { from: ProductId::new(i64::MIN), through: ProductId::new(i64::MAX) },
            Self::Orders { from: Uuid::nil(), through: Uuid::max() },
            Self::Batches { from: Uuid::nil(), through: Uuid::max() },
            Self::Adjustments { from: String::new(), before: None },
            Self::Deliveries { from: String::new(), before: None },
        ]
    }
}

/// How far pruning has come: what is older may be gone, and its absence is no violation. None: nothing was pruned.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Watermarks {
    /// Reservations that ended before this may be gone.
    pub reservations: Option<Timestamp>,
    /// Journal entries before this may be gone; those left are checkpoints.
    pub journal: Option<Timestamp>,
    /// Fences before this may be gone.
    pub fences: Option<Timestamp>,
    /// Deliveries before this may be gone.
    pub deliveries: Option<Timestamp>,
}

impl Watermarks {
    /// Sets the mark that a store keeps under `name`; other names are not the audit's business.
    pub fn set(&mut self, name: &str, at: Timestamp) {
        match name {
            "reservations" => self.reservations = Some(at),
            "journal" => self.journal = Some(at),
            "fences" => self.fences = Some(at),
            "deliveries" => self.deliveries = Some(at),
            _ => {}
        }
    }
}

/// One page of a stream; empty when the stream has ended.
pub type Page<R> = Result<Vec<R>, StoreError>;

/// Reads the ledger for the audit. One piece is open at a time; all streams of a piece come from one consistent view.
/// A stream is read to its end or left when another piece is opened.
#[async_trait]
pub trait Snapshot: Send {
    /// Cuts the ledger into pieces, so that no view lasts long and none spans more than a few million rows.
    async fn pieces(&mut self) -> Result<Vec<Piece>, StoreError>;
    /// Ends the view before and begins that of `piece`; all its streams are at their start.
    async fn open(&mut self, piece: &Piece) -> Result<Watermarks, StoreError>;

    /// By product.
    async fn products(&mut self) -> Page<ProductRow>;
    /// By product; only products with HELD lines.
    async fn held(&mut self) -> Page<HeldRow>;
    /// By product and version.
    async fn versions(&mut self) -> Page<VersionRow>;
    /// By product and version, those without a version first.
    async fn effects(&mut self) -> Page<EffectRow>;
    /// `customer_product`, by product and customer (bytewise).
    async fn customer_units(&mut self) -> Page<CustomerRow>;
    /// What reservations say of the same: the sum of the HELD and COMMITTED lines on products with a limit, of
    /// reservations with a customer, created since the limit was set. By product and customer (bytewise).
    async fn customer_lines(&mut self) -> Page<CustomerRow>;

    /// By order.
    async fn reservations(&mut self) -> Page<ReservationRow>;
    /// The journal's commands that have an order, a row per line (one row if there is none). By order, time,
    /// [`command_rank`], batch, position, product.
    async fn command_lines(&mut self) -> Page<CommandLineRow>;

    /// The journal's entries, by batch.
    async fn batches(&mut self) -> Page<BatchRow>;
    /// By batch.
    async fn fences(&mut self) -> Page<FenceRow>;
    /// The outbox, by batch.
    async fn events(&mut self) -> Page<EventRow>;

    /// By id (bytewise).
    async fn adjustments(&mut self) -> Page<AdjustmentRow>;
    /// The journal's commands that are adjustments or name one, a row per line; by id (bytewise, "" if it has none).
    async fn adjusts(&mut self) -> Page<AdjustRow>;

    /// By message and consumer (bytewise).
    async fn inbox(&mut self) -> Page<DeliveryRow>;
    /// The deliveries that journal commands carried. By message and consumer (bytewise).
    async fn deliveries(&mut self) -> Page<DeliveryRow>;

    /// Ends the view.
    async fn close(self: Box<Self>) -> Result<(), StoreError>;
}

/// Where a command of this kind stands among commands on the same order at the same moment: a hold begins, changes,
/// ends, and what was expired ends once more. (A partial commit is written as a commit and a partial release.)
pub const fn command_rank(kind: i64) -> i64 {
    match kind {
        1 | 7 => 0,
        5 | 10 => 1,
        2 | 4 | 8 => 2,
        _ => 3,
    }
}

/// A row of `inventory`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProductRow {
    /// The key.
    pub product: ProductId,
    /// As stored.
    pub on_hand: i64,
    /// As stored.
    pub held: i64,
    /// As stored.
    pub version: i64,
    /// As stored.
    pub admin_version: i64,
    /// As stored.
    pub low_stock_threshold: Option<i64>,
    /// As stored.
    pub per_customer_limit: Option<i64>,
    /// As stored.
    pub limited_since: Option<Timestamp>,
    /// As stored.
    pub alert_state: i64,
    /// As stored.
    pub last_batch: BatchId,
}

/// What HELD reservations hold of a product.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HeldRow {
    /// The product.
    pub product: ProductId,
    /// The sum of the remaining quantities.
    pub units: i64,
}

/// A product after a batch, as the journal has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct VersionRow {
    /// The product.
    pub product: ProductId,
    /// Its version after the batch.
    pub version: i64,
    /// The batch.
    pub batch: BatchId,
    /// The entry's time; none if the entry itself is missing.
    pub at: Option<Timestamp>,
    /// On hand after the batch.
    pub on_hand: i64,
    /// Held after the batch.
    pub held: i64,
    /// The batch that changed the product before.
    pub previous: Option<BatchId>,
}

/// What the lines of one kind in one batch say of one product.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EffectRow {
    /// The product.
    pub product: ProductId,
    /// The version that the batch made of it; none if the batch does not list the product.
    pub version: Option<i64>,
    /// The batch.
    pub batch: BatchId,
    /// The commands' kind; none for lines without a command.
    pub kind: Option<i64>,
    /// The sum of the lines' units.
    pub units: i64,
    /// How many lines.
    pub lines: i64,
}

/// What a customer has of a product.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CustomerRow {
    /// The product.
    pub product: ProductId,
    /// The customer.
    pub customer: String,
    /// How many.
    pub units: i64,
}

/// A row of `reservations`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReservationRow {
    /// The key.
    pub order: OrderId,
    /// As stored.
    pub status: i64,
    /// As stored.
    pub late: bool,
    /// As stored.
    pub customer: Option<String>,
    /// As stored.
    pub created_at: Timestamp,
    /// As stored.
    pub expires_at: Timestamp,
    /// As stored.
    pub expires_at_max: Timestamp,
    /// As stored.
    pub ended_at: Option<Timestamp>,
    /// The lines in the order stored, or why they cannot be read.
    pub lines: Result<Vec<LineRow>, String>,
}

/// A line of a reservation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LineRow {
    /// The product.
    pub product: ProductId,
    /// What reserve asked for.
    pub requested: i64,
    /// What is left of it.
    pub remaining: i64,
}

/// A journal command on an order, with one of its lines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CommandLineRow {
    /// The order.
    pub order: OrderId,
    /// The entry's time.
    pub at: Timestamp,
    /// The batch.
    pub batch: BatchId,
    /// The command's place in the batch, from one.
    pub position: i64,
    /// The command's kind.
    pub kind: i64,
    /// Who reserved.
    pub customer: Option<String>,
    /// The line's product and units; none for a command without lines.
    pub line: Option<(ProductId, i64)>,
}

/// A journal entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BatchRow {
    /// The key.
    pub batch: BatchId,
    /// Its time; none when only parts of the entry exist.
    pub at: Option<Timestamp>,
    /// What cannot be read in it, in words.
    pub malformed: Option<String>,
}

/// A row of `commit_batch`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FenceRow {
    /// The key.
    pub batch: BatchId,
    /// As stored: `committed` or `aborted`.
    pub outcome: String,
    /// As stored.
    pub at: Timestamp,
}

/// A row of the outbox.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventRow {
    /// The batch that wrote it.
    pub batch: BatchId,
    /// The row.
    pub row: OutboxRow,
    /// What [`OutboxRow::digest`] said when it was written.
    pub digest: i64,
    /// As stored.
    pub created_at: Timestamp,
}

/// A row of `adjustments`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AdjustmentRow {
    /// The key.
    pub id: String,
    /// As stored.
    pub product: ProductId,
    /// As stored.
    pub delta: i64,
    /// As stored.
    pub reason: String,
    /// As stored.
    pub reference: Option<String>,
    /// As stored.
    pub at: Timestamp,
    /// As stored.
    pub version: i64,
}

/// A journal command that adjusts, with its line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AdjustRow {
    /// The adjustment it names; "" if none.
    pub id: String,
    /// The batch.
    pub batch: BatchId,
    /// The entry's time.
    pub at: Timestamp,
    /// The command's kind.
    pub kind: i64,
    /// The remark's reason.
    pub reason: Option<String>,
    /// The remark's reference.
    pub reference: Option<String>,
    /// The line's product and units, and the version that the batch made of the product.
    pub line: Option<(ProductId, i64, Option<i64>)>,
}

/// A delivery: in the inbox, or carried by a journal command.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct DeliveryRow {
    /// The message; compared first.
    pub message: String,
    /// The consumer.
    pub consumer: String,
    /// When it was handled.
    pub at: Timestamp,
    /// The batch, for a journal command's.
    pub batch: Option<BatchId>,
}
