//! `GET /api/v1/orders/user/{userId}`.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use service_kit::http::params::QueryParams;
use service_kit::problem::ProblemBody;
use service_kit::{Problem, json};

use super::params::UserParam;
use crate::api::CommonProblems;
use crate::problems;
use crate::state::App;
use crate::store::Order;
use crate::wire::order::{OrderBody, OrderPageBody};
use crate::wire::page::{cursor_of, page_of};

/// A user's orders, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/orders/user/{userId}",
    tag = "orders",
    params(
        ("userId" = String, Path, min_length = 1, max_length = 255),
        ("cursor" = Option<String>, Query, pattern = r"^[0-9a-f]{1,15}\.[0-9a-f]{32}$", description = "`nextCursor` of the page before"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 100, description = "How many; 20 by default"),
    ),
    responses(
        (status = 200, description = "A page of orders", body = OrderPageBody),
        (status = 422, description = "`invalid_request`", body = ProblemBody, content_type = "application/problem+json"),
        CommonProblems,
    )
)]
pub(crate) async fn history(
    State(app): State<App>,
    UserParam(user): UserParam,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, _body) = request.into_parts();
    let (after, limit) = page_of(&QueryParams::of(&parts, &["cursor", "limit"])?)?;
    // One more than asked for: whether there is a next page.
    let orders = app.store().of_user(&user, after, limit + 1).await.map_err(problems::apply)?;
    Ok(answer(orders, limit))
}

/// A page of `limit` orders, of which one more was read.
pub(super) fn answer(mut orders: Vec<Order>, limit: usize) -> Response {
    let has_more = orders.len() > limit;
    orders.truncate(limit);
    let next_cursor = if has_more { orders.last().map(cursor_of) } else { None };
    let items = orders.iter().map(OrderBody::from).collect();
    json::answer(StatusCode::OK, &OrderPageBody { items, next_cursor })
}
