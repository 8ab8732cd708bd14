//! `GET /api/v1/inventory/{productId}/journal`.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use inventory_core::ids::ProductId;
use service_kit::http::params::QueryParams;
use service_kit::problem::ProblemBody;
use service_kit::{FieldError, Problem, json};

use super::params::ProductParam;
use crate::api::CommonProblems;
use crate::limits::{JOURNAL_LIMIT_DEFAULT, JOURNAL_LIMIT_MAX, JOURNAL_VERSIONS_PER_READ};
use crate::problems;
use crate::state::App;
use crate::wire::journal::{JournalBody, changes_of};

/// A product's changes, oldest first, each with what was there after it.
#[utoipa::path(
    get,
    path = "/api/v1/inventory/{productId}/journal",
    tag = "products",
    params(
        ("productId" = i64, Path),
        ("fromVersion" = Option<u64>, Query, description = "The first version to tell; 0 by default"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 1000, description = "About how many changes; 100 by default. Changes of one version stay together"),
    ),
    responses(
        (status = 200, description = "A page of changes", body = JournalBody),
        (status = 404, description = "`product_not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_request`", body = ProblemBody, content_type = "application/problem+json"),
        CommonProblems,
    )
)]
pub(crate) async fn journal(
    State(app): State<App>,
    ProductParam(id): ProductParam,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, _body) = request.into_parts();
    let page = Page::of(&QueryParams::of(&parts, &["fromVersion", "limit"])?)?;
    let body = read(&app, id, page).await?;
    if body.items.is_empty() && app.engine().products(&[id]).await.map_err(problems::failure)?.is_empty() {
        return Err(problems::product_not_found(&[id]));
    }
    Ok(json::answer(StatusCode::OK, &body))
}

/// Which part is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Page {
    from_version: u64,
    limit: usize,
}

impl Page {
    fn of(query: &QueryParams) -> Result<Self, Problem> {
        // Versions are kept in signed 64 bits.
        let from_version = query.number("fromVersion", 0, i64::MAX as u64);
        let limit = query.number("limit", 1, JOURNAL_LIMIT_MAX as u64);
        match (from_version, limit) {
            (Ok(from_version), Ok(limit)) => Ok(Self {
                from_version: from_version.unwrap_or(0),
                limit: limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(JOURNAL_LIMIT_DEFAULT),
            }),
            (from_version, limit) => {
                let errors: Vec<FieldError> =
                    [from_version.err(), limit.err()].into_iter().flatten().collect();
                Err(Problem::invalid_request(&errors))
            }
        }
    }
}

/// Reads a few versions at a time until there are enough changes: how many a version has is not known before.
async fn read(app: &App, id: ProductId, page: Page) -> Result<JournalBody, Problem> {
    let mut items = Vec::new();
    let mut from_version = page.from_version;
    loop {
        let versions = app
            .engine()
            .history(id, from_version, JOURNAL_VERSIONS_PER_READ)
            .await
            .map_err(problems::failure)?;
        let is_last_read = versions.len() < JOURNAL_VERSIONS_PER_READ;
        for version in &versions {
            if items.len() >= page.limit {
                let next_cursor = Some(version.after.version.to_string());
                return Ok(JournalBody { items, next_cursor });
            }
            items.extend(changes_of(version));
            from_version = version.after.version.saturating_add(1);
        }
        if is_last_read {
            return Ok(JournalBody { items, next_cursor: None });
        }
    }
}
