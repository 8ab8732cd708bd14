//! `order.created`, where nobody leads: hold the stock, or tell for good that it cannot be had.

use event_contracts::orders::{OrderCreated, PricedItem};
use inventory_core::engine::{Engine, ReserveRequest};
use inventory_core::error::{ReleaseError, ReserveError};
use inventory_core::ids::{CustomerId, Note, OrderId, ProductId};
use inventory_core::lines::{Line, Lines};
use inventory_core::quantity::Quantity;
use service_kit::events::{HandleError, Handled, Incoming};

use super::{delivery, failed, known_version};

pub(super) async fn reserve(engine: &Engine, event: &Incoming) -> Result<Handled, HandleError> {
    known_version(event)?;
    let created = event.parse::<OrderCreated>()?.payload;
    let order = OrderId::new(created.order_id);
    let permanent = |error: String| HandleError::Permanent(error);
    let request = ReserveRequest {
        order,
        lines: lines(&created.items).map_err(permanent)?,
        customer: Some(CustomerId::parse(&created.user_id).map_err(|error| permanent(error.to_string()))?),
        ttl: None,
    };
    let reason = match engine.reserve(request).await {
        // Told by the batch that made the hold; a repeat was told before.
        Ok(_) => return Ok(Handled::Done),
        // Ended before: whoever ended it has told.
        Err(ReserveError::AlreadyReleased(_) | ReserveError::Expired(_)) => return Ok(Handled::Done),
        Err(error @ ReserveError::Conflict { .. }) => return Err(permanent(error.to_string())),
        Err(ReserveError::Failed(failure)) => return Err(failed(&failure)),
        Err(ReserveError::ProductNotFound(_)) => "product_not_found",
        Err(ReserveError::CustomerRequired { .. } | ReserveError::CustomerLimit { .. }) => "customer_limit",
        Err(ReserveError::InsufficientStock(_)) => "insufficient_stock",
    };
    refuse(engine, event, order, reason).await
}

/// A tombstone: the refusal is final, whoever asks again, and the fact of it is announced in its batch.
async fn refuse(
    engine: &Engine,
    event: &Incoming,
    order: OrderId,
    reason: &'static str,
) -> Result<Handled, HandleError> {
    match engine.release(order, None, Note::parse(reason).ok(), Some(delivery(event)?)).await {
        Ok(_)
        | Err(
            ReleaseError::NotFound(_)
            | ReleaseError::MoreThanHeld { .. }
            | ReleaseError::AlreadyCommitted(_)
            | ReleaseError::AlreadyReleased(_)
            | ReleaseError::Expired(_),
        ) => Ok(Handled::Done),
        Err(ReleaseError::Failed(failure)) => Err(failed(&failure)),
    }
}

fn lines(items: &[PricedItem]) -> Result<Lines, String> {
    let lines = items.iter().map(|item| {
        let quantity = Quantity::new(i64::from(item.quantity)).map_err(|error| error.to_string())?;
        Ok(Line { product: ProductId::new(item.product_id), quantity })
    });
    Lines::new(lines.collect::<Result<Vec<_>, String>>()?).map_err(|error| error.to_string())
}
