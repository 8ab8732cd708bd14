//! The Postgres store alone against a transaction per request, in the same run: fence, lock, reservations, stock,
//! journal and COMMIT of hand-made batches through [`Session`], on an ephemeral cluster with `fsync=on`.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use benches::naive::{self, Outcome};
use clap::Parser;
use inventory_core::clock::Timestamp;
use inventory_core::ids::{BatchId, OrderId, ProductId};
use inventory_core::journal::{ChangeKind, JournalCommand, JournalEntry, JournalLine, JournalProduct};
use inventory_core::lines::{Line, Lines};
use inventory_core::product::{Alert, Product};
use inventory_core::quantity::{Quantity, Units};
use inventory_core::reservation::{Reservation, Status};
use inventory_core::store::postgres::{PostgresOptions, PostgresStore};
use inventory_core::store::{Effects, Footprint, Locked, ProductEffect, Session, Store as _};
use uuid::Uuid;

/// Measures the store and the naive baseline by turns.
#[derive(Clone, Parser)]
struct Arguments {
    /// How long each side runs in each round.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Reserves in a batch.
    #[arg(long, default_value_t = 1_000)]
    batch: usize,
    /// Lines of an order.
    #[arg(long, default_value_t = 1)]
    lines: usize,
    /// Products; 1 is the flash sale.
    #[arg(long, default_value_t = 1)]
    products: usize,
    /// Batches before the measurement begins.
    #[arg(long, default_value_t = 100)]
    warm_up: usize,
    /// Only the store.
    #[arg(long)]
    no_naive: bool,
    /// Random order ids instead of time-ordered ones.
    #[arg(long)]
    random_ids: bool,
    /// Orders of one and two units by turns.
    #[arg(long)]
    mixed_quantities: bool,
    /// One hold of each batch lasts longer than the others, so that the adapter's common path does not fit.
    #[arg(long)]
    mixed_times: bool,
    /// Measure on this database instead of an ephemeral one.
    #[arg(long)]
    url: Option<String>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let length = Duration::from_secs(arguments.seconds);
    let mut ratios = Vec::new();
    for round in 1..=arguments.rounds {
        let url = match &arguments.url {
            Some(url) => url.clone(),
            None => test_support::postgres::database().await.url,
        };
        let baseline = if arguments.no_naive {
            None
        } else {
            Some(naive::run(&url, i64::try_from(arguments.products)?, length).await?)
        };
        // On a worker of the runtime, as an engine's writer is.
        let mut writer = tokio::task::JoinSet::new();
        writer.spawn(run(url, arguments.clone(), length));
        let (store, parts) = writer.join_next().await.context("one was spawned")???;
        print!("round {round}: store {:>9.0}/s ({parts})", store.per_second());
        if let Some(baseline) = baseline {
            let ratio = store.per_second() / baseline.per_second();
            print!("  naive {:>6.0}/s  ratio {ratio:>5.0}", baseline.per_second());
            ratios.push(ratio);
        }
        println!();
    }
    ratios.sort_by(f64::total_cmp);
    if let Some(median) = ratios.get(ratios.len() / 2) {
        println!(
            "median ratio {median:.0} (lowest {:.0}, highest {:.0})",
            ratios[0],
            ratios[ratios.len() - 1]
        );
    }
    Ok(())
}

/// Time spent in each step of a batch.
#[derive(Default)]
struct Parts {
    batches: u32,
    begin: Duration,
    decide: Duration,
    persist: Duration,
    commit: Duration,
    /// Processor time of the session's backend, where the system tells it.
    server: Option<Duration>,
}

/// Processor time that a process has used.
fn busy(pid: Option<i32>) -> Option<Duration> {
    let schedule = std::fs::read_to_string(format!("/proc/{}/schedstat", pid?)).ok()?;
    schedule.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

fn busy_since(earlier: Option<Duration>, pid: Option<i32>) -> Option<Duration> {
    busy(pid)?.checked_sub(earlier?)
}

impl std::fmt::Display for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let each = |part: Duration| (part / self.batches.max(1)).as_micros();
        write!(
            f,
            "µs: begin {} decide {} persist {} commit {}",
            each(self.begin),
            each(self.decide),
            each(self.persist),
            each(self.commit)
        )?;
        match self.server {
            Some(server) => write!(f, " server's processor {}", each(server)),
            None => Ok(()),
        }
    }
}

async fn run(url: String, arguments: Arguments, length: Duration) -> Result<(Outcome, Parts)> {
    let arguments = &arguments;
    PostgresStore::migrate(&url).await?;
    let store = PostgresStore::connect(&url, PostgresOptions::default()).await?;
    let mut session = store.open_session().await?;
    let products = stock(session.as_mut(), arguments.products).await?;
    let mut parts = Parts::default();
    let mut elapsed = Duration::ZERO;
    let mut made = 0_u64;
    let mut cursor = 0;
    // Statements are prepared, pages are in memory, write-ahead log segments exist.
    for _ in 0..arguments.warm_up {
        batch(session.as_mut(), arguments, &orders(arguments, &products, &mut cursor)?, &mut parts).await?;
    }
    parts = Parts::default();
    let backend = session.backend().pid;
    let busy = busy(backend);
    while elapsed < length {
        // The ids are the callers', made before they call.
        let orders = orders(arguments, &products, &mut cursor)?;
        let spent = batch(session.as_mut(), arguments, &orders, &mut parts).await?;
        elapsed += spent;
        made += orders.len() as u64;
    }
    parts.server = busy_since(busy, backend);
    Ok((Outcome { reservations: made, elapsed }, parts))
}

fn orders(
    arguments: &Arguments,
    products: &[ProductId],
    cursor: &mut usize,
) -> Result<Vec<(OrderId, Lines)>> {
    (0..arguments.batch)
        .map(|_| {
            let id = if arguments.random_ids { Uuid::new_v4() } else { Uuid::now_v7() };
            let lines = (0..arguments.lines).map(|_| {
                *cursor += 1;
                let units =
                    if arguments.mixed_quantities { 1 + i64::from(cursor.is_multiple_of(2)) } else { 1 };
                Ok(Line { product: products[*cursor % products.len()], quantity: Quantity::new(units)? })
            });
            Ok((OrderId::new(id), Lines::new(lines.collect::<Result<Vec<_>>>()?)?))
        })
        .collect()
}

async fn batch(
    session: &mut dyn Session,
    arguments: &Arguments,
    orders: &[(OrderId, Lines)],
    parts: &mut Parts,
) -> Result<Duration> {
    let started = Instant::now();
    let mut products: Vec<ProductId> =
        orders.iter().flat_map(|(_, lines)| lines.iter().map(|line| line.product)).collect();
    products.sort_unstable();
    products.dedup();
    let footprint = Footprint {
        products,
        orders: orders.iter().map(|(order, _)| *order).collect(),
        ..Footprint::default()
    };
    let batch = BatchId::new(Uuid::now_v7());
    let prepared = Instant::now();
    let locked = session.begin(batch, &footprint).await?;
    let begun = Instant::now();
    let mut effects = decide(batch, locked, orders);
    if arguments.mixed_times {
        effects.created[0].expires_at = effects.created[0].expires_at_max;
    }
    let decided = Instant::now();
    session.persist(&effects).await?;
    let persisted = Instant::now();
    session.commit().await.context("commit")?;
    parts.batches += 1;
    parts.begin += begun - prepared;
    parts.decide += (decided - begun) + (prepared - started);
    parts.persist += persisted - decided;
    parts.commit += persisted.elapsed();
    Ok(started.elapsed())
}

/// A stand-in for the rules: holds for everyone.
fn decide(batch: BatchId, mut locked: Locked, orders: &[(OrderId, Lines)]) -> Effects {
    let now = locked.now;
    for line in orders.iter().flat_map(|(_, lines)| lines.iter()) {
        if let Some(product) = locked.products.get_mut(&line.product) {
            product.held += line.quantity.units();
        }
    }
    let created = orders.iter().map(|(order, lines)| hold(*order, lines, now)).collect();
    let commands = orders.iter().map(|(order, lines)| command(*order, lines)).collect();
    let mut after: Vec<Product> = locked.products.into_values().collect();
    after.sort_unstable_by_key(|product| product.id);
    let mut effects = nothing(batch, now);
    effects.created = created;
    effects.journal.commands = commands;
    for mut product in after {
        let version_before = Some(product.version);
        product.version += 1;
        effects.journal.products.push(entry(&product, Some(product.last_batch)));
        product.last_batch = batch;
        effects.products.push(ProductEffect { version_before, stock_only: true, after: product });
    }
    effects
}

fn hold(order: OrderId, lines: &Lines, now: Timestamp) -> Reservation {
    Reservation {
        order,
        status: Status::Held,
        customer: None,
        requested: lines.clone(),
        lines: lines.clone(),
        created_at: now,
        expires_at: now.plus(Duration::from_secs(900)),
        expires_at_max: now.plus(Duration::from_secs(3_600)),
        ended_at: None,
        late: false,
    }
}

fn command(order: OrderId, lines: &Lines) -> JournalCommand {
    JournalCommand {
        kind: ChangeKind::Reserve,
        order: Some(order),
        lines: lines
            .iter()
            .map(|line| JournalLine { product: line.product, units: line.quantity.units() })
            .collect(),
        remark: None,
    }
}

fn entry(after: &Product, previous: Option<BatchId>) -> JournalProduct {
    JournalProduct {
        product: after.id,
        version: after.version,
        on_hand: after.on_hand,
        held: after.held,
        previous,
    }
}

fn nothing(batch: BatchId, at: Timestamp) -> Effects {
    Effects {
        created: Vec::new(),
        changed: Vec::new(),
        products: Vec::new(),
        adjustments: Vec::new(),
        customer_units: Vec::new(),
        deliveries: Vec::new(),
        outbox: Vec::new(),
        journal: JournalEntry { batch, at, commands: Vec::new(), products: Vec::new() },
    }
}

/// Creates products `1..=count` with plenty of stock.
async fn stock(session: &mut dyn Session, count: usize) -> Result<Vec<ProductId>> {
    let ids: Vec<ProductId> = (1..=i64::try_from(count)?).map(ProductId::new).collect();
    let batch = BatchId::new(Uuid::now_v7());
    let locked = session.begin(batch, &Footprint { products: ids.clone(), ..Footprint::default() }).await?;
    let mut effects = nothing(batch, locked.now);
    for id in &ids {
        let after = Product {
            id: *id,
            on_hand: Units::level(1_000_000_000_000)?,
            held: Units::ZERO,
            version: 1,
            admin_version: 1,
            low_stock_threshold: None,
            per_customer_limit: None,
            limited_since: None,
            name: None,
            alert: Alert::None,
            last_batch: batch,
        };
        effects.journal.products.push(entry(&after, None));
        effects.products.push(ProductEffect { version_before: None, stock_only: false, after });
    }
    session.persist(&effects).await?;
    session.commit().await.context("commit")?;
    Ok(ids)
}
