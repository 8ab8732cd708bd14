//! A product's versions, read along its chain in the journal: the product names its last batch, each entry the one before.

use sqlx::postgres::{PgPool, PgRow};

use uuid::Uuid;

use super::read::rows;
use super::rows::{column, corrupt, limit as bound, version};
use crate::ids::{BatchId, Note, OrderId, ProductId};
use crate::journal::{ChangeKind, JournalProduct, ProductChange, ProductVersion};
use crate::quantity::Units;
use crate::store::StoreError;

/// Walks back from the head until below `$2` or to where pruning has cut the chain; then takes the oldest `$3`.
const HISTORY: &str = "WITH RECURSIVE chain AS ( \
       SELECT j.batch_id, j.versions[p.at] AS version, j.previous[p.at] AS previous \
       FROM inventory i JOIN journal j ON j.batch_id = i.last_batch, \
       LATERAL (SELECT array_position(j.products, $1) AS at) p WHERE i.product_id = $1 \
     UNION ALL \
       SELECT j.batch_id, j.versions[p.at], j.previous[p.at] \
       FROM chain c JOIN journal j ON j.batch_id = c.previous, \
       LATERAL (SELECT array_position(j.products, $1) AS at) p WHERE c.version > $2 \
     ), wanted AS (SELECT batch_id, version FROM chain WHERE version >= $2 ORDER BY version LIMIT $3) \
     SELECT j.batch_id, j.at, w.version, j.on_hands[p.at], j.helds[p.at], j.previous[p.at], \
       l.kinds, l.orders, l.units, l.reasons \
     FROM wanted w JOIN journal j ON j.batch_id = w.batch_id, \
     LATERAL (SELECT array_position(j.products, $1) AS at) p, \
     LATERAL (SELECT array_agg(j.kinds[u.command] ORDER BY u.position) AS kinds, \
         array_agg(j.orders[u.command] ORDER BY u.position) AS orders, \
         array_agg(u.units ORDER BY u.position) AS units, \
         array_agg(j.remark_reason[array_position(j.remark_command, u.command)] ORDER BY u.position) AS reasons \
       FROM unnest(j.line_command, j.line_product, j.line_units) WITH ORDINALITY \
         AS u (command, product, units, position) WHERE u.product = $1) l \
     ORDER BY w.version";

/// See [`crate::store::Store::history`].
pub(super) async fn history(
    pool: &PgPool,
    product: ProductId,
    from_version: u64,
    limit: usize,
) -> Result<Vec<ProductVersion>, StoreError> {
    let from = version(from_version);
    let found = rows(pool, || sqlx::query(HISTORY).bind(product.get()).bind(from).bind(bound(limit))).await?;
    found.iter().map(|row| product_version(product, row)).collect()
}

fn product_version(product: ProductId, row: &PgRow) -> Result<ProductVersion, StoreError> {
    let batch = BatchId::new(column(row, 0)?);
    let version = u64::try_from(column::<i64>(row, 2)?)
        .map_err(|_| corrupt("journal", format_args!("batch {batch} has a negative version")))?;
    Ok(ProductVersion {
        batch,
        at: column(row, 1)?,
        after: JournalProduct {
            product,
            version,
            on_hand: Units::stored(column(row, 3)?),
            held: Units::stored(column(row, 4)?),
            previous: column::<Option<Uuid>>(row, 5)?.map(BatchId::new),
        },
        changes: changes(batch, row)?,
    })
}

fn changes(batch: BatchId, row: &PgRow) -> Result<Vec<ProductChange>, StoreError> {
    let kinds: Vec<i16> = column::<Option<_>>(row, 6)?.unwrap_or_default();
    let orders: Vec<Option<Uuid>> = column::<Option<_>>(row, 7)?.unwrap_or_default();
    let units: Vec<i64> = column::<Option<_>>(row, 8)?.unwrap_or_default();
    let reasons: Vec<Option<String>> = column::<Option<_>>(row, 9)?.unwrap_or_default();
    let bad = |what| corrupt("journal", format_args!("batch {batch} has an unacceptable {what}"));
    kinds
        .into_iter()
        .zip(orders)
        .zip(units)
        .zip(reasons)
        .map(|(((kind, order), units), reason)| {
            Ok(ProductChange {
                kind: ChangeKind::from_code(kind.into()).ok_or_else(|| bad("kind"))?,
                order: order.map(OrderId::new),
                units: Units::stored(units),
                reason: reason.as_deref().map(Note::parse).transpose().map_err(|_| bad("reason"))?,
            })
        })
        .collect()
}
