//! Every error as an HTTP problem: the one place where statuses and codes are chosen.

use axum::http::StatusCode;
use service_kit::Problem;
use uuid::Uuid;

use crate::saga::OrderStatus;
use crate::store::{ApplyError, Order};
use crate::worker::{NoAnswer, Refusal};

/// When to come back if nobody knows better, in seconds.
const RETRY_AFTER_SECONDS: u64 = 1;

/// An order could not be read or changed.
pub(crate) fn apply(error: ApplyError) -> Problem {
    match error {
        ApplyError::Unknown(order) => order_not_found(order),
        ApplyError::Row(error) => {
            tracing::error!(%error, "an order's row cannot be worked on");
            Problem::internal()
        }
        // Only events can be; a request never is.
        ApplyError::Foreign(reason) => {
            tracing::error!(%reason, "a request was taken for another order's money");
            Problem::internal()
        }
        ApplyError::Sql(error) => sql(&error),
    }
}

/// The database said no, or nothing.
pub(crate) fn sql(error: &sqlx::Error) -> Problem {
    if service_kit::sql::is_transient(error) {
        tracing::warn!(%error, "the database is away");
        return Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "Store unavailable",
            "The store cannot be reached. Repeat the same request, with the same Idempotency-Key, after Retry-After.",
        )
        .with_retry_after(RETRY_AFTER_SECONDS);
    }
    tracing::error!(%error, "the database refused");
    Problem::internal()
}

/// 404 `order_not_found`.
pub(crate) fn order_not_found(order: Uuid) -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "order_not_found",
        "Order not found",
        format!("There is no order {order}; check the id."),
    )
    .with("orderId", order)
}

/// 409 `invalid_state`.
pub(crate) fn invalid_state(order: &Order, because: &str) -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "invalid_state",
        "Not possible in this state",
        format!("Order {} is {}: {because}.", order.id, crate::store::row::name_of(&order.saga.status)),
    )
    .with("orderId", order.id)
    .with("orderStatus", order.saga.status)
}

/// 400 `idempotency_key_missing`.
pub(crate) fn idempotency_key_missing() -> Problem {
    Problem::new(
        StatusCode::BAD_REQUEST,
        "idempotency_key_missing",
        "Idempotency-Key missing",
        "Send an Idempotency-Key header of 1 to 255 bytes that is new for each order, and the same when repeating a request.",
    )
}

/// 422 `idempotency_conflict`.
pub(crate) fn idempotency_conflict(order: Uuid) -> Problem {
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "idempotency_conflict",
        "Idempotency-Key used before",
        "This Idempotency-Key was sent with another body before. Use a new key for another order.",
    )
    .with("orderId", order)
}

/// Stock was refused: inventory's code and details, and the order that is kept as CANCELLED.
pub(crate) fn refused(order: &Order, refusal: &Refusal) -> Problem {
    let (status, code, title) = match refusal.code.as_str() {
        "customer_limit" => (StatusCode::CONFLICT, "customer_limit", "Customer limit reached"),
        "product_not_found" => (StatusCode::NOT_FOUND, "product_not_found", "Product not found"),
        "insufficient_stock" => (StatusCode::CONFLICT, "insufficient_stock", "Insufficient stock"),
        _ => (StatusCode::CONFLICT, "reservation_refused", "Reservation refused"),
    };
    let problem = Problem::new(status, code, title, refusal.detail.clone()).with("orderId", order.id);
    let known = ["items", "productId", "productIds", "limit", "taken"];
    known.into_iter().fold(problem, |problem, name| match refusal.members.get(name) {
        Some(value) => problem.with(name, value),
        None => problem,
    })
}

/// 503 `inventory_unavailable`: the order is cancelled and released; its key may be used again.
pub(crate) fn inventory_unavailable(order: &Order, no_answer: &NoAnswer) -> Problem {
    tracing::warn!(order = %order.id, reason = %no_answer.reason, "inventory gave no answer; the order is cancelled");
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "inventory_unavailable",
        "Inventory unavailable",
        "Inventory cannot be reached, so nothing was ordered and nothing will be charged. Repeat the same request after \
         Retry-After; the same Idempotency-Key may be used.",
    )
    .with("orderId", order.id)
    .with("orderStatus", OrderStatus::Cancelled)
    .with_retry_after(no_answer.retry_after_seconds.unwrap_or(RETRY_AFTER_SECONDS).max(1))
}
