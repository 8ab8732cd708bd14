//! What everyone writes first: a transaction per request. The yardstick of every ratio.
//!
//! `BEGIN; SELECT … FOR UPDATE; check; INSERT; UPDATE; COMMIT`, prepared statements, one connection per concurrent
//! buyer, a lean table of its own without secondary indexes or foreign keys.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, PgConnection};
use tokio::task::JoinSet;
use uuid::Uuid;

const SCHEMA: &str = "CREATE SCHEMA IF NOT EXISTS naive;
    DROP TABLE IF EXISTS naive.reservations, naive.inventory;
    CREATE TABLE naive.inventory (product_id bigint PRIMARY KEY, on_hand bigint NOT NULL,
        held bigint NOT NULL CHECK (held >= 0 AND held <= on_hand)) WITH (fillfactor = 50);
    CREATE TABLE naive.reservations (order_id uuid PRIMARY KEY, product_id bigint NOT NULL, quantity integer NOT NULL,
        status smallint NOT NULL, created_at timestamptz NOT NULL, expires_at timestamptz NOT NULL);";
const LOCK: &str = "SELECT on_hand, held FROM naive.inventory WHERE product_id = $1 FOR UPDATE";
const HOLD: &str =
    "INSERT INTO naive.reservations VALUES ($1, $2, $3, 1, now(), now() + interval '15 minutes')";
const COUNT: &str = "UPDATE naive.inventory SET held = held + $2 WHERE product_id = $1";

/// Connections, each with one buyer in a closed loop.
pub const CONNECTIONS: usize = 32;

/// What a run came to.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// Reservations made.
    pub reservations: u64,
    /// In this time.
    pub elapsed: Duration,
}

impl Outcome {
    /// Reservations a second.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    pub fn per_second(&self) -> f64 {
        self.reservations as f64 / self.elapsed.as_secs_f64()
    }
}

/// Runs all connections for so long on products `1..=products`, each buyer on a random walk of its own.
pub async fn run(url: &str, products: i64, length: Duration) -> Result<Outcome> {
    let mut admin = PgConnection::connect(url).await?;
    admin.execute(SCHEMA).await?;
    sqlx::query("INSERT INTO naive.inventory SELECT p, 1000000000000, 0 FROM generate_series(1, $1) p")
        .bind(products)
        .execute(&mut admin)
        .await?;
    admin.execute("VACUUM ANALYZE naive.inventory").await?;
    let options: sqlx::postgres::PgConnectOptions = url.parse()?;
    let options = options.disable_statement_logging();
    let mut conns = Vec::with_capacity(CONNECTIONS);
    for _ in 0..CONNECTIONS {
        let mut conn = PgConnection::connect_with(&options).await?;
        reserve(&mut conn, 1).await?;
        conns.push(conn);
    }
    let started = Instant::now();
    let mut buyers = JoinSet::new();
    for (number, mut conn) in (0..).zip(conns) {
        buyers.spawn(async move {
            let (mut made, mut at) = (0_u64, number);
            while started.elapsed() < length {
                at = (at + 7_919) % products;
                reserve(&mut conn, at + 1).await?;
                made += 1;
            }
            anyhow::Ok(made)
        });
    }
    let mut reservations = 0;
    while let Some(made) = buyers.join_next().await {
        reservations += made??;
    }
    Ok(Outcome { reservations, elapsed: started.elapsed() })
}

/// One request.
async fn reserve(conn: &mut PgConnection, product: i64) -> Result<()> {
    conn.execute("BEGIN").await?;
    let (on_hand, held): (i64, i64) = sqlx::query_as(LOCK).bind(product).fetch_one(&mut *conn).await?;
    ensure!(held < on_hand, "sold out");
    sqlx::query(HOLD).bind(Uuid::now_v7()).bind(product).bind(1_i32).execute(&mut *conn).await?;
    sqlx::query(COUNT).bind(product).bind(1_i64).execute(&mut *conn).await?;
    conn.execute("COMMIT").await.context("commit")?;
    Ok(())
}
