//! A consistent view of everything, for the audit.

use super::Shared;
use crate::store::{StoreError, StoreErrorKind, audit_rows};

impl Shared {
    pub(super) async fn snapshot(&self) -> Result<Box<dyn audit_rows::Snapshot>, StoreError> {
        Err(StoreError::new(StoreErrorKind::Misconfigured, "no snapshot"))
    }
}
