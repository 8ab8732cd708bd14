//! What addresses and headers say.

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use service_kit::Problem;
use service_kit::http::params::path_uuid;
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
        path_uuid(parts, state, "paymentId").await.map(Self)
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
