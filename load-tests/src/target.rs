//! The service under load: one of this run's own over a Postgres of its own, or one that runs already.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use test_support::postgres::Cluster;
use test_support::service::{Holdfast, Launch, Port};

use crate::args::Args;
use crate::outcome::Audit;
use crate::shop::Shop;

/// How long the auditor may take.
const AUDIT_WITHIN: Duration = Duration::from_secs(1_800);
/// How often it looks again while orders are under way.
const AUDITS_MAX: usize = 60;
/// The rest between two looks.
const AUDIT_PAUSE: Duration = Duration::from_secs(1);
/// What a commit waits for on a slow disk, in microseconds.
const SLOW_COMMIT_MICROS: u32 = 100_000;

/// What a scenario needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Needs {
    /// Inventory alone.
    Inventory,
    /// Inventory whose store takes a tenth of a second to commit: so it, and not the machine that the generator shares, is what
    /// gives out first.
    SlowInventory,
    /// Orders and payments too.
    Checkout,
}

/// A service to put load on.
#[derive(Debug)]
pub(crate) struct Target {
    holdfast: PathBuf,
    own: Option<Holdfast>,
    inventory: String,
    orders: Option<Checkout>,
}

#[derive(Debug)]
struct Checkout {
    orders: String,
    payments: String,
}

impl Target {
    /// Starts what is needed on a fresh database, unless a running service was named.
    pub(crate) async fn open(args: &Args, cluster: Option<&Cluster>, needs: Needs) -> Result<Self> {
        let holdfast = program(args)?;
        let Some(cluster) = cluster else { return Self::running(args, holdfast, needs) };
        let database = cluster.database().await?;
        if needs == Needs::SlowInventory {
            slow_down(&database).await?;
        }
        let launch = Launch::new(&holdfast).env("DATABASE_URL", &database).env("RUST_LOG", "warn");
        let launch = match needs {
            Needs::Inventory | Needs::SlowInventory => {
                launch.prepare(["migrate", "inventory"]).arguments(["inventory", "--no-events"])
            }
            Needs::Checkout => launch,
        };
        let own = launch.start().await?;
        let orders = (needs == Needs::Checkout)
            .then(|| Checkout { orders: own.url_of(Port::Orders), payments: own.url_of(Port::Payments) });
        Ok(Self { holdfast, inventory: own.url(), orders, own: Some(own) })
    }

    fn running(args: &Args, holdfast: PathBuf, needs: Needs) -> Result<Self> {
        let inventory = args.url.clone().context("no service was named")?;
        let orders = args.order_url.clone().zip(args.payment_url.clone());
        let orders = orders.map(|(orders, payments)| Checkout { orders, payments });
        ensure!(
            needs != Needs::Checkout || orders.is_some(),
            "this scenario places orders: give --order-url and --payment-url beside --url"
        );
        Ok(Self { holdfast, own: None, inventory, orders })
    }

    /// Where inventory answers.
    pub(crate) fn inventory(&self) -> &str {
        &self.inventory
    }

    /// Where orders answers.
    pub(crate) fn orders(&self) -> Result<&str> {
        Ok(&self.orders.as_ref().context("orders do not run here")?.orders)
    }

    /// A client of its inventory.
    pub(crate) fn shop(&self) -> Result<Shop> {
        Shop::new(&self.inventory)
    }

    /// Resident bytes of its process, if that is on this machine and ours.
    pub(crate) fn memory_bytes(&self) -> Option<u64> {
        let pid = self.own.as_ref()?.pid().ok()?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
        Some(kibibytes * 1_024)
    }

    /// What the service's own auditor says once nothing is under way. Across the services, where orders run.
    pub(crate) async fn audit(&self) -> Result<Audit> {
        let stock = self
            .run_audit(Launch::new(&self.holdfast).arguments(["audit", "--url", &self.inventory]))
            .await?;
        let Some(checkout) = &self.orders else { return Ok(stock) };
        let across = Launch::new(&self.holdfast)
            .arguments(["audit", "--checkout"])
            .env("INVENTORY_URL", &self.inventory)
            .env("ORDER_URL", &checkout.orders)
            .env("PAYMENT_URL", &checkout.payments);
        for _ in 0..AUDITS_MAX {
            let audit = self.run_audit(across.clone()).await?;
            if !audit.agrees || !audit.said.contains("under way") {
                let said = format!("{}\n{}", stock.said, audit.said);
                return Ok(Audit { agrees: stock.agrees && audit.agrees, said });
            }
            tokio::time::sleep(AUDIT_PAUSE).await;
        }
        Ok(Audit { agrees: false, said: "orders are still under way".to_owned() })
    }

    async fn run_audit(&self, launch: Launch) -> Result<Audit> {
        let (status, said) = launch.run_to_end_within(AUDIT_WITHIN).await?;
        Ok(Audit { agrees: status.success(), said: said.trim().to_owned() })
    }
}

/// The release build beside this program, or what was named.
fn program(args: &Args) -> Result<PathBuf> {
    let path = match &args.holdfast {
        Some(path) => path.clone(),
        None => std::env::current_exe()?.with_file_name(format!("holdfast{}", std::env::consts::EXE_SUFFIX)),
    };
    ensure!(
        path.is_file(),
        "{} is missing: cargo build --release -p holdfast, or give --holdfast",
        path.display()
    );
    Ok(std::path::absolute(Path::new(&path))?)
}

/// Makes commits slow without making the machine busy.
async fn slow_down(url: &str) -> Result<()> {
    let name = url.rsplit('/').next().context("a URL without a database")?;
    let mut connection = PgConnection::connect(url).await?;
    for (setting, value) in [("commit_delay", SLOW_COMMIT_MICROS), ("commit_siblings", 0)] {
        let sql = AssertSqlSafe(format!("ALTER DATABASE {name} SET {setting} = {value}"));
        sqlx::raw_sql(sql).execute(&mut connection).await.context("making commits slow")?;
    }
    connection.close().await?;
    Ok(())
}
