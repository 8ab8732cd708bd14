//! Each store alone: a batch of 100 holds of one product through a session, decided by the rules between its locks and its
//! COMMIT. SQLite and Postgres wait for the disk (`synchronous=FULL`, `fsync=on`).

use std::sync::Arc;
use std::time::{Duration, Instant};

use benches::fixtures;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use inventory_core::store::memory::MemoryStore;
use inventory_core::store::postgres::{PostgresOptions, PostgresStore};
use inventory_core::store::sqlite::SqliteStore;
use inventory_core::store::{Session, Store};
use tokio::runtime::{Builder, Runtime};

const ORDERS: usize = 100;

fn stores(criterion: &mut Criterion) {
    // The measuring thread is the runtime's, as the writer's is: no answer crosses threads on its way.
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let sqlite = runtime.block_on(SqliteStore::open(folder.path().join("stock.db"))).expect("SQLite");
    let postgres = runtime.block_on(postgres()).expect("Postgres");
    let each: [(&str, Arc<dyn Store>); 3] = [
        ("memory", Arc::new(MemoryStore::default())),
        ("SQLite", Arc::new(sqlite)),
        ("Postgres", Arc::new(postgres)),
    ];

    let mut group = criterion.benchmark_group("a batch of 100 holds");
    group.throughput(Throughput::Elements(ORDERS as u64));
    for (name, store) in each {
        let mut session = runtime.block_on(session(store)).expect("a session");
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|batches| time(&runtime, session.as_mut(), batches));
        });
    }
    group.finish();
}

fn time(runtime: &Runtime, session: &mut dyn Session, batches: u64) -> Duration {
    let started = Instant::now();
    runtime.block_on(fixtures::batches(session, batches, ORDERS)).expect("every order is held");
    started.elapsed()
}

async fn postgres() -> anyhow::Result<PostgresStore> {
    let url = test_support::postgres::database().await.url;
    PostgresStore::migrate(&url).await?;
    Ok(PostgresStore::connect(&url, PostgresOptions::default()).await?)
}

/// A session of a store that has the product.
async fn session(store: Arc<dyn Store>) -> anyhow::Result<Box<dyn Session>> {
    fixtures::engine(Arc::clone(&store), 1).await?.shutdown().await;
    Ok(store.open_session().await?)
}

fn short() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(4))
        .sample_size(20)
}

criterion_group! { name = benches; config = short(); targets = stores }
criterion_main!(benches);
