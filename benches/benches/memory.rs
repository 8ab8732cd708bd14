//! What one order costs in memory: taking and settling on counters, and deciding a batch.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use inventory_core::clock::Timestamp;
use inventory_core::command::{Command, Reserve};
use inventory_core::counters::{Base, Counters, Take};
use inventory_core::decide::decide;
use inventory_core::event::NoEvents;
use inventory_core::ids::{BatchId, OrderId, ProductId};
use inventory_core::lines::Lines;
use inventory_core::product::{Alert, Product};
use inventory_core::quantity::{Quantity, Units};
use inventory_core::store::{IdMap, IdSet, Locked};
use std::hint::black_box;
use std::time::Duration;
use uuid::Uuid;

const BATCH: usize = 1_000;
const HOT: ProductId = ProductId::new(1);

fn base(version: u64) -> Base {
    Base { available: Units::stored(1_000_000_000), version, epoch: 0, limited: false }
}

fn counters(criterion: &mut Criterion) {
    let counters = Counters::new();
    counters.observe(HOT, base(1));
    let one = Lines::one(HOT, Quantity::ONE);
    let mut group = criterion.benchmark_group("counters");
    group.throughput(Throughput::Elements(1));
    group.bench_function("take and give back one unit of a hot product", |bencher| {
        bencher.iter(|| match counters.take(black_box(&one)) {
            Take::Taken(taken) => counters.give_back(&one, taken),
            Take::Short(_) | Take::Contended | Take::Unknown(_) => {}
        });
    });
    let much = Lines::one(HOT, Quantity::new(2_000_000_000).unwrap_or(Quantity::ONE));
    group.bench_function("refuse", |bencher| bencher.iter(|| black_box(counters.take(black_box(&much)))));
    group.finish();
}

fn batch() -> (Locked, Vec<Command>) {
    let product = Product {
        id: HOT,
        on_hand: Units::stored(1_000_000_000),
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
    let locked = Locked {
        now: Timestamp::from_micros(1_000_000),
        products: IdMap::from_iter([(HOT, product)]),
        reservations: IdMap::default(),
        adjustments: IdMap::default(),
        customer_units: IdMap::default(),
        delivered: IdSet::default(),
        skipped: Vec::new(),
    };
    let commands = (0..BATCH).map(|_| {
        Command::Reserve(Reserve {
            order: OrderId::new(Uuid::now_v7()),
            lines: Lines::one(HOT, Quantity::ONE),
            customer: None,
            ttl: Duration::from_secs(900),
            ttl_max: Duration::from_secs(3_600),
        })
    });
    (locked, commands.collect())
}

fn rules(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decide");
    group.throughput(Throughput::Elements(BATCH as u64));
    group.bench_function("a batch of 1,000 reserves of a hot product", |bencher| {
        bencher.iter_batched(
            batch,
            |(locked, commands)| decide(locked, &commands, BatchId::new(Uuid::nil()), &NoEvents),
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

criterion_group!(memory, counters, rules);
criterion_main!(memory);
