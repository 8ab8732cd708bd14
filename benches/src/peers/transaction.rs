//! (a) What everyone writes first, and the yardstick of every ratio: `BEGIN; SELECT … FOR UPDATE; check; INSERT; UPDATE; COMMIT`.

use anyhow::{Context as _, Result};
use inventory_core::lines::Lines;
use sqlx::{Executor as _, PgConnection};

use super::{Answer, Client, Peer, sql};
use crate::workload::{Request, Workload};

const LOCK_ONE: &str = "SELECT on_hand - held FROM peer.inventory WHERE product_id = $1 FOR UPDATE";
const LOCK: &str = "SELECT i.on_hand - i.held >= w.quantity FROM peer.inventory i
    JOIN unnest($1::bigint[], $2::integer[]) AS w (product_id, quantity) USING (product_id)
    ORDER BY i.product_id FOR UPDATE OF i";
const HOLD_ONE: &str = "INSERT INTO peer.reservations
    VALUES ($1, 1, now(), now() + interval '15 minutes', ARRAY[$2::bigint], ARRAY[$3::integer])";
const HOLD: &str =
    "INSERT INTO peer.reservations VALUES ($1, 1, now(), now() + interval '15 minutes', $2, $3)";
const COUNT_ONE: &str = "UPDATE peer.inventory SET held = held + $2 WHERE product_id = $1";
const COUNT: &str = "UPDATE peer.inventory i SET held = held + w.quantity
    FROM unnest($1::bigint[], $2::integer[]) AS w (product_id, quantity) WHERE i.product_id = w.product_id";

/// Its database.
#[derive(Debug)]
pub struct Transaction {
    url: String,
}

/// One connection.
#[derive(Debug)]
pub struct Buyer {
    conn: PgConnection,
}

impl Transaction {
    /// Makes its tables.
    pub async fn prepare(url: &str, workload: &Workload) -> Result<Self> {
        sql::create(url, workload).await?;
        Ok(Self { url: url.to_owned() })
    }
}

impl Peer for Transaction {
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
        self.conn.execute("BEGIN").await?;
        if self.take(&request).await? {
            self.conn.execute("COMMIT").await.context("COMMIT")?;
            Ok(Answer::Held)
        } else {
            self.conn.execute("ROLLBACK").await?;
            Ok(Answer::Refused)
        }
    }
}

impl Buyer {
    async fn take(&mut self, request: &Request) -> Result<bool> {
        let order = request.order.get();
        let conn = &mut self.conn;
        if let Some((product, quantity)) = sql::only(&request.lines) {
            let free: Option<i64> =
                sqlx::query_scalar(LOCK_ONE).bind(product.get()).fetch_optional(&mut *conn).await?;
            if free < Some(i64::from(quantity)) {
                return Ok(false);
            }
            let hold = sqlx::query(HOLD_ONE).bind(order).bind(product.get()).bind(quantity);
            hold.execute(&mut *conn).await?;
            sqlx::query(COUNT_ONE).bind(product.get()).bind(quantity).execute(conn).await?;
            return Ok(true);
        }
        self.take_many(request.order.get(), &request.lines).await
    }

    async fn take_many(&mut self, order: uuid::Uuid, lines: &Lines) -> Result<bool> {
        let (products, quantities) = sql::columns(lines);
        let conn = &mut self.conn;
        let fits: Vec<bool> =
            sqlx::query_scalar(LOCK).bind(&products).bind(&quantities).fetch_all(&mut *conn).await?;
        if fits.len() < lines.len() || fits.contains(&false) {
            return Ok(false);
        }
        sqlx::query(HOLD).bind(order).bind(&products).bind(&quantities).execute(&mut *conn).await?;
        sqlx::query(COUNT).bind(&products).bind(&quantities).execute(conn).await?;
        Ok(true)
    }
}
