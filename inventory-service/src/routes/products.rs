//! `GET /api/v1/inventory?productIds=1,2,3`.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use inventory_core::ids::ProductId;
use inventory_core::product::Product;
use service_kit::http::params::QueryParams;
use service_kit::problem::ProblemBody;
use service_kit::{Problem, json};

use super::params::parse_product;
use crate::api::CommonProblems;
use crate::limits::PRODUCT_IDS_MAX;
use crate::problems;
use crate::state::App;
use crate::wire::product::{ProductBody, ProductsBody};

/// Several products' stock.
#[utoipa::path(
    get,
    path = "/api/v1/inventory",
    tag = "products",
    params(("productIds" = String, Query, pattern = "^-?[0-9]+(,-?[0-9]+)*$", description = "1 to 256 product ids, separated by commas", example = "1,2,3")),
    responses(
        (status = 200, description = "Those that exist, and the ids of those that do not", body = ProductsBody),
        (status = 422, description = "`invalid_request`", body = ProblemBody, content_type = "application/problem+json"),
        CommonProblems,
    )
)]
pub(crate) async fn list_products(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    let (parts, _body) = request.into_parts();
    let query = QueryParams::of(&parts, &["productIds"])?;
    let ids = parse_ids(query.get("productIds"))
        .map_err(|message| Problem::invalid_field("productIds", message))?;
    let products = app.engine().products(&ids).await.map_err(problems::failure)?;
    Ok(json::answer(StatusCode::OK, &found_and_missing(&ids, products)))
}

/// Sorted, each once.
fn parse_ids(text: Option<&str>) -> Result<Vec<ProductId>, String> {
    let text = text.ok_or("is required, for example productIds=1,2,3")?;
    let mut ids =
        text.split(',').map(|id| parse_product(id.trim())).collect::<Result<Vec<ProductId>, String>>()?;
    if ids.len() > PRODUCT_IDS_MAX {
        return Err(format!("must name at most {PRODUCT_IDS_MAX} products, names {}", ids.len()));
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

fn found_and_missing(ids: &[ProductId], mut products: Vec<Product>) -> ProductsBody {
    products.sort_unstable_by_key(|product| product.id);
    let is_there = |id: &ProductId| products.binary_search_by_key(id, |product| product.id).is_ok();
    ProductsBody {
        missing: ids.iter().filter(|id| !is_there(id)).map(|id| id.get()).collect(),
        items: products.iter().map(ProductBody::from).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_sorted_and_taken_once() {
        let ids = parse_ids(Some("3, 1,3,-2")).unwrap();
        assert_eq!(ids, [-2, 1, 3].map(ProductId::new));
    }

    #[test]
    fn none_a_word_or_too_many_are_refused() {
        assert!(parse_ids(None).is_err());
        assert!(parse_ids(Some("")).is_err());
        assert!(parse_ids(Some("1,,2")).is_err());
        assert!(parse_ids(Some("1,lamp")).unwrap_err().contains("lamp"));
        assert!(parse_ids(Some(&["1"; PRODUCT_IDS_MAX].join(","))).is_ok());
        assert!(parse_ids(Some(&["1"; PRODUCT_IDS_MAX + 1].join(","))).is_err());
    }
}
