//! The rules alone: locked rows and a batch of reserves in, outcomes and effects out.

use std::time::Duration;

use benches::fixtures::{locked, reserves};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use inventory_core::decide::decide;
use inventory_core::event::NoEvents;
use inventory_core::ids::BatchId;
use uuid::Uuid;

fn rules(criterion: &mut Criterion) {
    for (name, products) in [("decide, one hot product", 1), ("decide, spread over 1,000 products", 1_000)] {
        let mut group = criterion.benchmark_group(name);
        for size in [1, 100, 1_000] {
            group.throughput(Throughput::Elements(size as u64));
            let (before, batch) = (locked(products.min(size)), BatchId::new(Uuid::nil()));
            let commands = reserves(size, products);
            group.bench_function(BenchmarkId::from_parameter(size), |bencher| {
                bencher.iter_batched(
                    || before.clone(),
                    |locked| decide(locked, &commands, batch, &NoEvents),
                    BatchSize::LargeInput,
                );
            });
        }
        group.finish();
    }
}

fn short() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(50)
}

criterion_group! { name = benches; config = short(); targets = rules }
criterion_main!(benches);
