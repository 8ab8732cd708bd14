//! (h) The floor under the engine: the SQL batches that it sends, hand-made and sent by a bare loop through [`Session`] — fence, lock,
//! reservations, stock, journal and COMMIT, with nobody to wait for and nothing to decide.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use inventory_core::clock::Timestamp;
use inventory_core::ids::{BatchId, OrderId, ProductId};
use inventory_core::journal::{ChangeKind, JournalCommand, JournalLine, JournalProduct};
use inventory_core::limits::UNITS_MAX;
use inventory_core::lines::Lines;
use inventory_core::options::EngineOptions;
use inventory_core::product::{Alert, Product};
use inventory_core::quantity::Units;
use inventory_core::reservation::{Reservation, Status};
use inventory_core::store::postgres::{PostgresOptions, PostgresStore};
use inventory_core::store::{Effects, Footprint, Locked, ProductEffect, Session, Store as _};
use uuid::Uuid;

use crate::workload::{Request, Walker, Workload};

/// Products stocked in one batch.
const CHUNK: usize = 5_000;

/// A session and its requests to come.
pub struct Floor {
    session: Box<dyn Session>,
    walker: Walker,
    options: EngineOptions,
}

/// What batches came to.
#[derive(Debug, Default)]
pub struct Parts {
    /// Reservations made.
    pub reservations: u64,
    /// Units held.
    pub units: i64,
    /// Each batch from its first message to the last, in microseconds.
    pub latencies_us: Vec<u32>,
    /// In the transaction's beginning: BEGIN, fence, locks.
    pub begin: Duration,
    /// Making the batch: what the engine's rules would do.
    pub decide: Duration,
    /// In the one statement that writes.
    pub persist: Duration,
    /// In COMMIT.
    pub commit: Duration,
}

impl Parts {
    /// Time in batches; what it takes to invent orders is the buyers'.
    pub fn elapsed(&self) -> Duration {
        self.begin + self.decide + self.persist + self.commit
    }

    /// Each step's share of a batch.
    pub fn describe(&self) -> String {
        let batches = u32::try_from(self.latencies_us.len()).unwrap_or(u32::MAX).max(1);
        let each = |part: Duration| (part / batches).as_micros();
        let (begin, decide) = (each(self.begin), each(self.decide));
        let (persist, commit) = (each(self.persist), each(self.commit));
        format!("µs: begin {begin} decide {decide} persist {persist} commit {commit}")
    }
}

impl Floor {
    /// Migrates, stocks and opens the session.
    pub async fn prepare(url: &str, workload: &Workload, seed: u64) -> Result<Self> {
        PostgresStore::migrate(url).await?;
        let store = PostgresStore::connect(url, PostgresOptions::default()).await?;
        let mut session = store.open_session().await?;
        for chunk in workload.products().chunks(CHUNK) {
            stock(session.as_mut(), chunk).await?;
        }
        Ok(Self { session, walker: workload.walker(seed, 0, 1)?, options: EngineOptions::default() })
    }

    /// Sends batches of so many orders for so long.
    pub async fn run(&mut self, orders_per_batch: usize, length: Duration) -> Result<Parts> {
        let mut parts = Parts::default();
        while parts.elapsed() < length {
            let mut orders: Vec<Request> = Vec::with_capacity(orders_per_batch);
            let mut lines = 0;
            // As the engine bounds its own.
            while orders.len() < orders_per_batch && lines < self.options.batch_lines_max {
                let request = self.walker.next_request();
                lines += request.lines.len();
                orders.push(request);
            }
            self.batch(&orders, &mut parts).await?;
        }
        Ok(parts)
    }

    async fn batch(&mut self, orders: &[Request], parts: &mut Parts) -> Result<()> {
        let started = Instant::now();
        let mut products: Vec<ProductId> =
            orders.iter().flat_map(|order| order.lines.iter().map(|line| line.product)).collect();
        products.sort_unstable();
        products.dedup();
        let footprint = Footprint { products, ..Footprint::default() };
        let batch = BatchId::new(Uuid::now_v7());
        let prepared = Instant::now();
        let locked = self.session.begin(batch, &footprint).await?;
        let begun = Instant::now();
        let effects = decide(batch, locked, orders, &self.options);
        let decided = Instant::now();
        self.session.persist(&effects).await?;
        let persisted = Instant::now();
        self.session.commit().await.context("COMMIT")?;
        parts.commit += persisted.elapsed();
        parts.begin += begun - prepared;
        parts.decide += (decided - begun) + (prepared - started);
        parts.persist += persisted - decided;
        parts.latencies_us.push(u32::try_from(started.elapsed().as_micros()).unwrap_or(u32::MAX));
        parts.reservations += orders.len() as u64;
        parts.units += orders.iter().map(Request::units).sum::<i64>();
        Ok(())
    }
}

/// A stand-in for the rules: holds for everyone.
fn decide(batch: BatchId, mut locked: Locked, orders: &[Request], options: &EngineOptions) -> Effects {
    let now = locked.now;
    for line in orders.iter().flat_map(|order| order.lines.iter()) {
        if let Some(product) = locked.products.get_mut(&line.product) {
            product.held += line.quantity.units();
        }
    }
    let mut after: Vec<Product> = locked.products.into_values().collect();
    after.sort_unstable_by_key(|product| product.id);
    let mut effects = Effects::none(batch, now);
    effects.created = orders.iter().map(|order| hold(order, now, options)).collect();
    effects.journal.commands = orders.iter().map(|order| command(order.order, &order.lines)).collect();
    for mut product in after {
        let version_before = Some(product.version);
        product.version += 1;
        effects.journal.products.push(entry(&product, Some(product.last_batch)));
        product.last_batch = batch;
        effects.products.push(ProductEffect { version_before, stock_only: true, after: product });
    }
    effects
}

fn hold(request: &Request, now: Timestamp, options: &EngineOptions) -> Reservation {
    Reservation {
        order: request.order,
        status: Status::Held,
        customer: None,
        requested: request.lines.clone(),
        lines: request.lines.clone(),
        created_at: now,
        expires_at: now.plus(options.hold_ttl),
        expires_at_max: now.plus(options.hold_ttl_max),
        ended_at: None,
        late: false,
    }
}

fn command(order: OrderId, lines: &Lines) -> JournalCommand {
    let line = |line: inventory_core::lines::Line| JournalLine {
        product: line.product,
        units: line.quantity.units(),
    };
    JournalCommand {
        kind: ChangeKind::Reserve,
        order: Some(order),
        lines: lines.iter().map(line).collect(),
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

/// Creates products with plenty of stock.
async fn stock(session: &mut dyn Session, ids: &[ProductId]) -> Result<()> {
    let batch = BatchId::new(Uuid::now_v7());
    let locked = session.begin(batch, &Footprint { products: ids.to_vec(), ..Footprint::default() }).await?;
    let mut effects = Effects::none(batch, locked.now);
    for id in ids {
        let after = Product {
            id: *id,
            on_hand: Units::level(UNITS_MAX)?,
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
    session.commit().await.context("COMMIT of the stock")?;
    Ok(())
}
