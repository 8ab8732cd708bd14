//! `POST /api/v1/inventory/import`: any number of rows in constant memory, errors told per row.

mod csv;
mod rows;

use std::collections::HashSet;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use inventory_core::command::SetStock;
use inventory_core::error::SetError;
use inventory_core::ids::ProductId;
use inventory_core::outcome::{SetChange, StockSet};
use service_kit::problem::ProblemBody;
use service_kit::{Problem, json};

use self::rows::{Row, Rows};
use crate::api::CommonProblems;
use crate::limits::{IMPORT_CONCURRENCY, REJECTED_LISTED_MAX};
use crate::problems;
use crate::state::App;
use crate::wire::report::{ImportReportBody, RejectedRowBody};
use crate::wire::stock::ImportRowWire;

/// Create products or set their stock, a row each. A repeat changes nothing.
///
/// `text/csv` with a header of `productId,onHand` and optionally `lowStockThreshold`, `perCustomerLimit` and `name`, in
/// any order; or NDJSON with the same keys. Empty cells leave a setting as it is. Rows that cannot be taken are told
/// and do not stop the others. If the store fails, the import stops with 503: repeat the whole file.
#[utoipa::path(
    post,
    path = "/api/v1/inventory/import",
    tag = "products",
    request_body(content(
        (String = "text/csv", example = "productId,onHand,name\n1,100,Lamp\n"),
        (ImportRowWire = "application/x-ndjson"),
    )),
    responses(
        (status = 200, description = "What was done", body = ImportReportBody),
        (status = 422, description = "`invalid_request`: the CSV's header is wrong, and nothing was imported", body = ProblemBody, content_type = "application/problem+json"),
        CommonProblems,
    )
)]
pub(crate) async fn import(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    let mut rows = Rows::of(request, app.body_limits())?;
    let mut import = Import::default();
    match import.run(&app, &mut rows).await {
        Ok(()) => Ok(json::answer(StatusCode::OK, &import.report())),
        // What had been done until then, for whoever watches; a repeat of the file passes over it.
        Err(problem) => Err(problem.with("rows", import.rows)),
    }
}

#[derive(Default)]
struct Import {
    rows: u64,
    created: u64,
    updated: u64,
    unchanged: u64,
    rejected_total: u64,
    rejected: Vec<RejectedRowBody>,
    /// Products with a row under way. A second row of one waits: later rows win, as in the file.
    busy: HashSet<ProductId>,
}

struct Settled {
    row: u64,
    product: ProductId,
    result: Result<StockSet, SetError>,
}

async fn settle(app: &App, row: u64, set: SetStock) -> Settled {
    let product = set.product;
    Settled { row, product, result: app.engine().import(set).await }
}

impl Import {
    /// Keeps many rows under way, so that they share the engine's batches.
    async fn run(&mut self, app: &App, rows: &mut Rows) -> Result<(), Problem> {
        let mut under_way = FuturesUnordered::new();
        let mut ended = false;
        loop {
            tokio::select! {
                biased;
                Some(settled) = under_way.next() => self.take(settled)?,
                row = rows.next(), if !ended && under_way.len() < IMPORT_CONCURRENCY => {
                    let Some(row) = row? else {
                        ended = true;
                        continue;
                    };
                    self.rows += 1;
                    match row {
                        Row::Set(set) => {
                            while self.busy.contains(&set.product)
                                && let Some(settled) = under_way.next().await
                            {
                                self.take(settled)?;
                            }
                            self.busy.insert(set.product);
                            under_way.push(settle(app, self.rows, set));
                        }
                        Row::Rejected { product_id, code, detail } => {
                            self.reject(RejectedRowBody { row: self.rows, product_id, code, detail });
                        }
                    }
                }
                else => return Ok(()),
            }
        }
    }

    fn take(&mut self, settled: Settled) -> Result<(), Problem> {
        self.busy.remove(&settled.product);
        match settled.result {
            Ok(set) => match set.change {
                SetChange::Created => self.created += 1,
                SetChange::Updated => self.updated += 1,
                SetChange::Unchanged => self.unchanged += 1,
            },
            Err(SetError::Failed(failed)) => return Err(problems::failure(failed)),
            Err(error @ (SetError::BelowHeld { .. } | SetError::Stale { .. })) => {
                let problem = problems::set(error, &[]);
                self.reject(RejectedRowBody {
                    row: settled.row,
                    product_id: Some(settled.product.get()),
                    code: problem.code(),
                    detail: problem.detail().to_owned(),
                });
            }
        }
        Ok(())
    }

    fn reject(&mut self, row: RejectedRowBody) {
        self.rejected_total += 1;
        if self.rejected.len() < REJECTED_LISTED_MAX {
            self.rejected.push(row);
        }
    }

    fn report(mut self) -> ImportReportBody {
        self.rejected.sort_unstable_by_key(|rejected| rejected.row);
        ImportReportBody {
            rows: self.rows,
            created: self.created,
            updated: self.updated,
            unchanged: self.unchanged,
            rejected_more: self.rejected_total - self.rejected.len() as u64,
            rejected: self.rejected,
        }
    }
}
