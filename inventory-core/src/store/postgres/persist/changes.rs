//! What every batch but the common one writes, in one statement: the journal's entry, stock, and the reservations that changed.

use sqlx::postgres::PgArguments;
use sqlx::{Arguments as _, PgConnection};

use super::guard;
use super::journal::Entry;
use super::products::StockColumns;
use super::reservations::Changed;
use crate::store::postgres::errors::classify;
use crate::store::postgres::lock::Versions;
use crate::store::{Effects, ProductEffect, StoreError};

/// `$1` to `$19` the entry, `$20` to `$24` stock with the version each product had, `$25` on the reservations: the version of the row
/// that was read and the state it had guard what was decided on them.
const CHANGE: &str = "WITH entry AS (INSERT INTO journal (batch_id, at, kinds, orders, line_command, line_product, \
     line_units, products, versions, on_hands, helds, previous, remark_command, remark_adjustment, remark_reason, \
     remark_reference, remark_customer, remark_consumer, remark_message) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)), \
     stock AS (UPDATE inventory i SET on_hand = e.on_hand, held = e.held, version = e.version + 1, \
     alert_state = e.alert, last_batch = $1 FROM (SELECT unnest($20::bigint[]) AS id, \
     unnest($21::bigint[]) AS version, unnest($22::bigint[]) AS on_hand, unnest($23::bigint[]) AS held, \
     unnest($24::smallint[]) AS alert) e WHERE i.product_id = e.id AND i.version = e.version RETURNING 1), \
     changed AS (UPDATE reservations r SET status = e.s, late = e.l, expires_at = e.t2, ended_at = e.t4, \
     remaining = CASE WHEN e.r THEN ($33::integer[])[e.a:e.b] END \
     FROM (SELECT unnest($25::uuid[]) AS o, unnest($26::xid[]) AS x, unnest($27::smallint[]) AS was, \
     unnest($28::smallint[]) AS s, unnest($29::boolean[]) AS l, unnest($30::timestamptz[]) AS t2, \
     unnest($31::timestamptz[]) AS t4, unnest($32::integer[]) AS a, unnest($34::integer[]) AS b, \
     unnest($35::boolean[]) AS r) e WHERE r.order_id = e.o AND r.xmin = e.x AND r.status = e.was RETURNING 1) \
     SELECT (SELECT count(*) FROM stock), (SELECT count(*) FROM changed)";

/// Writes them. A product or a reservation in another state than the decision rests on is a conflict.
pub(super) async fn persist(
    conn: &mut PgConnection,
    effects: &Effects,
    versions: &Versions,
) -> Result<(), StoreError> {
    let products: Vec<&ProductEffect> =
        effects.products.iter().filter(|effect| effect.version_before.is_some()).collect();
    let changed = Changed::of(&effects.changed, versions)?;
    let arguments =
        arguments(effects, &products, changed).map_err(|error| classify(sqlx::Error::Encode(error)))?;
    let (met_products, met_reservations): (i64, i64) =
        sqlx::query_as_with(CHANGE, arguments).fetch_one(conn).await.map_err(classify)?;
    guard("products", products.len(), met_products)?;
    guard("reservations", effects.changed.len(), met_reservations)
}

fn arguments(
    effects: &Effects,
    products: &[&ProductEffect],
    changed: Changed,
) -> Result<PgArguments, sqlx::error::BoxDynError> {
    let mut arguments = PgArguments::default();
    Entry::of(&effects.journal).add_to(&mut arguments)?;
    let stock = StockColumns::of(products.iter().copied());
    arguments.add(stock.ids)?;
    arguments.add(stock.versions)?;
    arguments.add(stock.on_hands)?;
    arguments.add(stock.helds)?;
    arguments.add(stock.alerts)?;
    changed.add_to(&mut arguments)?;
    Ok(arguments)
}
