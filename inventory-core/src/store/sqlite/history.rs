//! A product's journal, read back.

use futures::TryStreamExt;
use sqlx::sqlite::SqliteRow;

use super::error::{corrupt, store_error};
use super::read::row_limit;
use super::{Shared, rows};
use crate::ids::{BatchId, Note, OrderId, ProductId};
use crate::journal::{ChangeKind, JournalProduct, ProductChange, ProductVersion};
use crate::quantity::Units;
use crate::store::StoreError;

/// One row per change, and one for a version without any.
const HISTORY: &str = "SELECT v.batch_id, j.at, v.version, v.on_hand, v.held, v.previous, \
        c.kind, c.order_id, l.units, c.reason \
    FROM (SELECT * FROM journal_product WHERE product_id = ?1 AND version >= ?2 ORDER BY version LIMIT ?3) v \
    JOIN journal j ON j.batch_id = v.batch_id \
    LEFT JOIN journal_line l ON l.batch_id = v.batch_id AND l.product_id = ?1 \
    LEFT JOIN journal_command c ON c.batch_id = l.batch_id AND c.position = l.position \
    ORDER BY v.version, l.position";

impl Shared {
    pub(super) async fn history(
        &self,
        product: ProductId,
        from_version: u64,
        limit: usize,
    ) -> Result<Vec<ProductVersion>, StoreError> {
        let Ok(from_version) = i64::try_from(from_version) else { return Ok(Vec::new()) };
        let mut stream = sqlx::query(HISTORY)
            .bind(product.get())
            .bind(from_version)
            .bind(row_limit(limit))
            .fetch(&self.readers);
        let mut versions: Vec<ProductVersion> = Vec::new();
        while let Some(row) = stream.try_next().await.map_err(store_error)? {
            let number = rows::unsigned(&row, 2)?;
            if versions.last().is_none_or(|last| last.after.version != number) {
                versions.push(version(&row, product, number)?);
            }
            if let (Some(last), Some(change)) = (versions.last_mut(), change(&row)?) {
                last.changes.push(change);
            }
        }
        Ok(versions)
    }
}

fn version(row: &SqliteRow, product: ProductId, version: u64) -> Result<ProductVersion, StoreError> {
    let after = JournalProduct {
        product,
        version,
        on_hand: Units::stored(rows::get(row, 3)?),
        held: Units::stored(rows::get(row, 4)?),
        previous: rows::maybe_uuid(row, 5)?.map(BatchId::new),
    };
    Ok(ProductVersion {
        batch: BatchId::new(rows::get(row, 0)?),
        at: rows::time(row, 1)?,
        after,
        changes: Vec::new(),
    })
}

fn change(row: &SqliteRow) -> Result<Option<ProductChange>, StoreError> {
    let Some(code) = rows::get::<Option<i64>>(row, 6)? else { return Ok(None) };
    let kind = ChangeKind::from_code(code).ok_or_else(|| corrupt(format!("kind of a change is {code}")))?;
    Ok(Some(ProductChange {
        kind,
        order: rows::maybe_uuid(row, 7)?.map(OrderId::new),
        units: Units::stored(rows::get(row, 8)?),
        reason: rows::maybe_text(row, 9, Note::parse)?,
    }))
}
