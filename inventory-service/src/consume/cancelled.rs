//! `order.failed` and `order.cancelled`: the stock goes back.

use event_contracts::orders::{OrderCancelled, OrderFailed};
use inventory_core::engine::Engine;
use inventory_core::error::ReleaseError;
use inventory_core::ids::{Note, OrderId};
use service_kit::events::{HandleError, Handled, Incoming};
use uuid::Uuid;

use super::{delivery, failed, known_version};

pub(super) async fn release_failed(engine: &Engine, event: &Incoming) -> Result<Handled, HandleError> {
    known_version(event)?;
    let failed = event.parse::<OrderFailed>()?.payload;
    release(engine, event, failed.order_id, &failed.reason).await
}

pub(super) async fn release_cancelled(engine: &Engine, event: &Incoming) -> Result<Handled, HandleError> {
    known_version(event)?;
    let cancelled = event.parse::<OrderCancelled>()?.payload;
    release(engine, event, cancelled.order_id, &cancelled.reason).await
}

async fn release(
    engine: &Engine,
    event: &Incoming,
    order: Uuid,
    reason: &str,
) -> Result<Handled, HandleError> {
    // A reason that does not fit the journal is no reason to keep the stock.
    let reason = Note::parse(reason).ok();
    match engine.release(OrderId::new(order), None, reason, Some(delivery(event)?)).await {
        Ok(_) => Ok(Handled::Done),
        // Sold before it was cancelled: the order's own compensation gives it back by adjustments.
        Err(ReleaseError::AlreadyCommitted(_)) => Ok(Handled::Done),
        // These are answers to partial releases only; for a whole one they mean that there is nothing left to do.
        Err(
            ReleaseError::NotFound(_)
            | ReleaseError::MoreThanHeld { .. }
            | ReleaseError::AlreadyReleased(_)
            | ReleaseError::Expired(_),
        ) => Ok(Handled::Ignored),
        Err(ReleaseError::Failed(failure)) => Err(failed(&failure)),
    }
}
