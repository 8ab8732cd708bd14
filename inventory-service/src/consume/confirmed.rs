//! `order.confirmed`: the idempotent backstop behind the commit by REST.

use event_contracts::orders::OrderConfirmed;
use inventory_core::engine::Engine;
use inventory_core::error::CommitError;
use inventory_core::ids::OrderId;
use service_kit::events::{HandleError, Handled, Incoming};

use super::{delivery, failed, known_version};

pub(super) async fn commit(engine: &Engine, event: &Incoming) -> Result<Handled, HandleError> {
    known_version(event)?;
    let confirmed = event.parse::<OrderConfirmed>()?.payload;
    let order = OrderId::new(confirmed.order_id);
    match engine.commit(order, None, Some(delivery(event)?)).await {
        Ok(_) => Ok(Handled::Done),
        // Lost: the engine has announced it in the same batch, and the order will refund.
        Err(CommitError::Expired(_)) => {
            tracing::warn!(%order, "confirmed, but its hold ran out and the stock is gone");
            Ok(Handled::Done)
        }
        // Ended long ago and pruned, or given back since: an old message must not sell anything again.
        Err(error @ (CommitError::NotFound(_) | CommitError::AlreadyReleased(_))) => {
            tracing::warn!(%order, %error, "a confirmed order has nothing to commit");
            Ok(Handled::Ignored)
        }
        Err(error @ (CommitError::Conflict { .. } | CommitError::MoreThanHeld { .. })) => {
            Err(HandleError::Permanent(error.to_string()))
        }
        Err(CommitError::Failed(failure)) => Err(failed(&failure)),
    }
}
