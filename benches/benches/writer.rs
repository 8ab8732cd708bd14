//! The whole engine over the store in memory: admission, queue, writer, answer. What is left when no disk is asked.

use std::sync::Arc;
use std::time::{Duration, Instant};

use benches::{fixtures, library};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use inventory_core::store::memory::MemoryStore;
use tokio::runtime::Runtime;

fn engine(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let mut group = criterion.benchmark_group("engine over memory");
    for (name, callers) in [("one caller", 1), ("64 callers at a time", 64)] {
        group.throughput(Throughput::Elements(callers));
        group.bench_function(name, |bencher| {
            bencher.to_async(&runtime).iter_custom(|each| async move {
                holds(callers, each * callers).await.expect("every order is held")
            });
        });
    }
    group.finish();
}

/// How long so many holds take. On an engine of their own, since a ledger in memory only grows.
async fn holds(callers: u64, holds: u64) -> anyhow::Result<Duration> {
    let engine = fixtures::engine(Arc::new(MemoryStore::default()), 1).await?;
    let started = Instant::now();
    library::fill(&engine, callers, holds, 1).await?;
    let elapsed = started.elapsed();
    engine.shutdown().await;
    Ok(elapsed)
}

fn short() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .sample_size(20)
}

criterion_group! { name = benches; config = short(); targets = engine }
criterion_main!(benches);
