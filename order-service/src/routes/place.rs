//! `POST /api/v1/orders`.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use service_kit::http::location;
use service_kit::http::params::header_text;
use service_kit::problem::ProblemBody;
use service_kit::{Problem, json};
use uuid::Uuid;

use crate::api::{CommonProblems, ORDERS_PATH};
use crate::limits::TEXT_BYTES_MAX;
use crate::problems;
use crate::saga::Action;
use crate::state::App;
use crate::store::{Claim, Order, Placed, Placement, Settled};
use crate::wire::order::OrderBody;
use crate::wire::requests::PlaceWire;
use crate::worker::{Finished, NoAnswer};

const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
/// W3C: version, trace, span, flags.
const TRACEPARENT_BYTES: usize = 55;

/// Place an order. The stock is reserved before the answer; the payment follows.
///
/// Safe to repeat with the same `Idempotency-Key` and body, which answers the order as it is now: a key that an order was told for with 202
/// stands for that order. Keys count per user.
#[utoipa::path(
    post,
    path = "/api/v1/orders",
    tag = "orders",
    params(("Idempotency-Key" = String, Header, min_length = 1, max_length = 255, description = "1 to 255 bytes; new for each order")),
    request_body = PlaceWire,
    responses(
        (status = 202, description = "Placed; follow it at `Location`", body = OrderBody, headers(("Location" = String))),
        (status = 400, description = "`idempotency_key_missing`, `invalid_json`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`product_not_found`, with `orderId`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`insufficient_stock`, `customer_limit`, `reservation_refused`, with `orderId`: the order is kept as CANCELLED", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_request`, `idempotency_conflict`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`inventory_unavailable`: the order is CANCELLED, is never charged, and its key may be used again; `unavailable`", body = ProblemBody, content_type = "application/problem+json"),
        CommonProblems,
    )
)]
pub(crate) async fn place(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    let key = idempotency_key(request.headers())?;
    let traceparent = traceparent(request.headers());
    let wanted = json::read::<PlaceWire>(request, app.body_limits()).await?;
    let placement = Placement {
        key,
        fingerprint: wanted.fingerprint(),
        user_id: wanted.user_id,
        items: wanted.items,
        total: wanted.total,
        payment_method: wanted.payment_method,
        request_id: service_kit::http::request_id::current(),
        traceparent,
    };
    let order = app.owned(place_and_reserve(app.clone(), placement)).await?;
    let mut response = json::answer(StatusCode::ACCEPTED, &OrderBody::from(&order));
    if let Some(location) = location(ORDERS_PATH, order.id) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

async fn place_and_reserve(app: App, placement: Placement) -> Result<Order, Problem> {
    match app.store().place(&placement).await.map_err(problems::apply)? {
        Placed::Conflict(order) => Err(problems::idempotency_conflict(order)),
        Placed::Replayed(order) => {
            let found = app.store().read(order).await.map_err(problems::apply)?;
            found.ok_or_else(|| problems::order_not_found(order))
        }
        Placed::New { order, token: None } => Ok(*order),
        Placed::New { order, token: Some(token) } => reserve(&app, *order, token).await,
    }
}

/// Makes the first call of the saga for whoever waits here, under the lease that the placement took.
async fn reserve(app: &App, order: Order, token: Uuid) -> Result<Order, Problem> {
    let claim = Claim { order: order.id, action: Action::ReserveInventory, attempts: 1, token };
    let finished = match app.executor().run_for_caller(&order, &claim).await {
        Ok(finished) => finished,
        Err(error) => {
            // The order is durable and others go on with it.
            tracing::warn!(order = %order.id, %error, "the reserve is left to the workers");
            return Ok(order);
        }
    };
    match finished {
        Finished { settled: Settled::LeaseLost, .. } => {
            let now = app.store().read(order.id).await.map_err(problems::apply)?;
            Ok(now.unwrap_or(order))
        }
        Finished { settled: Settled::Applied(applied), refusal, no_answer } => {
            match (applied.changed, refusal, no_answer) {
                (true, Some(refusal), _) => Err(problems::refused(&applied.order, &refusal)),
                (true, None, Some(silence)) => nothing_ordered(app, applied.order, &silence).await,
                // Cancelled meanwhile, say: the order as it is tells.
                (true, None, None) | (false, _, _) => Ok(applied.order),
            }
        }
    }
}

/// Inventory gave no answer, and the order is CANCELLED: whoever waits may come again with the same key, unless a repeat of the request
/// was told of the order meanwhile. Then everybody is told of it.
async fn nothing_ordered(app: &App, order: Order, silence: &NoAnswer) -> Result<Order, Problem> {
    match app.store().give_key_back(order.id).await.map_err(problems::apply)? {
        true => Err(problems::inventory_unavailable(&order, silence)),
        false => Ok(order),
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<String, Problem> {
    let key = header_text(headers, IDEMPOTENCY_KEY)?.ok_or_else(problems::idempotency_key_missing)?;
    match key.len() {
        1..=TEXT_BYTES_MAX => Ok(key.to_owned()),
        0 => Err(problems::idempotency_key_missing()),
        len => {
            let message = format!("must be at most {TEXT_BYTES_MAX} bytes long, is {len}");
            Err(Problem::invalid_field(IDEMPOTENCY_KEY, message))
        }
    }
}

/// The caller's trace, if it looks like one.
fn traceparent(headers: &HeaderMap) -> Option<String> {
    let text = headers.get("traceparent")?.to_str().ok()?;
    let is_sane = text.len() == TRACEPARENT_BYTES
        && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-' || (b'a'..=b'f').contains(&byte));
    is_sane.then(|| text.to_owned())
}
