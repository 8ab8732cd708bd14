//! What the peers in plain SQL share: two lean tables, without foreign keys, secondary indexes or a journal, and how they are
//! connected to.

use anyhow::Result;
use inventory_core::ids::ProductId;
use inventory_core::limits::UNITS_MAX;
use inventory_core::lines::Lines;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, PgConnection};

use crate::workload::Workload;

/// Half-empty pages keep the updates of stock on the page (HOT), as the engine's do. Lines as arrays: one row an order.
const SCHEMA: &str = "CREATE SCHEMA peer;
    CREATE TABLE peer.inventory (product_id bigint PRIMARY KEY, on_hand bigint NOT NULL,
        held bigint NOT NULL CHECK (held >= 0 AND held <= on_hand)) WITH (fillfactor = 50);
    CREATE TABLE peer.reservations (order_id uuid PRIMARY KEY, status smallint NOT NULL,
        created_at timestamptz NOT NULL, expires_at timestamptz NOT NULL,
        products bigint[] NOT NULL, quantities integer[] NOT NULL)";

/// A connection that logs no statements.
pub(crate) async fn connect(url: &str) -> Result<PgConnection> {
    let options: sqlx::postgres::PgConnectOptions = url.parse()?;
    Ok(options.disable_statement_logging().connect().await?)
}

/// Makes the tables, with more of each product than any run takes.
pub(super) async fn create(url: &str, workload: &Workload) -> Result<()> {
    let mut conn = connect(url).await?;
    conn.execute(SCHEMA).await?;
    let products: Vec<i64> = workload.products().iter().map(|product| product.get()).collect();
    sqlx::query("INSERT INTO peer.inventory SELECT p, $2, 0 FROM unnest($1::bigint[]) p")
        .bind(products)
        .bind(UNITS_MAX)
        .execute(&mut conn)
        .await?;
    conn.execute("VACUUM ANALYZE peer.inventory").await?;
    Ok(conn.close().await?)
}

/// Units held.
pub(crate) async fn held(url: &str, of: &'static str) -> Result<Option<i64>> {
    let mut conn = connect(url).await?;
    let held = sqlx::query_scalar(of).fetch_one(&mut conn).await?;
    conn.close().await?;
    Ok(Some(held))
}

/// For [`held`].
pub(super) const HELD: &str = "SELECT COALESCE(sum(held), 0)::bigint FROM peer.inventory";

/// Columns of lines, to be bound.
pub(super) fn columns(lines: &Lines) -> (Vec<i64>, Vec<i32>) {
    lines.iter().map(|line| (line.product.get(), line.quantity.to_i32())).unzip()
}

/// The only line, if there is no other.
pub(super) fn only(lines: &Lines) -> Option<(ProductId, i32)> {
    match lines.as_slice() {
        [line] => Some((line.product, line.quantity.to_i32())),
        _ => None,
    }
}
