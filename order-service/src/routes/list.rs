//! `GET /api/v1/orders`.

use axum::extract::{Request, State};
use axum::response::Response;
use service_kit::Problem;
use service_kit::http::params::QueryParams;
use service_kit::problem::ProblemBody;

use super::history::answer;
use crate::api::CommonProblems;
use crate::problems;
use crate::state::App;
use crate::wire::order::OrderPageBody;
use crate::wire::page::page_of;

/// Everybody's orders, oldest first: for operators and audits.
#[utoipa::path(
    get,
    path = "/api/v1/orders",
    tag = "operations",
    params(
        ("cursor" = Option<String>, Query, pattern = r"^[0-9a-f]{1,15}\.[0-9a-f]{32}$", description = "`nextCursor` of the page before"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 100, description = "How many; 20 by default"),
    ),
    responses(
        (status = 200, description = "A page of orders", body = OrderPageBody),
        (status = 422, description = "`invalid_request`", body = ProblemBody, content_type = "application/problem+json"),
        CommonProblems,
    )
)]
pub(crate) async fn list(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    let (parts, _body) = request.into_parts();
    let (after, limit) = page_of(&QueryParams::of(&parts, &["cursor", "limit"])?)?;
    let orders = app.store().all(after, limit + 1).await.map_err(problems::apply)?;
    Ok(answer(orders, limit))
}
