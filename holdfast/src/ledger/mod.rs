//! What verbs act on: an engine in this process or a running service over HTTP, the same to them.

use std::collections::BTreeMap;
use std::io::Read;

use async_trait::async_trait;
use inventory_core::engine::ReserveRequest;
use inventory_core::ids::{OrderId, ProductId};
use serde::Deserialize;

use crate::cli::Format;
use crate::rows::RejectedRow;

mod embedded;
mod http;
mod import;
mod open;
mod retry;
mod wire;

pub use embedded::Embedded;
pub use http::{Http, InvalidUrl};
pub(crate) use open::in_use;
pub use open::{Reach, open, open_store, prepare_store};
pub(crate) use retry::until_answered;

/// An inventory, wherever it runs. Every call is tried again while the answer may still come: all are safe to repeat.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Where it is, for people.
    fn place(&self) -> &str;

    /// Whether it runs in this process.
    fn is_embedded(&self) -> bool;

    /// Holds stock for an order.
    async fn reserve(&self, request: &ReserveRequest) -> Result<Admission, Unanswered>;

    /// Commits a whole hold.
    async fn commit(&self, order: OrderId) -> Result<Ending, Unanswered>;

    /// Releases a whole hold.
    async fn release(&self, order: OrderId) -> Result<Ending, Unanswered>;

    /// Sets the stock of every product that the rows name; on the way, `stored` is told how many rows are done.
    async fn import(
        &self,
        rows: Box<dyn Read + Send>,
        format: Format,
        stored: &(dyn Fn(u64) + Sync),
    ) -> anyhow::Result<ImportReport>;

    /// A product as it is now.
    async fn product(&self, product: ProductId) -> Result<Option<ProductNow>, Unanswered>;

    /// Changes of a product from a version on, oldest first. `limit` bounds one page; an empty page is the end.
    async fn changes(
        &self,
        product: ProductId,
        from_version: u64,
        limit: usize,
    ) -> Result<Vec<Change>, Unanswered>;

    /// Recomputes everything.
    async fn audit(&self) -> anyhow::Result<AuditReport>;

    /// Finishes what is under way.
    async fn close(&self);
}

/// The answer to a reserve.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Admission {
    /// Held by this call (or by an earlier try of it whose answer was lost).
    Admitted,
    /// Held before this call.
    Replayed,
    /// Refused for good; the reason's code as the HTTP contract names it.
    Refused(String),
}

/// The answer to a commit or release.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ending {
    /// Done, or done before.
    Done,
    /// Refused for good; the reason's code.
    Refused(String),
}

/// No yes and no no.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Unanswered {
    /// Whether the same request may be answered in a moment.
    pub is_transient: bool,
    /// What came instead of an answer.
    pub message: String,
    /// What lies beneath.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What an import came to.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportReport {
    /// Rows read.
    pub rows: u64,
    /// Products that had not existed.
    pub created: u64,
    /// Products that differed.
    pub updated: u64,
    /// Products that were as the row says.
    pub unchanged: u64,
    /// Rows that were not stored, up to [`REJECTED_LISTED_MAX`].
    pub rejected: Vec<RejectedRow>,
    /// How many more were not stored than `rejected` lists.
    #[serde(default)]
    pub rejected_more: u64,
}

/// Rejected rows that a report lists; more are counted.
pub const REJECTED_LISTED_MAX: usize = 1_000;

impl ImportReport {
    /// How many rows were not stored.
    pub fn rejected_total(&self) -> u64 {
        self.rejected_more.saturating_add(u64::try_from(self.rejected.len()).unwrap_or(u64::MAX))
    }
}

/// A product as it is now.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProductNow {
    /// For people.
    #[serde(default)]
    pub name: Option<String>,
    /// Units in the warehouse.
    pub on_hand: i64,
    /// Units set aside.
    pub held: i64,
    /// Raised by every batch that changes it.
    pub version: u64,
}

/// One change of one product, as the journal's HTTP call tells it.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// The product's version after the batch that made it.
    pub version: u64,
    /// When, RFC 3339.
    pub at: String,
    /// What happened; `checkpoint` where pruning left only the state.
    pub kind: String,
    /// For which order.
    #[serde(default)]
    pub order_id: Option<String>,
    /// How many units.
    #[serde(default)]
    pub quantity: i64,
    /// Why.
    #[serde(default)]
    pub reason: Option<String>,
    /// Units on hand after it.
    pub on_hand: i64,
    /// Units held after it.
    pub held: i64,
}

/// The kind of a [`Change`] that only tells the state.
pub const CHECKPOINT: &str = "checkpoint";

/// What an audit found.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize, serde::Serialize)]
pub struct AuditReport {
    /// Nothing disagrees.
    pub ok: bool,
    /// How many of what were looked at.
    #[serde(default)]
    pub checked: BTreeMap<String, serde_json::Value>,
    /// What disagrees.
    #[serde(default)]
    pub violations: Vec<serde_json::Value>,
}
