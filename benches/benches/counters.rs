//! The counters alone: what a yes and a no cost in memory, with nobody else there and with a rival.

use std::hint::black_box;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use benches::fixtures::{HOT, cart, counters, take_and_give_back, too_much};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use inventory_core::counters::Counters;

/// Products of "many": more than a processor's near caches hold the counters of.
const MANY: usize = 100_000;

fn alone(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("counters alone");
    group.throughput(Throughput::Elements(1));
    let hot = counters(1);
    let one = cart(0, 1);
    group.bench_function("take and give back", |bencher| {
        bencher.iter(|| take_and_give_back(&hot, black_box(&one)));
    });
    let much = too_much(HOT);
    group.bench_function("refuse", |bencher| bencher.iter(|| black_box(hot.take(black_box(&much)))));

    let few = counters(5);
    let five = cart(0, 5);
    group.bench_function("take and give back, a cart of five", |bencher| {
        bencher.iter(|| take_and_give_back(&few, black_box(&five)));
    });

    let many = counters(MANY);
    let orders: Vec<_> = (0..MANY).map(|number| cart(number * 7_919 % MANY, 1)).collect();
    let mut next = orders.iter().cycle();
    group.bench_function("take and give back, 100,000 products in turn", |bencher| {
        bencher.iter(|| next.next().map(|order| take_and_give_back(&many, black_box(order))));
    });
    group.finish();
}

/// One of two threads is measured while the other does the same. A product that both want is striped sooner or later.
fn contended(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("counters, two threads");
    group.throughput(Throughput::Elements(1));
    let apart = counters(2);
    group.bench_function("a product each", |bencher| {
        bencher.iter_custom(|takes| with_rival(&apart, [0, 1], takes));
    });
    let hot = counters(1);
    group.bench_function("the same product", |bencher| {
        bencher.iter_custom(|takes| with_rival(&hot, [0, 0], takes));
    });
    group.finish();

    let stripes = hot.inspect(HOT).map_or(0, |view| view.stripes);
    println!("the product that both wanted has {stripes} stripes now\n");
    let one = cart(0, 1);
    let mut group = criterion.benchmark_group("counters afterwards, alone");
    group.throughput(Throughput::Elements(1));
    group.bench_function("take and give back, the product that both wanted", |bencher| {
        bencher.iter(|| take_and_give_back(&hot, black_box(&one)));
    });
    group.finish();
}

/// How long so many takes last while another thread takes, too; each its own product number.
fn with_rival(counters: &Counters, products: [usize; 2], takes: u64) -> Duration {
    let [mine, theirs] = products.map(|product| cart(product, 1));
    let (start, over) = (Barrier::new(2), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            start.wait();
            while !over.load(Ordering::Relaxed) {
                black_box(take_and_give_back(counters, &theirs));
            }
        });
        start.wait();
        let started = Instant::now();
        for _ in 0..takes {
            black_box(take_and_give_back(counters, &mine));
        }
        let elapsed = started.elapsed();
        over.store(true, Ordering::Relaxed);
        elapsed
    })
}

fn short() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(50)
}

criterion_group! { name = benches; config = short(); targets = alone, contended }
criterion_main!(benches);
