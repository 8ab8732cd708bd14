//! (b) One conditional `UPDATE`, and the row of the order in the same statement: a single round trip, committed by itself.

use anyhow::Result;
use sqlx::PgConnection;

use super::{Answer, Client, Peer, sql};
use crate::workload::{Request, Workload};

const TAKE_ONE: &str = "WITH taken AS (
        UPDATE peer.inventory SET held = held + $3 WHERE product_id = $2 AND on_hand - held >= $3 RETURNING 1)
    INSERT INTO peer.reservations
    SELECT $1, 1, now(), now() + interval '15 minutes', ARRAY[$2::bigint], ARRAY[$3::integer] FROM taken";

/// Several lines: the rows that fit are locked in product order first, else baskets that cross would deadlock. Nothing is
/// updated unless all of them fit.
const TAKE: &str = "WITH fits AS MATERIALIZED (
        SELECT i.product_id, w.quantity FROM peer.inventory i
        JOIN unnest($2::bigint[], $3::integer[]) AS w (product_id, quantity) USING (product_id)
        WHERE i.on_hand - i.held >= w.quantity ORDER BY i.product_id FOR UPDATE OF i),
    taken AS (
        UPDATE peer.inventory i SET held = held + fits.quantity FROM fits
        WHERE i.product_id = fits.product_id AND (SELECT count(*) FROM fits) = cardinality($2) RETURNING 1)
    INSERT INTO peer.reservations
    SELECT $1, 1, now(), now() + interval '15 minutes', $2, $3 WHERE (SELECT count(*) FROM taken) = cardinality($2)";

/// Its database.
#[derive(Debug)]
pub struct ConditionalUpdate {
    url: String,
}

/// One connection.
#[derive(Debug)]
pub struct Buyer {
    conn: PgConnection,
}

impl ConditionalUpdate {
    /// Makes its tables.
    pub async fn prepare(url: &str, workload: &Workload) -> Result<Self> {
        sql::create(url, workload).await?;
        Ok(Self { url: url.to_owned() })
    }
}

impl Peer for ConditionalUpdate {
    type Client = Buyer;

    async fn connect(&self) -> Result<Buyer> {
        Ok(Buyer { conn: sql::connect(&self.url).await? })
    }

    async fn taken(&self) -> Result<Option<i64>> {
        sql::held(&self.url, sql::HELD).await
    }
}

impl Client for Buyer {
    async fn reserve(&mut self, request: Request) -> Result<Answer> {
        let order = request.order.get();
        let take = if let Some((product, quantity)) = sql::only(&request.lines) {
            sqlx::query(TAKE_ONE).bind(order).bind(product.get()).bind(quantity)
        } else {
            let (products, quantities) = sql::columns(&request.lines);
            sqlx::query(TAKE).bind(order).bind(products).bind(quantities)
        };
        match take.execute(&mut self.conn).await?.rows_affected() {
            0 => Ok(Answer::Refused),
            _ => Ok(Answer::Held),
        }
    }
}
