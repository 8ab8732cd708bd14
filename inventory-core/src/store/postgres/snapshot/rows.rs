//! Postgres rows as the audit's. Nothing here refuses a strange value: the audit is to see it.

use sqlx::postgres::PgRow;
use sqlx::{FromRow, Result, Row};
use uuid::Uuid;

use crate::event::OutboxRow;
use crate::ids::{BatchId, OrderId, ProductId};
use crate::store::audit_rows::{
    AdjustRow, AdjustmentRow, BatchRow, CommandLineRow, CustomerRow, DeliveryRow, EffectRow, EventRow,
    FenceRow, HeldRow, LineRow, ProductRow, ReservationRow, VersionRow,
};

fn batch(row: &PgRow, column: usize) -> Result<BatchId> {
    Ok(BatchId::new(row.try_get(column)?))
}

fn maybe_batch(row: &PgRow, column: usize) -> Result<Option<BatchId>> {
    Ok(row.try_get::<Option<Uuid>, _>(column)?.map(BatchId::new))
}

fn order(row: &PgRow, column: usize) -> Result<OrderId> {
    Ok(OrderId::new(row.try_get(column)?))
}

fn product(row: &PgRow, column: usize) -> Result<ProductId> {
    Ok(ProductId::new(row.try_get(column)?))
}

/// A line of a left join: product and units, or nothing.
fn maybe_line(row: &PgRow, column: usize) -> Result<Option<(ProductId, i64)>> {
    let product: Option<i64> = row.try_get(column)?;
    let units: Option<i64> = row.try_get(column + 1)?;
    Ok(product.map(ProductId::new).zip(units))
}

impl FromRow<'_, PgRow> for ProductRow {
    fn from_row(row: &PgRow) -> Result<Self> {
        Ok(Self {
            product: product(row, 0)?,
            on_hand: row.try_get(1)?,
            held: row.try_get(2)?,
            version: row.try_get(3)?,
            admin_version: row.try_get(4)?,
            low_stock_threshold: row.try_get(5)?,
            per_customer_limit: row.try_get(6)?,
            limited_since: row.try_get(7)?,
            alert_state: row.try_get(8)?,
            last_batch: batch(row, 9)?,
        })
    }
}

impl FromRow<'_, PgRow> for HeldRow {
    fn from_row(row: &PgRow) -> Result<Self> {
        Ok(Self { product: product(row, 0)?, units: row.try_get(1)? })
    }
}

impl FromRow<'_, PgRow> for VersionRow {
    fn from_row(row: &PgRow) -> Result<Self> {
        Ok(Self {
            product: product(row, 0)?,
            version: row.try_get(1)?,
            batch: batch(row, 2)?,
            at: row.try_get(3)?,
            on_hand: row.try_get(4)?,
            held: row.try_get(5)?,
            previous: maybe_batch(row, 6)?,
        })
    }
}

impl FromRow<'_, PgRow> for EffectRow {
    fn from_row(row: &PgRow) -> Result<Self> {
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

impl FromRow<'_, PgRow> for CustomerRow {
    fn from_row(row: &PgRow) -> Result<Self> {
        Ok(Self { product: product(row, 0)?, customer: row.try_get(1)?, units: row.try_get(2)? })
    }
}

impl FromRow<'_, PgRow> for ReservationRow {
    fn from_row(row: &PgRow) -> Result<Self> {
        Ok(Self {
            order: order(row, 0)?,
            status: row.try_get(1)?,
            late: row.try_get(2)?,
            customer: row.try_get(3)?,
            created_at: row.try_get(4)?,
            expires_at: row.try_get(5)?,
            expires_at_max: row.try_get(6)?,
            ended_at: row.try_get(7)?,
            lines: lines(&row.try_get::<Vec<_>, _>(8)?, &row.try_get::<Vec<_>, _>(9)?, row.try_get(10)?),
        })
    }
}

/// The arrays as lines; an element that is NULL counts as a number that fits nothing.
fn lines(
    products: &[Option<i64>],
    requested: &[Option<i32>],
    remaining: Option<Vec<Option<i32>>>,
) -> std::result::Result<Vec<LineRow>, String> {
    let remaining = remaining.as_deref().unwrap_or(requested);
    if products.len() != requested.len() || products.len() != remaining.len() {
        return Err(format!(
            "{} products, {} quantities, {} remaining",
            products.len(),
            requested.len(),
            remaining.len()
        ));
    }
    let line = |((product, requested), remaining): ((&Option<i64>, &Option<i32>), &Option<i32>)| LineRow {
        product: ProductId::new(product.unwrap_or(i64::MIN)),
        requested: requested.map_or(-1, i64::from),
        remaining: remaining.map_or(-1, i64::from),
    };
    Ok(products.iter().zip(requested).zip(remaining).map(line).collect())
}

impl FromRow<'_, PgRow> for CommandLineRow {
    fn from_row(row: &PgRow) -> Result<Self> {
        Ok(Self {
            order: order(row, 0)?,
            at: row.try_get(1)?,
            batch: batch(row, 2)?,
            position: row.try_get(3)?,
            kind: row.try_get(4)?,
            customer: row.try_get(5)?,
            line: maybe_line(row, 6)?,
        })
    }
}

impl FromRow<'_, PgRow> for BatchRow {
    fn from_row(row: &PgRow) -> Result<Self> {
        Ok(Self { batch: batch(row, 0)?, at: row.try_get(1)?, malformed: row.try_get(2)? })
    }
}

impl FromRow<'_, PgRow> for FenceRow {
    fn from_row(row: &PgRow) -> Result<Self> {
        Ok(Self { batch: batch(row, 0)?, outcome: row.try_get(1)?, at: row.try_get(2)? })
    }
}

impl FromRow<'_, PgRow> for EventRow {
    fn from_row(row: &PgRow) -> Result<Self> {
        let names: Option<Vec<String>> = row.try_get(8)?;
        let contents: Option<Vec<Option<String>>> = row.try_get(9)?;
        // A header that is null has no text; what it becomes here makes another digest.
        let contents = contents.unwrap_or_default().into_iter().map(|content| content.unwrap_or_default());
        Ok(Self {
            batch: batch(row, 0)?,
            row: OutboxRow {
                id: row.try_get(1)?,
                topic: row.try_get(2)?,
                aggregate_type: row.try_get(3)?,
                aggregate_id: row.try_get(4)?,
                aggregate_version: row.try_get::<i64, _>(5)?.cast_unsigned(),
                event_type: row.try_get(6)?,
                payload: row.try_get(7)?,
                headers: names.unwrap_or_default().into_iter().zip(contents).collect(),
            },
            digest: row.try_get(10)?,
            created_at: row.try_get(11)?,
        })
    }
}

impl FromRow<'_, PgRow> for AdjustmentRow {
    fn from_row(row: &PgRow) -> Result<Self> {
        Ok(Self {
            id: row.try_get(0)?,
            product: product(row, 1)?,
            delta: row.try_get(2)?,
            reason: row.try_get(3)?,
            reference: row.try_get(4)?,
            at: row.try_get(5)?,
            version: row.try_get(6)?,
        })
    }
}

impl FromRow<'_, PgRow> for AdjustRow {
    fn from_row(row: &PgRow) -> Result<Self> {
        let version: Option<i64> = row.try_get(8)?;
        Ok(Self {
            id: row.try_get(0)?,
            batch: batch(row, 1)?,
            at: row.try_get(2)?,
            kind: row.try_get(3)?,
            reason: row.try_get(4)?,
            reference: row.try_get(5)?,
            line: maybe_line(row, 6)?.map(|(product, units)| (product, units, version)),
        })
    }
}

impl FromRow<'_, PgRow> for DeliveryRow {
    fn from_row(row: &PgRow) -> Result<Self> {
        Ok(Self {
            message: row.try_get(0)?,
            consumer: row.try_get(1)?,
            at: row.try_get(2)?,
            batch: maybe_batch(row, 3)?,
        })
    }
}
