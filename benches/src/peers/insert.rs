//! The least that keeps anything: one prepared `INSERT`, committed by itself. What one connection's latency is measured against.

use anyhow::Result;
use sqlx::{Executor as _, PgConnection};

use super::{Answer, Client, Peer, sql};
use crate::workload::Request;

const TABLE: &str = "CREATE SCHEMA peer; CREATE TABLE peer.orders (order_id uuid PRIMARY KEY)";
const INSERT: &str = "INSERT INTO peer.orders VALUES ($1)";

/// Its database.
#[derive(Debug)]
pub struct Insert {
    url: String,
}

/// One connection.
#[derive(Debug)]
pub struct Writer {
    conn: PgConnection,
}

impl Insert {
    /// Makes its table.
    pub async fn prepare(url: &str) -> Result<Self> {
        sql::connect(url).await?.execute(TABLE).await?;
        Ok(Self { url: url.to_owned() })
    }
}

impl Peer for Insert {
    type Client = Writer;

    async fn connect(&self) -> Result<Writer> {
        Ok(Writer { conn: sql::connect(&self.url).await? })
    }

    async fn taken(&self) -> Result<Option<i64>> {
        Ok(None)
    }
}

impl Client for Writer {
    async fn reserve(&mut self, request: Request) -> Result<Answer> {
        sqlx::query(INSERT).bind(request.order.get()).execute(&mut self.conn).await?;
        Ok(Answer::Held)
    }
}
