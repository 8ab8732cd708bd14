//! The checkout as it is deployed: three processes of the release build, Postgres, and a Kafka broker, all on this machine.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use test_support::kafka::Broker;
use test_support::postgres::TestDatabase;
use test_support::service::{Holdfast, Launch, Port};

use crate::connection::Connection;

/// Pieces of each product: more than any run sells.
const ON_HAND: u64 = 1_000_000_000;
/// How long the auditor may take: it asks all three services about every order.
const AUDIT_WITHIN: Duration = Duration::from_secs(900);
/// How often it looks again while orders are under way.
const AUDITS_MAX: usize = 20;

/// Everything that an order passes through. It ends with this value.
#[derive(Debug)]
pub struct Fleet {
    binary: PathBuf,
    inventory: Holdfast,
    orders: Holdfast,
    payments: Holdfast,
    broker: Broker,
    database: TestDatabase,
}

impl Fleet {
    /// Starts everything and stocks products `1..=products`.
    pub async fn start(products: i64) -> Result<Self> {
        let binary = binary()?;
        let broker = Broker::start().await.context("orders are measured on a real broker")?;
        let database = test_support::postgres::database().await;
        let role = |role: &str| {
            Launch::new(&binary)
                .prepare(["migrate", role])
                .arguments([role])
                .env("DATABASE_URL", &database.url)
                .env("KAFKA_BROKERS", broker.address())
        };
        let inventory = role("inventory").start().await?;
        let payments = role("payments").asking(Port::Payments).start().await?;
        let orders = role("orders").asking(Port::Orders);
        let orders =
            orders.env("INVENTORY_URL", inventory.url()).env("PAYMENT_URL", payments.url()).start().await?;
        let fleet = Self { binary, inventory, orders, payments, broker, database };
        fleet.stock(products).await?;
        Ok(fleet)
    }

    async fn stock(&self, products: i64) -> Result<()> {
        let mut csv = "productId,onHand\n".to_owned();
        for product in 1..=products {
            writeln!(csv, "{product},{ON_HAND}")?;
        }
        let mut connection = Connection::open(self.inventory.address().parse()?).await?;
        let status = connection.post("/api/v1/inventory/import", "content-type: text/csv\r\n", &csv).await?;
        let told: serde_json::Value = serde_json::from_slice(connection.answer())?;
        ensure!(status == 200 && told["created"] == products, "stocking the products was answered {told}");
        Ok(())
    }

    /// Where orders are placed.
    pub fn orders(&self) -> Result<SocketAddr> {
        Ok(self.orders.address().parse()?)
    }

    /// Where events pass.
    pub fn brokers(&self) -> String {
        self.broker.address()
    }

    /// Where everything is kept.
    pub fn database(&self) -> &str {
        &self.database.url
    }

    /// Each process but Postgres, by its name.
    pub fn processes(&self) -> Result<Vec<(&'static str, i32)>> {
        Ok(vec![
            ("inventory", self.inventory.pid()?),
            ("orders", self.orders.pid()?),
            ("payments", self.payments.pid()?),
            ("broker", self.broker.pid()?),
            ("this program", i32::try_from(std::process::id())?),
        ])
    }

    /// What `holdfast audit --checkout` says once nothing is under way. Anything but agreement is an error.
    pub async fn audit(&self) -> Result<String> {
        let mut said = String::new();
        for _ in 0..AUDITS_MAX {
            let audit = Launch::new(&self.binary)
                .arguments(["audit", "--checkout"])
                .env("INVENTORY_URL", self.inventory.url())
                .env("ORDER_URL", self.orders.url())
                .env("PAYMENT_URL", self.payments.url());
            let status;
            (status, said) = audit.run_to_end_within(AUDIT_WITHIN).await?;
            ensure!(status.success(), "the audit of the checkout does not agree:\n{said}");
            if !said.contains("under way") {
                return Ok(said.trim().to_owned());
            }
        }
        anyhow::bail!("orders are still under way:\n{said}")
    }
}

/// The release build beside this program.
fn binary() -> Result<PathBuf> {
    let name = format!("holdfast{}", std::env::consts::EXE_SUFFIX);
    let binary = std::env::current_exe()?.with_file_name(name);
    ensure!(
        binary.is_file(),
        "{} is missing; make it with `cargo build --release -p holdfast`",
        binary.display()
    );
    Ok(binary)
}
