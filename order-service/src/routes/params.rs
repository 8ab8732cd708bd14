//! What addresses and headers say.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use service_kit::Problem;
use service_kit::http::params::{path_text, path_uuid};
use uuid::Uuid;

/// `{orderId}` of the address.
pub(crate) struct OrderParam(pub(super) Uuid);

impl<S: Send + Sync> FromRequestParts<S> for OrderParam {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        path_uuid(parts, state, "orderId").await.map(Self)
    }
}

/// `{userId}` of the address.
pub(crate) struct UserParam(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for UserParam {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let text = path_text(parts, state, "userId").await?;
        let text = crate::wire::requests::text("userId", text);
        text.map(Self).map_err(|error| Problem::invalid_request(&[error]))
    }
}
