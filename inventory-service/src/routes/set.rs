//! `PUT /api/v1/inventory/{productId}`.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use inventory_core::error::SetError;
use inventory_core::ids::ProductId;
use inventory_core::limits::BLOCKING_HOLDS_MAX;
use inventory_core::outcome::SetChange;
use inventory_core::store::HoldOn;
use service_kit::http::params::header_text;
use service_kit::problem::ProblemBody;
use service_kit::{Problem, json};

use super::params::ProductParam;
use super::product::with_etag;
use crate::api::{CommonProblems, INVENTORY_PATH};
use crate::problems;
use crate::state::App;
use crate::wire::product::ProductBody;
use crate::wire::stock::SetWire;

/// Create a product, or set its stock and settings. Absent optional fields are left as they are.
#[utoipa::path(
    put,
    path = "/api/v1/inventory/{productId}",
    tag = "products",
    params(
        ("productId" = i64, Path),
        ("If-Match" = Option<String>, Header, pattern = r#"^(\*|(W/)?"[^"]*")$"#, description = "The ETag that was read, or `*` for any existing product"),
    ),
    request_body = SetWire,
    responses(
        (status = 200, description = "Set", body = ProductBody, headers(("ETag" = String))),
        (status = 201, description = "Created", body = ProductBody, headers(("ETag" = String), ("Location" = String))),
        (status = 409, description = "`below_held`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 412, description = "`stale`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_request`", body = ProblemBody, content_type = "application/problem+json"),
        CommonProblems,
    )
)]
pub(crate) async fn put_product(
    State(app): State<App>,
    ProductParam(id): ProductParam,
    request: Request,
) -> Result<Response, Problem> {
    let condition = condition(request.headers())?;
    let settings = json::read::<SetWire>(request, app.body_limits()).await?;
    let expected = match condition {
        Condition::None => None,
        Condition::Version(version) => Some(version),
        Condition::Exists => {
            // Products are never removed, so what exists now exists when it is set.
            let products = app.engine().products(&[id]).await.map_err(problems::failure)?;
            if products.is_empty() {
                return Err(problems::stale(id, None));
            }
            None
        }
        Condition::NeverTrue => {
            let products = app.engine().products(&[id]).await.map_err(problems::failure)?;
            return Err(problems::stale(id, products.first().map(|product| product.admin_version)));
        }
    };
    match app.engine().set(settings.of(id, expected)).await {
        Ok(set) => {
            let status = match set.change {
                SetChange::Created => StatusCode::CREATED,
                SetChange::Updated | SetChange::Unchanged => StatusCode::OK,
            };
            let mut response = json::answer(status, &ProductBody::from(&set.product));
            if status == StatusCode::CREATED
                && let Ok(location) = HeaderValue::try_from(format!("{INVENTORY_PATH}/{id}"))
            {
                response.headers_mut().insert(header::LOCATION, location);
            }
            Ok(with_etag(response, &set.product))
        }
        Err(error) => {
            let holds = match &error {
                SetError::BelowHeld { .. } => blocking_holds(&app, id).await,
                SetError::Stale { .. } | SetError::Failed(_) => Vec::new(),
            };
            Err(problems::set(error, &holds))
        }
    }
}

/// Holds that stand in the way, for the refusal to name. Were they not readable just now, the refusal still stands.
pub(super) async fn blocking_holds(app: &App, product: ProductId) -> Vec<HoldOn> {
    app.engine().holds_on(product, BLOCKING_HOLDS_MAX).await.unwrap_or_default()
}

/// What `If-Match` asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Condition {
    None,
    /// `*`: the product exists.
    Exists,
    /// `"17"`.
    Version(u64),
    /// A tag that this service never gave, or a weak one, which never matches here (RFC 9110, 13.1.1).
    NeverTrue,
}

fn condition(headers: &HeaderMap) -> Result<Condition, Problem> {
    if headers.contains_key(header::IF_NONE_MATCH) {
        return Err(Problem::invalid_field("If-None-Match", "is not supported here; leave it out"));
    }
    let Some(text) = header_text(headers, "If-Match")?.map(str::trim) else { return Ok(Condition::None) };
    if text == "*" {
        return Ok(Condition::Exists);
    }
    let strong = text.strip_prefix("W/").unwrap_or(text);
    match strong.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(tag) if !tag.contains('"') => match tag.parse() {
            Ok(version) if strong == text => Ok(Condition::Version(version)),
            Ok(_) | Err(_) => Ok(Condition::NeverTrue),
        },
        Some(_) | None => Err(Problem::invalid_field(
            "If-Match",
            "must be one ETag as GET answers it, such as \"17\" with its quotes, or *",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &'static str, value: &'static str) -> Result<Condition, Problem> {
        condition(&HeaderMap::from_iter([(name.parse().unwrap(), HeaderValue::from_static(value))]))
    }

    #[test]
    fn if_match_takes_one_tag_or_a_star() {
        assert_eq!(condition(&HeaderMap::new()).unwrap(), Condition::None);
        assert_eq!(of("if-match", "\"17\"").unwrap(), Condition::Version(17));
        assert_eq!(of("if-match", "*").unwrap(), Condition::Exists);
        assert_eq!(of("if-match", "W/\"17\"").unwrap(), Condition::NeverTrue);
        assert_eq!(of("if-match", "\"abc\"").unwrap(), Condition::NeverTrue);
    }

    #[test]
    fn what_cannot_be_a_condition_is_refused_rather_than_ignored() {
        for value in ["17", "\"17", "\"1\", \"2\"", "", "\""] {
            assert_eq!(of("if-match", value).unwrap_err().code(), "invalid_request", "{value}");
        }
        assert!(of("if-none-match", "*").is_err());
    }
}
