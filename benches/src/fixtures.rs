//! What every measurement of a part is made on: products with plenty of stock, and orders of them.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use inventory_core::clock::Timestamp;
use inventory_core::command::{Command, Reserve, SetStock};
use inventory_core::counters::{Base, Counters, Take};
use inventory_core::decide::decide;
use inventory_core::engine::{Engine, ReserveRequest};
use inventory_core::event::NoEvents;
use inventory_core::ids::{BatchId, OrderId, ProductId};
use inventory_core::lines::{Line, Lines};
use inventory_core::options::EngineOptions;
use inventory_core::product::{Alert, Product};
use inventory_core::quantity::{Quantity, Units};
use inventory_core::store::{Footprint, IdMap, IdSet, Locked, Session, Store};
use uuid::Uuid;

/// The product that everybody wants; others follow it.
pub const HOT: ProductId = ProductId::new(1);
/// What every product has: more than a measurement takes.
const STOCK: Units = Units::stored(1_000_000_000);

/// The product with this number, from 0 on; 0 is [`HOT`].
pub fn product(number: usize) -> ProductId {
    ProductId::new(HOT.get().saturating_add_unsigned(number as u64))
}

/// Counters that know so many products.
pub fn counters(products: usize) -> Counters {
    let counters = Counters::new();
    for number in 0..products {
        counters.observe(product(number), Base { available: STOCK, version: 1, epoch: 0, limited: false });
    }
    counters
}

/// One unit each of so many products, from this one on.
pub fn cart(first: usize, lines: usize) -> Lines {
    Lines::stored(
        (first..first + lines).map(|number| Line { product: product(number), quantity: Quantity::ONE }),
    )
}

/// More of a product than there is.
pub fn too_much(product: ProductId) -> Lines {
    Lines::one(product, Quantity::new(STOCK.get() + 1).unwrap_or(Quantity::ONE))
}

/// Takes and gives back, as when the store cannot be reached. False if it could not be had.
pub fn take_and_give_back(counters: &Counters, lines: &Lines) -> bool {
    match counters.take(lines) {
        Take::Taken(taken) => {
            counters.give_back(lines, taken);
            true
        }
        Take::Short(_) | Take::Contended | Take::Unknown(_) => false,
    }
}

/// So many orders of one unit each, of so many products in turn.
pub fn reserves(count: usize, products: usize) -> Vec<Command> {
    let reserve = |number| {
        Command::Reserve(Reserve {
            order: OrderId::new(Uuid::now_v7()),
            lines: cart(number % products, 1),
            customer: None,
            ttl: Duration::from_secs(900),
            ttl_max: Duration::from_secs(3_600),
        })
    };
    (0..count).map(reserve).collect()
}

/// What a store answers to a batch of new orders of so many products.
pub fn locked(products: usize) -> Locked {
    let row = |number| {
        let row = Product {
            id: product(number),
            on_hand: STOCK,
            held: Units::ZERO,
            version: 1,
            admin_version: 1,
            low_stock_threshold: None,
            per_customer_limit: None,
            limited_since: None,
            name: None,
            alert: Alert::None,
            last_batch: BatchId::new(Uuid::nil()),
        };
        (row.id, row)
    };
    Locked {
        now: Timestamp::from_micros(1_000_000),
        products: (0..products).map(row).collect(),
        reservations: IdMap::default(),
        adjustments: IdMap::default(),
        customer_units: IdMap::default(),
        delivered: IdSet::default(),
        skipped: Vec::new(),
    }
}

/// An engine whose store has so many products, and that does nothing by itself meanwhile.
pub async fn engine(store: Arc<dyn Store>, products: usize) -> anyhow::Result<Engine> {
    let later = Duration::from_secs(3_600);
    let options = EngineOptions {
        housekeeping: false,
        sweep_period: later,
        level_period: later,
        ..EngineOptions::default()
    };
    let engine = Engine::open(store, Arc::new(NoEvents), options).await?;
    for number in 0..products {
        engine.set(SetStock::level(product(number), STOCK)).await?;
    }
    Ok(engine)
}

/// What a caller asks for: a new order of one unit of [`HOT`].
pub fn request() -> ReserveRequest {
    ReserveRequest { order: OrderId::new(Uuid::now_v7()), lines: cart(0, 1), customer: None, ttl: None }
}

/// Makes so many batches of so many new orders of [`HOT`], as the writer does: begin, decide, persist, COMMIT.
pub async fn batches(session: &mut dyn Session, count: u64, orders: usize) -> anyhow::Result<()> {
    for _ in 0..count {
        let commands = reserves(orders, 1);
        let batch = BatchId::new(Uuid::now_v7());
        let footprint = Footprint::of(&commands, |_| false, false);
        let locked = session.begin(batch, &footprint).await?;
        let decision = decide(locked, &commands, batch, &NoEvents);
        ensure!(decision.effects.created.len() == orders, "the batch did not hold for everyone");
        session.persist(&decision.effects).await?;
        session.commit().await.context("commit")?;
    }
    Ok(())
}
