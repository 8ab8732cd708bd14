//! Rows, whichever format they come in.

use axum::extract::Request;
use inventory_core::command::SetStock;
use serde::Deserialize;
use service_kit::http::{BodyLimits, Chunks, Line, Lines};
use service_kit::{Problem, json};

use super::csv::CsvRows;
use crate::api::NDJSON;
use crate::limits::IMPORT_ROW_BYTES_MAX;
use crate::wire::stock::ImportRowWire;

const CSV: &str = "text/csv";

/// One row.
#[derive(Debug)]
pub(super) enum Row {
    Set(SetStock),
    Rejected { product_id: Option<i64>, code: &'static str, detail: String },
}

pub(super) enum Rows {
    Csv(Box<CsvRows>),
    Ndjson(Lines),
}

impl Rows {
    pub(super) fn of(request: Request, limits: &BodyLimits) -> Result<Self, Problem> {
        let (head, body) = request.into_parts();
        let mut accepted = vec![CSV];
        accepted.extend(NDJSON);
        let content_type = json::require_content_type(&head.headers, &accepted)?;
        let chunks = Chunks::new(body, limits);
        Ok(if content_type == CSV {
            Self::Csv(Box::new(CsvRows::new(chunks)))
        } else {
            Self::Ndjson(Lines::new(chunks, IMPORT_ROW_BYTES_MAX))
        })
    }

    /// The next row, or none at the end. Cancel-safe.
    pub(super) async fn next(&mut self) -> Result<Option<Row>, Problem> {
        match self {
            Self::Csv(rows) => rows.next().await,
            Self::Ndjson(lines) => Ok(lines.next().await?.map(of_line)),
        }
    }
}

fn of_line(line: Line) -> Row {
    match line {
        Line::Whole(line) => match json::from_slice::<ImportRowWire>(&line) {
            Ok(set) => Row::Set(set),
            Err(problem) => Row::Rejected {
                product_id: product_of(&line),
                code: problem.code(),
                detail: problem.detail().to_owned(),
            },
        },
        Line::TooLong => too_long(),
    }
}

/// For the report: the product of a row that is wrong elsewhere.
fn product_of(line: &[u8]) -> Option<i64> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Named {
        product_id: i64,
    }
    serde_json::from_slice::<Named>(line).ok().map(|named| named.product_id)
}

pub(super) fn too_long() -> Row {
    Row::Rejected {
        product_id: None,
        code: "invalid_request",
        detail: format!("The row is longer than {IMPORT_ROW_BYTES_MAX} bytes; shorten it."),
    }
}
