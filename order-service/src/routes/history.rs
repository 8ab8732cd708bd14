//! `GET /api/v1/orders/user/{userId}`.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use service_kit::http::params::QueryParams;
use service_kit::problem::ProblemBody;
use service_kit::{FieldError, Problem, json};
use uuid::Uuid;

use super::params::UserParam;
use crate::api::CommonProblems;
use crate::limits::{PAGE_DEFAULT, PAGE_MAX};
use crate::problems;
use crate::state::App;
use crate::store::Order;
use crate::store::read::After;
use crate::wire::order::{OrderBody, OrderPageBody};

/// A user's orders, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/orders/user/{userId}",
    tag = "orders",
    params(
        ("userId" = String, Path),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before"),
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

pub(super) fn page_of(query: &QueryParams) -> Result<(Option<After>, usize), Problem> {
    let limit = match query.get("limit").map(str::parse::<usize>) {
        None => Ok(PAGE_DEFAULT),
        Some(Ok(limit)) if (1..=PAGE_MAX).contains(&limit) => Ok(limit),
        Some(_) => Err(FieldError::new("limit", format!("must be a whole number from 1 to {PAGE_MAX}"))),
    };
    let after = query.get("cursor").map(parse_cursor).transpose();
    match (after, limit) {
        (Ok(after), Ok(limit)) => Ok((after, limit)),
        (after, limit) => {
            let errors: Vec<_> = [after.err(), limit.err()].into_iter().flatten().collect();
            Err(Problem::invalid_request(&errors))
        }
    }
}

fn cursor_of(order: &Order) -> String {
    format!("{:x}.{}", order.created_at.timestamp_micros(), order.id.simple())
}

fn parse_cursor(text: &str) -> Result<After, FieldError> {
    let wrong = || FieldError::new("cursor", "must be the nextCursor of the page before");
    let (micros, id) = text.split_once('.').ok_or_else(wrong)?;
    let micros = i64::from_str_radix(micros, 16).map_err(|_| wrong())?;
    let created_at = chrono::DateTime::from_timestamp_micros(micros).ok_or_else(wrong)?;
    Ok(After { created_at, id: Uuid::try_parse(id).map_err(|_| wrong())? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_that_nobody_gave_is_refused() {
        for wrong in ["", ".", "x.y", "1", "1.z", "zz.00000000000000000000000000000000"] {
            assert!(parse_cursor(wrong).is_err(), "{wrong:?}");
        }
        assert!(parse_cursor("5f.0197a3b01c0070008000000000000001").is_ok());
    }
}
