//! What the audit reads: every table as a sorted stream of plain rows, a page at a time, in one consistent view.

use async_trait::async_trait;

use super::StoreError;

/// A consistent view of the whole ledger. To be filled by the audit (see `engine/audit.rs`).
#[async_trait]
pub trait Snapshot: Send {
    /// Ends the view.
    async fn close(self: Box<Self>) -> Result<(), StoreError>;
}
