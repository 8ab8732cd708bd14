//! What is done harm to: Postgres, a broker, five services, and two ways from services to Postgres.

pub(crate) mod clock;
pub(crate) mod kafka;
pub(crate) mod service;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use test_support::disk::SmallDisk;
use test_support::postgres::Cluster;
use test_support::postgres::proxy::Proxy;
use test_support::service::{Launch, Port};

use self::clock::FakeClock;
use self::kafka::Kafka;
use self::service::Service;
use crate::kind::Kind;

/// Inventory instances over one ledger.
pub(crate) const INSTANCES: usize = 3;
/// Where orders stands among the services.
pub(crate) const ORDERS: usize = INSTANCES;
/// Where payments stands.
pub(crate) const PAYMENTS: usize = INSTANCES + 1;

/// How long a hold lasts whose owner does not say: those of orders.
const HOLD_SECONDS: u32 = 30;
/// Room for holds that do not run out during a run.
const HOLD_MAX_SECONDS: u32 = 86_400;
/// Orders' time to pay.
const PAYMENT_SECONDS: u32 = 20;
/// Room for the database's files, at first and for every second of harm. It must be full by what is done to it and not by what is sold: an hour
/// of holds took 384 MiB, and a server that crashes on a disk without room does not come back.
const DISK_MEBIBYTES: u64 = 320;
const DISK_KIBIBYTES_PER_SECOND: u64 = 512;

/// What to build.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// The program.
    pub(crate) holdfast: PathBuf,
    /// Rather the mock cluster than a real broker.
    pub(crate) mock_kafka: bool,
    /// What services log.
    pub(crate) log: String,
    /// What is asked for; the rest of the stage is not made.
    pub(crate) kinds: Vec<Kind>,
    /// How long harm is done.
    pub(crate) time: Duration,
}

/// What services stand on.
#[derive(Debug)]
pub(crate) struct Machines {
    pub(crate) cluster: Cluster,
    pub(crate) kafka: Kafka,
    pub(crate) disk: Option<SmallDisk>,
}

/// Everything.
#[derive(Debug)]
pub(crate) struct Stage {
    // In this order they end: services before what they stand on.
    pub(crate) services: Vec<Service>,
    /// Inventory's way to Postgres, and the way of orders and payments.
    pub(crate) ways: [Proxy; 2],
    pub(crate) machines: Machines,
    /// Past the ways, for a superuser.
    pub(crate) database: String,
    /// What cannot be done on this machine, and why.
    pub(crate) absent: BTreeMap<Kind, String>,
}

impl Stage {
    /// Starts everything, and waits until it serves.
    pub(crate) async fn build(options: &Options) -> Result<Self> {
        let mut absent = BTreeMap::new();
        let cluster = Cluster::start().await?;
        let disk = disk(options, &mut absent);
        let database = database(&cluster, disk.as_ref()).await?;
        let kafka = Kafka::start(options.mock_kafka).await?;
        if !kafka.is_real() {
            absent.insert(Kind::KillKafka, "the mock cluster is no process of its own".to_owned());
        }
        let library = clock::library();
        if library.is_none() {
            let why = "libfaketime is not installed (scripts/install-faketime.sh)";
            absent.insert(Kind::ClockJump, why.to_owned());
        }
        let library = library.filter(|_| options.kinds.contains(&Kind::ClockJump));
        let ways = [Proxy::before(&database).await?, Proxy::before(&database).await?];
        let launch = |role: &str, way: &Proxy| {
            Launch::new(&options.holdfast)
                .prepare(["migrate", role])
                .arguments([role])
                .env("DATABASE_URL", way.url())
                .env("KAFKA_BROKERS", kafka.brokers())
                .env("RESERVATION_TTL_SECONDS", HOLD_SECONDS.to_string())
                .env("HOLD_MAX_SECONDS", HOLD_MAX_SECONDS.to_string())
                .env("PAYMENT_DEADLINE_SECONDS", PAYMENT_SECONDS.to_string())
                .env("RUST_LOG", &options.log)
        };
        let mut services = Vec::new();
        for number in 1..=INSTANCES {
            let (mut launch, mut clock) = (launch("inventory", &ways[0]), None);
            // One instance's clock is enough to disagree with the others'.
            if let Some(library) = library.filter(|_| number == INSTANCES) {
                let (fake, with) = FakeClock::preload(library, launch)?;
                (launch, clock) = (with, Some(fake));
            }
            services.push(Service::start(&format!("inventory {number}"), launch, clock).await?);
        }
        let payments =
            Service::start("payments", launch("payments", &ways[1]).asking(Port::Payments), None).await?;
        let orders = launch("orders", &ways[1])
            .asking(Port::Orders)
            .env("INVENTORY_URL", services[0].url())
            .env("PAYMENT_URL", payments.url());
        let (orders, clock) = match library {
            Some(library) => {
                FakeClock::preload(library, orders).map(|(clock, launch)| (launch, Some(clock)))?
            }
            None => (orders, None),
        };
        services.push(Service::start("orders", orders, clock).await?);
        services.push(payments);
        Ok(Self { services, ways, machines: Machines { cluster, kafka, disk }, database, absent })
    }

    /// Where inventory answers, instance by instance.
    pub(crate) fn inventories(&self) -> Vec<String> {
        self.services[..INSTANCES].iter().map(Service::url).collect()
    }

    /// A connection past everything that does harm.
    pub(crate) async fn sql(&self) -> Result<PgConnection> {
        PgConnection::connect(&self.database).await.context("connecting to the database")
    }
}

/// A disk that can be full, where one can be mounted.
fn disk(options: &Options, absent: &mut BTreeMap<Kind, String>) -> Option<SmallDisk> {
    if !options.kinds.contains(&Kind::DiskFull) {
        return None;
    }
    let mebibytes = DISK_MEBIBYTES + options.time.as_secs() * DISK_KIBIBYTES_PER_SECOND / 1_024;
    match SmallDisk::mount(mebibytes, "postgres") {
        Ok(disk) => Some(disk),
        Err(why) => {
            absent.insert(Kind::DiskFull, format!("a small file system cannot be mounted here ({why:#})"));
            None
        }
    }
}

/// An empty database, its files on the small disk if there is one. The server's own log of writes stays elsewhere: a server that
/// cannot write that one ends, which is the crash of another kind.
async fn database(cluster: &Cluster, disk: Option<&SmallDisk>) -> Result<String> {
    let Some(disk) = disk else { return cluster.database().await };
    let mut sql = PgConnection::connect(&cluster.url("postgres")).await?;
    let tablespace = format!("CREATE TABLESPACE small LOCATION '{}'", disk.path().display());
    sqlx::raw_sql(AssertSqlSafe(tablespace)).execute(&mut sql).await.context("using the small disk")?;
    sqlx::raw_sql("CREATE DATABASE chaos TABLESPACE small").execute(&mut sql).await?;
    sql.close().await?;
    Ok(cluster.url("chaos"))
}
