//! What every batch but the common ones writes, in one statement: the journal's entry, stock, and the reservations that changed.

use sqlx::PgConnection;

use super::guard;
use super::opening::{Opening, opening};
use super::reservations::Changed;
use crate::store::postgres::errors::classify;
use crate::store::postgres::rows::RowVersion;
use crate::store::postgres::seen::Versions;
use crate::store::{Effects, StoreError};

/// `$25` on the reservations: the version of the row that was seen and the state it had guard what was decided on them.
const CHANGE: &str = concat!(
    opening!(),
    ", changed AS (UPDATE reservations r SET status = e.s, late = e.l, expires_at = e.t2, ended_at = e.t4, \
     remaining = CASE WHEN e.r THEN ($33::integer[])[e.a:e.b] END \
     FROM (SELECT unnest($25::uuid[]) AS o, unnest($26::xid[]) AS x, unnest($27::smallint[]) AS was, \
     unnest($28::smallint[]) AS s, unnest($29::boolean[]) AS l, unnest($30::timestamptz[]) AS t2, \
     unnest($31::timestamptz[]) AS t4, unnest($32::integer[]) AS a, unnest($34::integer[]) AS b, \
     unnest($35::boolean[]) AS r) e WHERE r.order_id = e.o AND r.xmin = e.x AND r.status = e.was RETURNING 1) \
     SELECT (SELECT count(*) FROM stock), (SELECT count(*) FROM changed), pg_current_xact_id()::xid"
);

/// Writes them, and says which version of the rows that is. A product or a reservation in another state than the decision rests on is
/// a conflict.
pub(super) async fn persist(
    conn: &mut PgConnection,
    effects: &Effects,
    versions: &Versions,
) -> Result<RowVersion, StoreError> {
    let changed = Changed::of(&effects.changed, versions)?;
    let Opening { mut arguments, products } = Opening::of(effects)?;
    changed.add_to(&mut arguments).map_err(|error| classify(sqlx::Error::Encode(error)))?;
    let (met_products, met_reservations, version): (i64, i64, RowVersion) =
        sqlx::query_as_with(CHANGE, arguments).fetch_one(conn).await.map_err(classify)?;
    guard("products", products, met_products)?;
    guard("reservations", effects.changed.len(), met_reservations)?;
    Ok(version)
}
