//! (c) A row for every unit, taken with `SKIP LOCKED`: buyers of one product do not wait for each other.

use anyhow::{Context as _, Result};
use sqlx::{Connection as _, Executor as _, PgConnection};

use super::{Answer, Client, Peer, sql};
use crate::workload::{PRODUCTS, Request, Shape, Workload};

const UNITS: &str = "CREATE TABLE peer.units (unit bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        product_id bigint NOT NULL, order_id uuid)";
const FILL: &str = "INSERT INTO peer.units (product_id)
    SELECT p FROM unnest($1::bigint[]) WITH ORDINALITY AS w (p, rank), generate_series(1, $2 + ceil($3 / rank)::bigint)";
const INDEX: &str = "CREATE INDEX units_free ON peer.units (product_id, unit) WHERE order_id IS NULL";

/// One statement, committed by itself. The order makes sure that the index is used, and oldest units go first.
const TAKE: &str = "WITH free AS MATERIALIZED (
        SELECT unit FROM peer.units WHERE product_id = $2 AND order_id IS NULL
        ORDER BY unit LIMIT $3 FOR UPDATE SKIP LOCKED),
    taken AS (
        UPDATE peer.units u SET order_id = $1 FROM free
        WHERE u.unit = free.unit AND (SELECT count(*) FROM free) = $3 RETURNING 1)
    INSERT INTO peer.reservations
    SELECT $1, 1, now(), now() + interval '15 minutes', ARRAY[$2::bigint], ARRAY[$3::integer]
    WHERE (SELECT count(*) FROM taken) = $3";

const TAKEN: &str = "SELECT count(*) FROM peer.units WHERE order_id IS NOT NULL";

/// Its database.
#[derive(Debug)]
pub struct RowPerUnit {
    url: String,
}

/// One connection.
#[derive(Debug)]
pub struct Buyer {
    conn: PgConnection,
}

impl RowPerUnit {
    /// Makes its tables, with rows for so many requests of the workload, and some more of each product.
    pub async fn prepare(url: &str, workload: &Workload, requests: u32) -> Result<Self> {
        sql::create(url, workload).await?;
        let mut conn = sql::connect(url).await?;
        conn.execute(UNITS).await?;
        let (products, each, most_popular) = stock(workload, requests);
        let fill = sqlx::query(FILL).bind(products).bind(each).bind(most_popular);
        fill.execute(&mut conn).await.context("writing a row for every unit")?;
        conn.execute(INDEX).await?;
        conn.execute("VACUUM ANALYZE peer.units").await?;
        conn.close().await?;
        Ok(Self { url: url.to_owned() })
    }
}

/// Products by popularity, units of each, and units of the most popular on top; the next has half of those, and so on.
fn stock(workload: &Workload, requests: u32) -> (Vec<i64>, i64, f64) {
    let products = workload.by_popularity().into_iter().map(|product| product.get()).collect();
    match workload.shape {
        Shape::Hot => (products, i64::from(requests), 0.0),
        // Nobody is likely to want six times the average plus forty.
        Shape::Spread | Shape::Baskets => (products, 40 + 6 * i64::from(requests) / PRODUCTS, 0.0),
        // By the law the first has about a tenth.
        Shape::Zipf => (products, 40, f64::from(requests) / 5.0),
    }
}

impl Peer for RowPerUnit {
    type Client = Buyer;

    async fn connect(&self) -> Result<Buyer> {
        Ok(Buyer { conn: sql::connect(&self.url).await? })
    }

    async fn taken(&self) -> Result<Option<i64>> {
        sql::held(&self.url, TAKEN).await
    }
}

impl Client for Buyer {
    async fn reserve(&mut self, request: Request) -> Result<Answer> {
        let (product, quantity) =
            sql::only(&request.lines).context("a row per unit is measured with orders of one line")?;
        let take = sqlx::query(TAKE).bind(request.order.get()).bind(product.get()).bind(quantity);
        match take.execute(&mut self.conn).await?.rows_affected() {
            0 => Ok(Answer::Refused),
            _ => Ok(Answer::Held),
        }
    }
}
