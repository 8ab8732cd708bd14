//! CSV (RFC 4180) out of a streamed body: quoted fields, either line end, a byte-order mark, columns in any order.

use axum::body::Bytes;
use csv_core::{ReadRecordResult, Reader};
use service_kit::http::Chunks;
use service_kit::json::Wire;
use service_kit::{FieldError, Problem};

use super::rows::{Row, too_long};
use crate::limits::{IMPORT_COLUMNS_MAX, IMPORT_ROW_BYTES_MAX};
use crate::wire::stock::ImportRowWire;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
const COLUMNS: [&str; 5] = ["productId", "onHand", "lowStockThreshold", "perCustomerLimit", "name"];
const REQUIRED: [&str; 2] = ["productId", "onHand"];

/// Rows of a CSV body. All state lives here, so that a dropped `next` loses nothing.
pub(super) struct CsvRows {
    chunks: Chunks,
    reader: Reader,
    chunk: Bytes,
    at_end: bool,
    /// Bytes at the very start that may still turn out to be a byte-order mark.
    start: Option<Vec<u8>>,
    fields: Vec<u8>,
    fields_len: usize,
    ends: Vec<usize>,
    ends_len: usize,
    is_too_long: bool,
    header: Option<Header>,
}

/// Where each column stands.
#[derive(PartialEq, Eq, Debug)]
struct Header {
    width: usize,
    places: [Option<usize>; COLUMNS.len()],
}

enum Record {
    Whole,
    TooLong,
}

impl CsvRows {
    pub(super) fn new(chunks: Chunks) -> Self {
        Self {
            chunks,
            reader: Reader::new(),
            chunk: Bytes::new(),
            at_end: false,
            start: Some(Vec::new()),
            fields: vec![0; IMPORT_ROW_BYTES_MAX],
            fields_len: 0,
            ends: vec![0; IMPORT_COLUMNS_MAX],
            ends_len: 0,
            is_too_long: false,
            header: None,
        }
    }

    /// The next row; 422 if there is no acceptable header before it.
    pub(super) async fn next(&mut self) -> Result<Option<Row>, Problem> {
        if self.header.is_none() {
            let header = match self.record().await? {
                Some(Record::Whole) => Header::parse(&self.texts().unwrap_or_default())?,
                Some(Record::TooLong) | None => Header::parse(&[])?,
            };
            self.clear();
            self.header = Some(header);
        }
        let row = match self.record().await? {
            None => return Ok(None),
            Some(Record::TooLong) => too_long(),
            Some(Record::Whole) => match (self.texts(), &self.header) {
                (Some(texts), Some(header)) => header.row(&texts),
                (None, _) | (_, None) => rejected(None, FieldError::new("", "must be UTF-8 text")),
            },
        };
        self.clear();
        Ok(Some(row))
    }

    /// Reads one record into `fields` and `ends`.
    async fn record(&mut self) -> Result<Option<Record>, Problem> {
        loop {
            if self.chunk.is_empty() && !self.at_end {
                self.read_chunk().await?;
                continue;
            }
            // An empty input tells the reader that this is the end.
            let (result, read, written, ended) = self.reader.read_record(
                &self.chunk,
                &mut self.fields[self.fields_len..],
                &mut self.ends[self.ends_len..],
            );
            let _ = self.chunk.split_to(read);
            self.fields_len += written;
            self.ends_len += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    self.is_too_long = true;
                    self.fields_len = 0;
                    self.ends_len = 0;
                }
                ReadRecordResult::Record if self.is_too_long => return Ok(Some(Record::TooLong)),
                ReadRecordResult::Record => return Ok(Some(Record::Whole)),
                ReadRecordResult::End => return Ok(None),
            }
        }
    }

    async fn read_chunk(&mut self) -> Result<(), Problem> {
        match self.chunks.next().await? {
            None => self.at_end = true,
            Some(chunk) => self.chunk = chunk,
        }
        let Some(start) = &mut self.start else { return Ok(()) };
        start.extend_from_slice(&self.chunk);
        self.chunk = Bytes::new();
        if start.len() >= BYTE_ORDER_MARK.len() || self.at_end {
            let skipped = if start.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
            self.chunk = Bytes::copy_from_slice(&start[skipped..]);
            self.start = None;
        }
        Ok(())
    }

    fn texts(&self) -> Option<Vec<&str>> {
        let mut from = 0;
        self.ends[..self.ends_len]
            .iter()
            .map(|end| {
                let field = self.fields.get(from..*end)?;
                from = *end;
                std::str::from_utf8(field).ok().map(str::trim)
            })
            .collect()
    }

    fn clear(&mut self) {
        self.fields_len = 0;
        self.ends_len = 0;
        self.is_too_long = false;
    }
}

impl Header {
    fn parse(names: &[&str]) -> Result<Self, Problem> {
        let mut errors = Vec::new();
        let mut places = [None; COLUMNS.len()];
        for (place, name) in names.iter().enumerate() {
            match COLUMNS.iter().position(|column| column == name) {
                None => errors.push(FieldError::new(
                    format!("header.{name}"),
                    format!("is not known; known are {}", COLUMNS.join(", ")),
                )),
                Some(column) if places[column].is_some() => {
                    errors.push(FieldError::new(format!("header.{name}"), "stands there twice"));
                }
                Some(column) => places[column] = Some(place),
            }
        }
        for (column, name) in COLUMNS.iter().enumerate() {
            if REQUIRED.contains(name) && places[column].is_none() {
                let message = "is required; the first line names the columns";
                errors.push(FieldError::new(format!("header.{name}"), message));
            }
        }
        if errors.is_empty() {
            Ok(Self { width: names.len(), places })
        } else {
            Err(Problem::invalid_request(&errors))
        }
    }

    fn row(&self, texts: &[&str]) -> Row {
        let cell = |column: usize| {
            self.places[column].and_then(|place| texts.get(place)).copied().filter(|text| !text.is_empty())
        };
        let product_id = cell(0).and_then(|text| text.parse().ok());
        if texts.len() != self.width {
            let message = format!("has {} fields where the header has {}", texts.len(), self.width);
            return rejected(product_id, FieldError::new("", message));
        }
        let number = |column: usize| match cell(column).map(|text| (text, text.parse::<i64>())) {
            None => Ok(None),
            Some((_, Ok(number))) => Ok(Some(number)),
            Some((text, Err(_))) => {
                Err(FieldError::new(COLUMNS[column], format!("must be a whole number, is {text:?}")))
            }
        };
        let required =
            |column: usize| number(column)?.ok_or_else(|| FieldError::new(COLUMNS[column], "is required"));
        let set = || {
            ImportRowWire {
                product_id: required(0)?,
                on_hand: required(1)?,
                low_stock_threshold: number(2)?,
                per_customer_limit: number(3)?,
                name: cell(4).map(str::to_owned),
            }
            .parse()
        };
        match set() {
            Ok(set) => Row::Set(set),
            Err(error) => rejected(product_id, error),
        }
    }
}

fn rejected(product_id: Option<i64>, error: FieldError) -> Row {
    let subject = if error.field.is_empty() { "The row" } else { error.field.as_str() };
    Row::Rejected { product_id, code: "invalid_request", detail: format!("{subject} {}.", error.message) }
}

#[cfg(test)]
#[path = "csv_tests.rs"]
mod tests;
