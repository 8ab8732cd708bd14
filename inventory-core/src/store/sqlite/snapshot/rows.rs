//! SQLite's rows as the audit's. Nothing here refuses a strange value: the audit is to see it.

use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Result, Row};
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::event::OutboxRow;
use crate::ids::{BatchId, OrderId, ProductId};
use crate::store::audit_rows::{
    AdjustRow, AdjustmentRow, BatchRow, CommandLineRow, CustomerRow, DeliveryRow, EffectRow, EventRow,
    FenceRow, HeldRow, LineRow, ProductRow, ReservationRow, VersionRow,
};

/// Where a stream in key order stands.
pub(super) enum Key {
    Integer(i64),
    Blob(Vec<u8>),
    Text(String),
}

impl Key {
    pub(super) fn id(id: Uuid) -> Self {
        Self::Blob(id.as_bytes().to_vec())
    }
}

/// A blob of another length than an id's is cut or filled up: it fits nothing else then, and is named.
fn uuid(bytes: &[u8]) -> Uuid {
    let mut id = [0; 16];
    for (to, from) in id.iter_mut().zip(bytes) {
        *to = *from;
    }
    Uuid::from_bytes(id)
}

fn batch(row: &SqliteRow, column: usize) -> Result<BatchId> {
    Ok(BatchId::new(uuid(row.try_get(column)?)))
}

fn maybe_batch(row: &SqliteRow, column: usize) -> Result<Option<BatchId>> {
    Ok(row.try_get::<Option<&[u8]>, _>(column)?.map(|bytes| BatchId::new(uuid(bytes))))
}

fn order(row: &SqliteRow, column: usize) -> Result<OrderId> {
    Ok(OrderId::new(uuid(row.try_get(column)?)))
}

fn product(row: &SqliteRow, column: usize) -> Result<ProductId> {
    Ok(ProductId::new(row.try_get(column)?))
}

fn at(row: &SqliteRow, column: usize) -> Result<Timestamp> {
    Ok(Timestamp::from_micros(row.try_get(column)?))
}

fn maybe_at(row: &SqliteRow, column: usize) -> Result<Option<Timestamp>> {
    Ok(row.try_get::<Option<i64>, _>(column)?.map(Timestamp::from_micros))
}

/// A line of a left join: product and units, or nothing.
fn maybe_line(row: &SqliteRow, column: usize) -> Result<Option<(ProductId, i64)>> {
    let product: Option<i64> = row.try_get(column)?;
    let units: Option<i64> = row.try_get(column + 1)?;
    Ok(product.map(ProductId::new).zip(units))
}

impl FromRow<'_, SqliteRow> for ProductRow {
    fn from_row(row: &SqliteRow) -> Result<Self> {
        Ok(Self {
            product: product(row, 0)?,
            on_hand: row.try_get(1)?,
            held: row.try_get(2)?,
            version: row.try_get(3)?,
            admin_version: row.try_get(4)?,
            low_stock_threshold: row.try_get(5)?,
            per_customer_limit: row.try_get(6)?,
            limited_since: maybe_at(row, 7)?,
            alert_state: row.try_get(8)?,
            last_batch: batch(row, 9)?,
        })
    }
}

impl FromRow<'_, SqliteRow> for HeldRow {
    fn from_row(row: &SqliteRow) -> Result<Self> {
        Ok(Self { product: product(row, 0)?, units: row.try_get(1)? })
    }
}

impl FromRow<'_, SqliteRow> for VersionRow {
    fn from_row(row: &SqliteRow) -> Result<Self> {
        Ok(Self {
            product: product(row, 0)?,
            version: row.try_get(1)?,
            batch: batch(row, 2)?,
            at: maybe_at(row, 3)?,
            on_hand: row.try_get(4)?,
            held: row.try_get(5)?,
            previous: maybe_batch(row, 6)?,
        })
    }
}

impl FromRow<'_, SqliteRow> for EffectRow {
    fn from_row(row: &SqliteRow) -> Result<Self> {
        Ok(Self {
            product: product(row, 0)?,
            version: row.try_get(1)?,
            batch: batch(row, 2)?,
            kind: row.try_get(3)?,
            units: row.try_get(4)?,
            lines: row.try_get(5)?,
        })
    }
}

impl FromRow<'_, SqliteRow> for CustomerRow {
    fn from_row(row: &SqliteRow) -> Result<Self> {
        Ok(Self { product: product(row, 0)?, customer: row.try_get(1)?, units: row.try_get(2)? })
    }
}

impl FromRow<'_, SqliteRow> for ReservationRow {
    fn from_row(row: &SqliteRow) -> Result<Self> {
        let stored: &str = row.try_get(8)?;
        Ok(Self {
            order: order(row, 0)?,
            status: row.try_get(1)?,
            late: row.try_get::<i64, _>(2)? != 0,
            customer: row.try_get(3)?,
            created_at: at(row, 4)?,
            expires_at: at(row, 5)?,
            expires_at_max: at(row, 6)?,
            ended_at: maybe_at(row, 7)?,
            lines: parse_lines(stored).ok_or_else(|| stored.to_owned()),
        })
    }
}

/// `[[product,requested,remaining],…]`
fn parse_lines(stored: &str) -> Option<Vec<LineRow>> {
    let compact: String = stored.chars().filter(|c| !c.is_whitespace()).collect();
    let inner = compact.strip_prefix('[')?.strip_suffix(']')?;
    if inner.is_empty() {
        return Some(Vec::new());
    }
    let triples = inner.strip_prefix('[')?.strip_suffix(']')?;
    triples
        .split("],[")
        .map(|triple| {
            let mut numbers = triple.split(',').map(|number| number.parse::<i64>().ok());
            let line = LineRow {
                product: ProductId::new(numbers.next()??),
                requested: numbers.next()??,
                remaining: numbers.next()??,
            };
            numbers.next().is_none().then_some(line)
        })
        .collect()
}

impl FromRow<'_, SqliteRow> for CommandLineRow {
    fn from_row(row: &SqliteRow) -> Result<Self> {
        Ok(Self {
            order: order(row, 0)?,
            at: at(row, 1)?,
            batch: batch(row, 2)?,
            position: row.try_get(3)?,
            kind: row.try_get(4)?,
            customer: row.try_get(5)?,
            line: maybe_line(row, 6)?,
        })
    }
}

impl FromRow<'_, SqliteRow> for BatchRow {
    fn from_row(row: &SqliteRow) -> Result<Self> {
        let part: Option<&str> = row.try_get(2)?;
        Ok(Self {
            batch: batch(row, 0)?,
            at: maybe_at(row, 1)?,
            malformed: part.map(|part| format!("the journal has its {part}, but no entry")),
        })
    }
}

impl FromRow<'_, SqliteRow> for FenceRow {
    fn from_row(row: &SqliteRow) -> Result<Self> {
        Ok(Self { batch: batch(row, 0)?, outcome: row.try_get(1)?, at: at(row, 2)? })
    }
}

impl FromRow<'_, SqliteRow> for EventRow {
    fn from_row(row: &SqliteRow) -> Result<Self> {
        let headers: Option<&str> = row.try_get(8)?;
        Ok(Self {
            batch: batch(row, 0)?,
            row: OutboxRow {
                id: uuid(row.try_get(1)?),
                topic: row.try_get(2)?,
                aggregate_type: row.try_get(3)?,
                aggregate_id: row.try_get(4)?,
                aggregate_version: row.try_get::<i64, _>(5)?.cast_unsigned(),
                event_type: row.try_get(6)?,
                payload: row.try_get(7)?,
                headers: headers.map(parse_headers).unwrap_or_default(),
            },
            digest: row.try_get(9)?,
            created_at: at(row, 10)?,
        })
    }
}

/// `hex:hex,…`, as the statement writes it. What is no text is left out, and the digest tells.
fn parse_headers(stored: &str) -> Vec<(String, String)> {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once(':')?;
        Some((unhex(name)?, unhex(value)?))
    };
    stored.split(',').filter_map(pair).collect()
}

fn unhex(digits: &str) -> Option<String> {
    let byte = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    let bytes: Option<Vec<u8>> = (0..digits.len()).step_by(2).map(byte).collect();
    String::from_utf8(bytes?).ok()
}

impl FromRow<'_, SqliteRow> for AdjustmentRow {
    fn from_row(row: &SqliteRow) -> Result<Self> {
        Ok(Self {
            id: row.try_get(0)?,
            product: product(row, 1)?,
            delta: row.try_get(2)?,
            reason: row.try_get(3)?,
            reference: row.try_get(4)?,
            at: at(row, 5)?,
            version: row.try_get(6)?,
        })
    }
}

impl FromRow<'_, SqliteRow> for AdjustRow {
    fn from_row(row: &SqliteRow) -> Result<Self> {
        let version: Option<i64> = row.try_get(8)?;
        Ok(Self {
            id: row.try_get(0)?,
            batch: batch(row, 1)?,
            at: at(row, 2)?,
            kind: row.try_get(3)?,
            reason: row.try_get(4)?,
            reference: row.try_get(5)?,
            line: maybe_line(row, 6)?.map(|(product, units)| (product, units, version)),
        })
    }
}

impl FromRow<'_, SqliteRow> for DeliveryRow {
    fn from_row(row: &SqliteRow) -> Result<Self> {
        Ok(Self {
            message: row.try_get(0)?,
            consumer: row.try_get(1)?,
            at: at(row, 2)?,
            batch: maybe_batch(row, 3)?,
        })
    }
}
