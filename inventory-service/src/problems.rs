//! Every error of the engine as an HTTP problem: the one place where statuses and codes are chosen. Matched without
//! wildcards, so that a new variant does not compile until somebody has decided how it reads.

use std::time::Duration;

use axum::http::StatusCode;
use inventory_core::error::{
    AdjustError, CommitError, Difference, ExtendError, Failure, ReleaseError, ReserveError, SetError,
    Shortage,
};
use inventory_core::ids::{OrderId, ProductId};
use inventory_core::limits::{BLOCKING_HOLDS_MAX, UNITS_MAX};
use inventory_core::quantity::Units;
use inventory_core::store::HoldOn;
use serde::Serialize;
use service_kit::Problem;
use uuid::Uuid;

use crate::wire::requests::Items;
use crate::wire::time::WireTime;

/// The engine could say neither yes nor no.
pub fn failure(failure: Failure) -> Problem {
    let unavailable = |code, title, detail: &'static str| {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, code, title, detail)
            .with_retry_after(failure.retry_after().as_secs().max(1))
    };
    match &failure {
        Failure::Overloaded => unavailable(
            "overloaded",
            "Overloaded",
            "Too many requests wait already. Nothing was changed; repeat the same request after Retry-After.",
        ),
        Failure::Unavailable { reason } => {
            // The store's words are for the log; an answer must not tell about its insides.
            tracing::warn!(%reason, request_id = service_kit::http::request_id::current(), "store unavailable");
            unavailable(
                "unavailable",
                "Store unavailable",
                "The store cannot be reached. Nothing was changed; repeat the same request after Retry-After.",
            )
        }
        Failure::OutcomeUnknown => unavailable(
            "outcome_unknown",
            "Outcome unknown",
            "Whether the change took effect is not known yet. Repeat the same request, with the same id, after \
             Retry-After: it takes effect once, whichever way this one went.",
        ),
        Failure::Stopped => unavailable(
            "unavailable",
            "Service stopping",
            "This instance is stopping. Nothing was changed; repeat the same request after Retry-After.",
        ),
        Failure::Refused { reason } => {
            tracing::error!(
                %reason,
                request_id = service_kit::http::request_id::current(),
                "the store refused a change"
            );
            Problem::internal()
        }
    }
}

/// Why a reserve was refused.
pub fn reserve(error: ReserveError) -> Problem {
    match error {
        ReserveError::Conflict { order, difference } => order_conflict(order, &difference),
        ReserveError::AlreadyReleased(order) => already_released(order),
        ReserveError::Expired(order) => reservation_expired(order),
        ReserveError::ProductNotFound(products) => product_not_found(&products),
        ReserveError::CustomerRequired { product, limit } => Problem::invalid_field(
            "customerId",
            format!("is required, because product {product} is limited to {limit} per customer"),
        ),
        ReserveError::CustomerLimit { product, limit, taken } => Problem::new(
            StatusCode::CONFLICT,
            "customer_limit",
            "Customer limit reached",
            format!(
                "Product {product} is limited to {limit} per customer and this customer holds or has bought \
                 {taken}; ask for at most {}.",
                (limit.units() - taken).max(Units::ZERO)
            ),
        )
        .with("productId", product.get())
        .with("limit", limit.get())
        .with("taken", taken.get()),
        ReserveError::InsufficientStock(shortages) => insufficient_stock(&shortages),
        ReserveError::Failed(failed) => failure(failed),
    }
}

/// Why a commit was refused; `items` as asked for, to name the entry at fault.
pub fn commit(error: CommitError, items: Option<&Items>) -> Problem {
    match error {
        CommitError::NotFound(order) => reservation_not_found(order),
        CommitError::Conflict { order, difference } => order_conflict(order, &difference),
        CommitError::MoreThanHeld { product, held } => more_than_held(product, held, items),
        CommitError::AlreadyReleased(order) => already_released(order),
        CommitError::Expired(order) => reservation_expired(order),
        CommitError::Failed(failed) => failure(failed),
    }
}

/// Why a release was refused; `items` as asked for, to name the entry at fault.
pub fn release(error: ReleaseError, items: Option<&Items>) -> Problem {
    match error {
        ReleaseError::NotFound(order) => reservation_not_found(order),
        ReleaseError::MoreThanHeld { product, held } => more_than_held(product, held, items),
        ReleaseError::AlreadyCommitted(order) => already_committed(order),
        ReleaseError::AlreadyReleased(order) => already_released(order),
        ReleaseError::Expired(order) => reservation_expired(order),
        ReleaseError::Failed(failed) => failure(failed),
    }
}

/// Why an extend was refused.
pub fn extend(error: ExtendError, hold_ttl_max: Duration) -> Problem {
    match error {
        ExtendError::NotFound(order) => reservation_not_found(order),
        ExtendError::TtlTooLong { expires_at_max } => ttl_too_long(hold_ttl_max)
            .with_detail(format!(
                "The hold may last until {} at most; ask for an end before that.",
                WireTime(expires_at_max)
            ))
            .with("maxExpiresAt", WireTime(expires_at_max)),
        ExtendError::AlreadyCommitted(order) => already_committed(order),
        ExtendError::AlreadyReleased(order) => already_released(order),
        ExtendError::Expired(order) => reservation_expired(order),
        ExtendError::Failed(failed) => failure(failed),
    }
}

/// Why an adjustment was refused; `holds` stand in its way.
pub fn adjust(error: AdjustError, holds: &[HoldOn]) -> Problem {
    match error {
        AdjustError::ProductNotFound(product) => product_not_found(&[product]),
        AdjustError::Conflict { adjustment, difference } => Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "adjustment_conflict",
            "Adjustment id used before",
            format!(
                "Adjustment {adjustment} was made with other content: {difference}. Use a new adjustmentId for \
                 another adjustment."
            ),
        ),
        AdjustError::BelowHeld { product, on_hand, held } => below_held(product, held, holds)
            .with_detail(format!(
                "Product {product} has {on_hand} on hand and {held} of them held; at most {} can be taken away \
                 until holds end.",
                on_hand - held
            ))
            .with("onHand", on_hand.get()),
        AdjustError::TooMuch(product) => Problem::invalid_field(
            "delta",
            format!("would give product {product} more than the {UNITS_MAX} units that can be kept"),
        ),
        AdjustError::Failed(failed) => failure(failed),
    }
}

/// Why setting or importing was refused; `holds` stand in its way.
pub fn set(error: SetError, holds: &[HoldOn]) -> Problem {
    match error {
        SetError::Stale { product, admin_version } => stale(product, admin_version),
        SetError::BelowHeld { product, held } => below_held(product, held, holds),
        SetError::Failed(failed) => failure(failed),
    }
}

/// 404 `product_not_found`.
pub fn product_not_found(products: &[ProductId]) -> Problem {
    let ids: Vec<i64> = products.iter().map(|product| product.get()).collect();
    let named: Vec<String> = ids.iter().map(i64::to_string).collect();
    Problem::new(
        StatusCode::NOT_FOUND,
        "product_not_found",
        "Product not found",
        format!("Unknown: {}. Leave it out, or create it with PUT.", named.join(", ")),
    )
    .with("productIds", ids)
}

/// 404 `reservation_not_found`.
pub fn reservation_not_found(order: OrderId) -> Problem {
    of_order(
        order,
        StatusCode::NOT_FOUND,
        "reservation_not_found",
        "Reservation not found",
        format!("Nothing was ever reserved under order {order}, or it ended long ago; reserve first."),
    )
}

/// 422 `ttl_too_long`.
pub fn ttl_too_long(hold_ttl_max: Duration) -> Problem {
    let seconds = hold_ttl_max.as_secs();
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "ttl_too_long",
        "Hold too long",
        format!("A hold lasts at most {seconds} s, extensions included; ask for a smaller ttlSeconds."),
    )
    .with("maxSeconds", seconds)
}

/// 412 `stale`.
pub fn stale(product: ProductId, admin_version: Option<u64>) -> Problem {
    let detail = match admin_version {
        Some(version) => format!(
            "Product {product} has changed since it was read; its ETag is \"{version}\" now. Read it again and decide \
             anew."
        ),
        None => format!("Product {product} does not exist; leave If-Match out to create it."),
    };
    Problem::new(StatusCode::PRECONDITION_FAILED, "stale", "Changed since it was read", detail)
}

fn of_order(
    order: OrderId,
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    detail: String,
) -> Problem {
    Problem::new(status, code, title, detail).with("orderId", order.get())
}

fn already_released(order: OrderId) -> Problem {
    of_order(
        order,
        StatusCode::CONFLICT,
        "already_released",
        "Already released",
        format!("Order {order} was released, which is final; reserve under a new order id."),
    )
}

fn already_committed(order: OrderId) -> Problem {
    of_order(
        order,
        StatusCode::CONFLICT,
        "already_committed",
        "Already committed",
        format!("Order {order} was committed; give bought stock back by an adjustment."),
    )
}

fn reservation_expired(order: OrderId) -> Problem {
    of_order(
        order,
        StatusCode::GONE,
        "reservation_expired",
        "Reservation expired",
        format!("The hold of order {order} ran out; reserve under a new order id."),
    )
}

fn order_conflict(order: OrderId, difference: &Difference) -> Problem {
    let difference = match difference {
        Difference::Quantity { product, had, asked: 0 } => {
            format!("it has {had} of product {product}, which this request leaves out")
        }
        Difference::Quantity { product, had: 0, asked } => {
            format!("it has nothing of product {product}, of which this request asks for {asked}")
        }
        Difference::Quantity { product, had, asked } => {
            format!("it has {had} of product {product}, and this request asks for {asked}")
        }
        Difference::Customer { had, asked } => {
            let name = |customer: &Option<String>| match customer {
                Some(customer) => format!("customer {customer}"),
                None => "no customer".to_owned(),
            };
            format!("it names {}, and this request names {}", name(had), name(asked))
        }
    };
    of_order(
        order,
        StatusCode::UNPROCESSABLE_ENTITY,
        "order_conflict",
        "Order id used before",
        format!(
            "Order {order} was sent before with other content: {difference}. Repeat the first content, or use a new \
             order id."
        ),
    )
}

fn more_than_held(product: ProductId, held: u32, items: Option<&Items>) -> Problem {
    let field = items.map_or_else(|| "items".to_owned(), |items| items.path_of(product));
    Problem::invalid_field(field, format!("asks for more of product {product} than the {held} held"))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShortageBody {
    product_id: i64,
    requested: u32,
    available: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    earliest_expiry_at: Option<WireTime>,
}

fn insufficient_stock(shortages: &[Shortage]) -> Problem {
    let items: Vec<_> = shortages
        .iter()
        .map(|short| ShortageBody {
            product_id: short.product.get(),
            requested: short.requested.get(),
            available: short.available.get(),
            earliest_expiry_at: short.earliest_expiry_at.map(WireTime),
        })
        .collect();
    let detail = match shortages {
        [one] => format!(
            "Product {} has {} available and {} were asked for; ask for less.",
            one.product, one.available, one.requested
        ),
        many => format!("{} products are short; ask for at most what is available of each.", many.len()),
    };
    Problem::new(StatusCode::CONFLICT, "insufficient_stock", "Insufficient stock", detail)
        .with("items", items)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BlockingHold {
    order_id: Uuid,
    quantity: u32,
    expires_at: WireTime,
}

fn below_held(product: ProductId, held: Units, holds: &[HoldOn]) -> Problem {
    let holds: Vec<_> = holds
        .iter()
        .take(BLOCKING_HOLDS_MAX)
        .map(|hold| BlockingHold {
            order_id: hold.order.get(),
            quantity: hold.quantity.get(),
            expires_at: WireTime(hold.expires_at),
        })
        .collect();
    Problem::new(
        StatusCode::CONFLICT,
        "below_held",
        "Below what is held",
        format!("Product {product} has {held} held; keep at least that many, or wait until holds end."),
    )
    .with("productId", product.get())
    .with("held", held.get())
    .with("holds", holds)
}

#[cfg(test)]
#[path = "problems_tests.rs"]
mod tests;
