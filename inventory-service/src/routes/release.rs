//! `POST /api/v1/inventory/release`.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use inventory_core::ids::{Delivery, Note, OrderId};
use service_kit::http::params::header_text;
use service_kit::problem::ProblemBody;
use service_kit::{Problem, json};

use crate::api::CommonProblems;
use crate::problems;
use crate::state::App;
use crate::wire::answer;
use crate::wire::requests::ReleaseWire;
use crate::wire::reservation::ReleasedBody;

const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

/// Give stock back. Releasing the whole order is safe to repeat; releasing a part is with an `Idempotency-Key`.
///
/// A release of an unknown order is remembered: a reserve of it that arrives later is refused. With `items` the hold
/// shrinks by these quantities and stays while anything is left. A repeat with the same key and order changes nothing
/// and answers the hold as it is now.
#[utoipa::path(
    post,
    path = "/api/v1/inventory/release",
    tag = "reservations",
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, description = "1 to 255 bytes; counts per order, with `items` only")),
    request_body = ReleaseWire,
    responses(
        (status = 200, description = "Released", body = ReleasedBody),
        (status = 404, description = "With `items`: `reservation_not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`already_committed`; with `items` also `already_released`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 410, description = "With `items`: `reservation_expired`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_request`", body = ProblemBody, content_type = "application/problem+json"),
        CommonProblems,
    )
)]
pub(crate) async fn release(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    let key = idempotency_key(request.headers())?;
    let release = json::read::<ReleaseWire>(request, app.body_limits()).await?;
    let lines = release.items.as_ref().map(|items| items.lines.clone());
    // Releasing the whole order needs no key: doing it twice is doing it once.
    let delivery = match (key, &release.items) {
        (Some(key), Some(_)) => Some(delivery(release.order, key)?),
        (None, _) | (_, None) => None,
    };
    let reservation = app
        .engine()
        .release(release.order, lines, release.reason, delivery)
        .await
        .map_err(|error| problems::release(error, release.items.as_ref()))?;
    Ok(json::written(StatusCode::OK, answer::released(&reservation)))
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<Note>, Problem> {
    header_text(headers, IDEMPOTENCY_KEY)?
        .map(|text| Note::parse(text).map_err(|error| Problem::invalid_field(IDEMPOTENCY_KEY, error)))
        .transpose()
}

/// The order stands in the consumer's name, so that a key that is used for two orders loses no release.
fn delivery(order: OrderId, key: Note) -> Result<Delivery, Problem> {
    let consumer = Note::parse(&format!("release/{order}")).map_err(|_| Problem::internal())?;
    Ok(Delivery { consumer, message: key })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use uuid::Uuid;

    use super::*;

    fn key_of(bytes: &[u8]) -> Result<Option<Note>, Problem> {
        let value = HeaderValue::from_bytes(bytes).unwrap();
        idempotency_key(&HeaderMap::from_iter([("idempotency-key".parse().unwrap(), value)]))
    }

    #[test]
    fn i12_a_key_is_1_to_255_bytes_of_text() {
        assert_eq!(idempotency_key(&HeaderMap::new()).unwrap(), None);
        assert_eq!(key_of(b"k").unwrap().unwrap().as_str(), "k");
        assert!(key_of(&[b'k'; 255]).is_ok());
        for wrong in [b"".as_slice(), &[b'k'; 256], b"\xFF"] {
            assert_eq!(key_of(wrong).unwrap_err().code(), "invalid_request", "{wrong:?}");
        }
    }

    #[test]
    fn i12_the_same_key_for_another_order_is_another_delivery() {
        let key = Note::parse("1").unwrap();
        let of = |order| delivery(OrderId::new(Uuid::from_u128(order)), key.clone()).unwrap();
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }
}
