//! Rows of an import file: text in, commands or reasons out. Pure.

use std::io::{BufRead, BufReader, Read};

use csv::{ByteRecord, StringRecord};
use inventory_core::command::SetStock;
use inventory_core::ids::{Note, ProductId};
use inventory_core::quantity::{Quantity, Units};
use serde::Deserialize;

use crate::cli::Format;

/// The longest line of NDJSON that is read as one row.
const LINE_BYTES_MAX: u64 = 64 * 1024;
/// A row's form is wrong.
pub const INVALID_ROW: &str = "invalid_request";

/// One row, taken or not.
pub type Row = Result<SetStock, RejectedRow>;

/// A row that was not stored.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RejectedRow {
    /// Which row, counted from 1; the header and blank lines are not counted.
    pub row: u64,
    /// Which product, if that could be read.
    #[serde(default)]
    pub product_id: Option<i64>,
    /// A stable name of the reason.
    pub code: String,
    /// What to change.
    pub detail: String,
}

/// Why the whole file was refused.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableRows {
    /// The header does not name the columns.
    #[error("the header {0}; it must be productId,onHand[,lowStockThreshold][,perCustomerLimit][,name]")]
    Header(String),
    /// The file broke off, or is not what it claims to be.
    #[error("the file could not be read to its end")]
    Read(#[from] std::io::Error),
    /// As [`UnreadableRows::Read`].
    #[error("the file could not be read to its end")]
    Csv(#[from] csv::Error),
}

/// Rows and their numbers, counted from 1; the header and blank lines are not counted.
pub type Rows = Box<dyn Iterator<Item = Result<(u64, Row), UnreadableRows>>>;

/// Reads rows one at a time.
pub fn read(source: Box<dyn Read + Send>, format: Format) -> Result<Rows, UnreadableRows> {
    match format {
        Format::Csv => read_csv(source),
        Format::Ndjson => Ok(read_ndjson(BufReader::new(source))),
    }
}

/// What a row says, before it is judged.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Fields {
    product_id: Option<i64>,
    on_hand: Option<i64>,
    low_stock_threshold: Option<i64>,
    per_customer_limit: Option<i64>,
    name: Option<String>,
}

impl Fields {
    fn judge(self) -> Result<SetStock, String> {
        let product = self.product_id.ok_or("productId is missing")?;
        let on_hand = self.on_hand.ok_or("onHand is missing")?;
        let named = |name: &'static str| move |why: &dyn std::fmt::Display| format!("{name} {why}");
        Ok(SetStock {
            product: ProductId::new(product),
            on_hand: Units::level(on_hand).map_err(|why| named("onHand")(&why))?,
            low_stock_threshold: self
                .low_stock_threshold
                .map(Units::level)
                .transpose()
                .map_err(|why| named("lowStockThreshold")(&why))?,
            per_customer_limit: self
                .per_customer_limit
                .map(Quantity::new)
                .transpose()
                .map_err(|why| named("perCustomerLimit")(&why))?,
            name: self.name.as_deref().map(Note::parse).transpose().map_err(|why| named("name")(&why))?,
            expected_admin_version: None,
        })
    }
}

fn reject(row: u64, product_id: Option<i64>, detail: String) -> RejectedRow {
    RejectedRow { row, product_id, code: INVALID_ROW.to_owned(), detail }
}

/// Which column is which.
struct Header {
    product_id: usize,
    on_hand: usize,
    low_stock_threshold: Option<usize>,
    per_customer_limit: Option<usize>,
    name: Option<usize>,
    columns: usize,
}

impl Header {
    fn parse(record: &ByteRecord) -> Result<Self, UnreadableRows> {
        const KNOWN: [&str; 5] = ["productId", "onHand", "lowStockThreshold", "perCustomerLimit", "name"];
        let mut places = [None; 5];
        for (place, column) in record.iter().enumerate() {
            let column = String::from_utf8_lossy(column);
            let column = column.trim();
            let Some(known) = KNOWN.iter().position(|name| *name == column) else {
                return Err(UnreadableRows::Header(format!("has an unknown column {column:?}")));
            };
            if places[known].replace(place).is_some() {
                return Err(UnreadableRows::Header(format!("names {column} twice")));
            }
        }
        let [product_id, on_hand, low_stock_threshold, per_customer_limit, name] = places;
        let missing = |name: &str| UnreadableRows::Header(format!("has no column {name}"));
        Ok(Self {
            product_id: product_id.ok_or_else(|| missing("productId"))?,
            on_hand: on_hand.ok_or_else(|| missing("onHand"))?,
            low_stock_threshold,
            per_customer_limit,
            name,
            columns: record.len(),
        })
    }

    fn row(&self, row: u64, record: ByteRecord) -> Row {
        let record = StringRecord::from_byte_record(record)
            .map_err(|_| reject(row, None, "is not UTF-8 text".to_owned()))?;
        if record.len() != self.columns {
            let detail = format!("has {} fields where the header has {}", record.len(), self.columns);
            return Err(reject(row, None, detail));
        }
        let cell = |place: usize| record.get(place).map(str::trim).filter(|text| !text.is_empty());
        let number = |name: &str, place: Option<usize>| {
            place.and_then(cell).map(|text| whole_number(name, text)).transpose()
        };
        let product_id = number("productId", Some(self.product_id)).map_err(|why| reject(row, None, why))?;
        let fields = || -> Result<SetStock, String> {
            let on_hand = number("onHand", Some(self.on_hand))?;
            let low_stock_threshold = number("lowStockThreshold", self.low_stock_threshold)?;
            let per_customer_limit = number("perCustomerLimit", self.per_customer_limit)?;
            let name = self.name.and_then(cell).map(str::to_owned);
            Fields { product_id, on_hand, low_stock_threshold, per_customer_limit, name }.judge()
        };
        fields().map_err(|why| reject(row, product_id, why))
    }
}

fn whole_number(name: &str, text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| format!("{name} must be a whole number, is {text:?}"))
}

fn read_csv(source: Box<dyn Read + Send>) -> Result<Rows, UnreadableRows> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(source);
    let header = Header::parse(reader.byte_headers()?)?;
    let mut number = 0;
    Ok(Box::new(reader.into_byte_records().map(move |record| {
        number += 1;
        Ok((number, header.row(number, record?)))
    })))
}

fn read_ndjson(mut source: BufReader<Box<dyn Read + Send>>) -> Rows {
    let mut number = 0;
    Box::new(std::iter::from_fn(move || {
        loop {
            match next_line(&mut source) {
                Ok(None) => return None,
                Ok(Some(line)) if line.trim_ascii().is_empty() => {}
                Ok(Some(line)) => {
                    number += 1;
                    return Some(Ok((number, parse_json(number, &line))));
                }
                Err(why) => return Some(Err(UnreadableRows::Read(why))),
            }
        }
    }))
}

/// The next line, cut off where no sensible row would still go on.
fn next_line(source: &mut BufReader<Box<dyn Read + Send>>) -> std::io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    if source.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.last() != Some(&b'\n') {
        source.skip_until(b'\n')?;
    }
    Ok(Some(line))
}

fn parse_json(row: u64, line: &[u8]) -> Row {
    let fields: Fields = serde_json::from_slice(line)
        .map_err(|why| reject(row, None, format!("is not a JSON object with the known keys: {why}")))?;
    let product_id = fields.product_id;
    fields.judge().map_err(|why| reject(row, product_id, why))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &'static str, format: Format) -> Vec<Row> {
        let rows = read(Box::new(text.as_bytes()), format).unwrap();
        rows.map(|row| row.unwrap().1).collect()
    }

    fn header_error(text: &'static str) -> String {
        read(Box::new(text.as_bytes()), Format::Csv).err().unwrap().to_string()
    }

    #[test]
    fn columns_are_told_by_name_and_empty_cells_are_absent() {
        let rows = all(
            "\u{feff}name,onHand,productId,lowStockThreshold\n\"Milk, whole\",5,7,\n,6,8,2\n",
            Format::Csv,
        );
        let first = rows[0].clone().unwrap();
        assert_eq!((first.product.get(), first.on_hand.get()), (7, 5));
        assert_eq!(first.name.unwrap().as_str(), "Milk, whole");
        assert_eq!(first.low_stock_threshold, None);
        let second = rows[1].clone().unwrap();
        assert_eq!((second.name, second.low_stock_threshold), (None, Some(Units::stored(2))));
    }

    #[test]
    fn a_bad_row_is_rejected_by_number_and_the_next_one_is_read() {
        let rows = all(
            "productId,onHand,perCustomerLimit\n1,many,\n2,-1,\n3\n4,4,0\nx,1,\n6,6,6\n,1,\n",
            Format::Csv,
        );
        let told: Vec<_> = rows
            .iter()
            .filter_map(|row| row.as_ref().err())
            .map(|bad| (bad.row, bad.product_id, bad.detail.split(' ').next().unwrap()))
            .collect();
        assert_eq!(
            told,
            [
                (1, Some(1), "onHand"),
                (2, Some(2), "onHand"),
                (3, None, "has"),
                (4, Some(4), "perCustomerLimit"),
                (5, None, "productId"),
                (7, None, "productId"),
            ]
        );
        assert_eq!(rows[5].clone().unwrap().product.get(), 6);
    }

    #[test]
    fn ndjson_has_the_same_keys() {
        let rows = all(
            "{\"productId\":1,\"onHand\":2,\"name\":\"x\"}\n{\"productId\":1,\"onhand\":2}\n\n \r\nnonsense\n{\"productId\":9,\"onHand\":3}",
            Format::Ndjson,
        );
        assert_eq!(rows[0].clone().unwrap().on_hand.get(), 2);
        assert!(rows[1].clone().unwrap_err().detail.contains("onhand"));
        assert_eq!(rows[2].clone().unwrap_err().row, 3);
        assert_eq!(rows[3].clone().unwrap().product.get(), 9);
    }

    #[test]
    fn a_header_that_does_not_name_the_columns_is_refused_whole() {
        assert!(header_error("productId,stock\n1,2\n").contains("unknown column \"stock\""));
        assert!(header_error("productId\n1\n").contains("no column onHand"));
        assert!(header_error("productId,onHand,onHand\n").contains("twice"));
        assert!(header_error("").contains("no column productId"));
    }

    #[test]
    fn an_endless_line_is_one_rejected_row() {
        let mut text = vec![b'x'; 200_000];
        text.extend_from_slice(b"\n{\"productId\":1,\"onHand\":2}\n");
        let rows: Vec<_> = read(Box::new(std::io::Cursor::new(text)), Format::Ndjson)
            .unwrap()
            .map(|row| row.unwrap().1.is_ok())
            .collect();
        assert_eq!(rows, [false, true]);
    }
}
