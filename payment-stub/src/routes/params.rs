//! What addresses and headers say.

use axum::extract::{FromRequestParts, Path};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use service_kit::Problem;
use service_kit::http::request_id;
use uuid::Uuid;

use crate::payment::Cause;

/// Bytes of a trace context that is stored.
const TRACEPARENT_BYTES_MAX: usize = 128;

/// `{paymentId}` of the address.
pub(crate) struct PaymentParam(pub(super) Uuid);

impl<S: Send + Sync> FromRequestParts<S> for PaymentParam {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|error| Problem::invalid_field("paymentId", error.body_text()))?;
        Uuid::try_parse(&text).map(Self).map_err(|_| Problem::invalid_field("paymentId", "must be a UUID"))
    }
}

/// What the request says of what led to it.
pub(super) fn cause(headers: &HeaderMap) -> Cause {
    let traceparent = headers.get("traceparent").and_then(|value| value.to_str().ok());
    Cause {
        causation_id: request_id::current(),
        traceparent: traceparent.filter(|text| text.len() <= TRACEPARENT_BYTES_MAX).map(str::to_owned),
    }
}
