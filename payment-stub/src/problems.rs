//! Every refusal as an HTTP problem: the one place where statuses and codes are chosen.

use axum::http::StatusCode;
use service_kit::{Problem, sql};
use uuid::Uuid;

use crate::payment::Request;
use crate::store::{AcceptError, RefundError, WriteError};

/// Seconds after which to come back.
const RETRY_AFTER_SECONDS: u64 = 1;

/// Why a payment was not accepted.
pub(crate) fn accept(asked: &Request, error: AcceptError) -> Problem {
    match error {
        AcceptError::Conflict(had) => conflict(asked, &had),
        AcceptError::Write(error) => write(error),
    }
}

/// Why there is no refund.
pub(crate) fn refund(id: Uuid, error: RefundError) -> Problem {
    match error {
        RefundError::NotFound => not_found(id),
        RefundError::NotSettled => Problem::new(
            StatusCode::CONFLICT,
            "payment_not_settled",
            "Payment not settled",
            format!("Payment {id} is accepted and its outcome is not known yet; ask for the refund once it is SUCCESSFUL."),
        )
        .with("paymentId", id),
        RefundError::Failed => Problem::new(
            StatusCode::CONFLICT,
            "payment_failed",
            "Payment failed",
            format!("Payment {id} failed: no money was taken, so there is none to give back."),
        )
        .with("paymentId", id),
        RefundError::Write(error) => write(error),
    }
}

/// No such payment.
pub(crate) fn not_found(id: Uuid) -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "payment_not_found",
        "Payment not found",
        format!("There is no payment {id}; it was never accepted here."),
    )
    .with("paymentId", id)
}

fn conflict(asked: &Request, had: &Request) -> Problem {
    let differences = [
        ("orderId", had.order_id.to_string(), asked.order_id.to_string()),
        ("amount", had.amount.to_string(), asked.amount.to_string()),
        ("method", had.method.clone(), asked.method.clone()),
    ];
    let named: Vec<String> = differences
        .iter()
        .filter(|(_, had, asked)| had != asked)
        .map(|(field, had, asked)| format!("{field} was {had} and is now {asked}"))
        .collect();
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "payment_conflict",
        "Payment id used before",
        format!(
            "Payment {} was sent before with other content: {}. Repeat the first content, or use a new payment id.",
            asked.payment_id,
            named.join(", ")
        ),
    )
    .with("paymentId", asked.payment_id)
}

/// The misbehaviour that was asked for.
pub(crate) fn flaky() -> Problem {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "provider_failed",
        "Provider failed",
        "The provider failed, as its method asks of it. Whether it accepted is open: repeat the same request.",
    )
}

/// The books could not be written.
pub(crate) fn write(error: WriteError) -> Problem {
    match error {
        WriteError::Before(error) => read(error),
        WriteError::AtCommit(error) => {
            tracing::warn!(%error, request_id = request_id(), "the outcome of a commit is not known");
            Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "outcome_unknown",
                "Outcome unknown",
                "Whether this took effect is not known. Repeat the same request, with the same id: it takes effect once.",
            )
            .with_retry_after(RETRY_AFTER_SECONDS)
        }
    }
}

/// The books could not be read, or nothing was written yet.
pub(crate) fn read(error: sqlx::Error) -> Problem {
    // The database's words are for the log; an answer must not tell about its insides.
    if sql::is_transient(&error) {
        tracing::warn!(%error, request_id = request_id(), "database unavailable");
        return Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "Database unavailable",
            "The database cannot be reached. Nothing was changed; repeat the same request after Retry-After.",
        )
        .with_retry_after(RETRY_AFTER_SECONDS);
    }
    tracing::error!(%error, request_id = request_id(), "the database refused");
    Problem::internal()
}

fn request_id() -> Option<String> {
    service_kit::http::request_id::current()
}
