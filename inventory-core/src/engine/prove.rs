//! The audit: everything recomputed from reservations and journal, online.

use super::Engine;
use super::reader::failure_of;
use crate::audit::{self, AuditReport};
use crate::error::Failure;

impl Engine {
    /// Recomputes everything from reservations and journal, in consistent views of the store, while the engine goes on working.
    /// One audit at a time: a second caller waits for the first to end.
    pub async fn audit(&self) -> Result<AuditReport, Failure> {
        self.check_running()?;
        let _one_at_a_time = self.shared.audit_running.lock().await;
        let snapshot = self.shared.store.snapshot().await.map_err(|error| failure_of(&error))?;
        audit::audit(snapshot).await.map_err(|error| failure_of(&error))
    }
}
