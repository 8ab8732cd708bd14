//! I17 over the whole public API: every asynchronous function of the engine is dropped at every one of its polls, on every store. Afterwards
//! nothing has leaked: memory is what the ledger is, nothing is held, all stock can be reserved, the audit is clean.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use futures::future::{BoxFuture, FutureExt};
use inventory_core::command::{Adjust, SetStock};
use inventory_core::engine::Engine;
use inventory_core::event::NoEvents;
use inventory_core::ids::{AdjustmentId, Delivery, Note, OrderId};
use inventory_core::options::EngineOptions;
use inventory_core::quantity::Units;
use inventory_core::store::Store;
use inventory_core::store::memory::MemoryStore;
use inventory_core::store::postgres::{PostgresOptions, PostgresStore};
use inventory_core::store::sqlite::SqliteStore;

use super::support::{at_rest, levels, lines, new_order, open, options, product, request, row, stock};

/// Products of a stage, and a product that no stage has.
const PRODUCTS: [i64; 2] = [1, 2];
const COLD: i64 = 3;
/// Far more polls than any call has.
const POLLS_MAX: usize = 2_000;
/// How often each call is dropped at each poll: what else happens meanwhile differs.
const REPEATS: usize = 3;

/// What a call finds: an order that holds, and one that does not exist yet.
struct Stage {
    held: OrderId,
    fresh: OrderId,
}

type Call = for<'a> fn(&'a Engine, &'a Stage) -> BoxFuture<'a, ()>;

/// Functions of the engine, each with calls of it. One that is missing fails a test below.
macro_rules! calls {
    ($($name:ident: |$engine:ident, $stage:ident| $call:expr;)*) => {
        &[$((stringify!($name), {
            fn call<'a>($engine: &'a Engine, $stage: &'a Stage) -> BoxFuture<'a, ()> {
                let _ = $stage;
                async move { drop($call.await) }.boxed()
            }
            call as Call
        })),*]
    };
}

/// Those that change something.
const CHANGES: &[(&str, Call)] = calls! {
    reserve: |engine, stage| engine.reserve(request(stage.fresh, &[(1, 1), (2, 3)]));
    reserve: |engine, stage| engine.reserve(request(stage.held, &[(1, 2), (2, 1)]));
    reserve: |engine, stage| engine.reserve(request(stage.fresh, &[(1, 1), (2, 2_000_000)]));
    reserve: |engine, stage| engine.reserve(request(stage.fresh, &[(COLD, 1)]));
    commit: |engine, stage| engine.commit(stage.held, None, None);
    commit: |engine, stage| engine.commit(stage.held, Some(lines(&[(1, 1)])), Some(delivery(stage)));
    release: |engine, stage| engine.release(stage.held, None, None, None);
    release: |engine, stage| engine.release(stage.held, Some(lines(&[(1, 1)])), None, Some(delivery(stage)));
    release: |engine, stage| engine.release(stage.fresh, None, None, None);
    extend: |engine, stage| engine.extend(stage.held, std::time::Duration::from_secs(1_000));
    adjust: |engine, stage| engine.adjust(adjustment(stage));
    set: |engine, _stage| engine.set(level(1, 1_000));
    import: |engine, _stage| engine.import(level(2, 900));
};

/// Those that change nothing.
const READS: &[(&str, Call)] = calls! {
    products: |engine, _stage| engine.products(&[product(1), product(2), product(COLD)]);
    reservation: |engine, stage| engine.reservation(stage.held);
    holds_on: |engine, _stage| engine.holds_on(product(1), 10);
    history: |engine, _stage| engine.history(product(1), 0, 100);
    audit: |engine, _stage| engine.audit();
};

/// Those that start, stop or outlive an engine: each has a test of its own.
const OTHERS: [&str; 3] = ["failed", "open", "shutdown"];

fn delivery(stage: &Stage) -> Delivery {
    let note = |text: &str| Note::parse(text).unwrap();
    Delivery { consumer: note("test"), message: note(&stage.fresh.to_string()) }
}

fn adjustment(stage: &Stage) -> Adjust {
    Adjust {
        product: product(1),
        adjustment: AdjustmentId::parse(&stage.fresh.to_string()).unwrap(),
        delta: Units::delta(1).unwrap(),
        reason: Note::parse("found behind the shelf").unwrap(),
        reference: None,
    }
}

fn level(id: i64, units: i64) -> SetStock {
    SetStock::level(product(id), Units::level(units).unwrap())
}

/// When a future is dropped.
#[derive(Clone, Copy, Debug)]
enum When {
    /// As soon as it has to wait.
    AtOnce,
    /// When it could go on: what it waited for has happened.
    WhenWoken,
}

/// Polls a future so many times, when it is woken, and drops it; true if it had finished by then.
async fn drop_after(polls: usize, when: When, future: impl Future<Output = ()>) -> bool {
    let mut future = pin!(future);
    let mut done = 0;
    poll_fn(|context| {
        if done == polls {
            return Poll::Ready(false);
        }
        done += 1;
        match (future.as_mut().poll(context), when) {
            (Poll::Ready(()), _) => Poll::Ready(true),
            (Poll::Pending, When::AtOnce) if done == polls => Poll::Ready(false),
            (Poll::Pending, When::AtOnce | When::WhenWoken) => Poll::Pending,
        }
    })
    .await
}

/// Drops every call at every poll. Reads come first: an audit of a small ledger has few polls.
async fn drop_every_call(engine: &Engine) {
    stock(engine, &[(1, 1_000), (2, 1_000)]).await;
    for (name, call) in READS {
        let stage = staged(engine).await;
        let mut on_hand = 1_000;
        at_every_poll(name, async |polls, when| {
            let finished = drop_after(polls, when, call(engine, &stage)).await;
            // Nobody was left behind who still looks at how it was.
            on_hand += 1;
            engine.set(level(1, on_hand)).await.unwrap();
            assert_eq!(
                levels(engine, 1).await,
                (on_hand, 2),
                "after {name} dropped {when:?} after {polls} polls"
            );
            finished
        })
        .await;
        nothing_leaked(engine, &stage).await;
    }
    for (name, call) in CHANGES {
        drop_at_every_poll(engine, name, *call).await;
    }
    let report = engine.audit().await.unwrap();
    assert!(report.ok(), "{report:?}");
}

/// Drops a call that changes something at every poll, and looks each time at what is left.
async fn drop_at_every_poll(engine: &Engine, name: &str, call: Call) {
    at_every_poll(name, async |polls, when| {
        let stage = staged(engine).await;
        let finished = drop_after(polls, when, call(engine, &stage)).await;
        nothing_leaked(engine, &stage).await;
        finished
    })
    .await;
}

/// An order that holds, and one to be.
async fn staged(engine: &Engine) -> Stage {
    let stage = Stage { held: new_order(), fresh: new_order() };
    engine.reserve(request(stage.held, &[(1, 2), (2, 1)])).await.unwrap();
    stage
}

/// Does something with one poll more each time, until it is finished each time.
async fn at_every_poll(name: &str, mut attempt: impl AsyncFnMut(usize, When) -> bool) {
    for when in [When::AtOnce, When::WhenWoken] {
        let mut polls = 0;
        loop {
            // Shown if the test fails.
            println!("{name} dropped {when:?} after {polls} polls");
            let mut finished = 0;
            for _ in 0..REPEATS {
                finished += usize::from(attempt(polls, when).await);
            }
            if finished == REPEATS {
                break;
            }
            polls += 1;
            assert!(polls < POLLS_MAX, "{name} never finished");
        }
        assert!(polls >= 1, "{name} was never dropped before its end");
    }
}

/// Whatever became of the dropped call, asking again settles it, and then all stock is there.
async fn nothing_leaked(engine: &Engine, stage: &Stage) {
    for order in [stage.held, stage.fresh] {
        // Refused if it was committed.
        let _ = engine.release(order, None, None, None).await;
    }
    at_rest(engine, &PRODUCTS).await;
    for id in PRODUCTS {
        assert_eq!(levels(engine, id).await.1, 0, "product {id} is still held");
        let all = row(engine, id).await.available().get();
        let order = new_order();
        engine.reserve(request(order, &[(id, all)])).await.unwrap();
        engine.release(order, None, None, None).await.unwrap();
    }
    at_rest(engine, &PRODUCTS).await;
}

#[tokio::test]
async fn i17_every_call_dropped_at_every_poll_leaks_nothing_on_the_memory_store() {
    let engine = open(Arc::new(MemoryStore::default()), options()).await;
    drop_every_call(&engine).await;
    engine.shutdown().await;
}

#[tokio::test]
async fn i17_every_call_dropped_at_every_poll_leaks_nothing_on_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path().join("ledger.db")).await.unwrap();
    let engine = open(Arc::new(store), options()).await;
    drop_every_call(&engine).await;
    engine.shutdown().await;
}

#[tokio::test]
async fn i17_every_call_dropped_at_every_poll_leaks_nothing_on_postgres() {
    let database = test_support::postgres::database().await;
    PostgresStore::migrate(&database.url).await.unwrap();
    let store = PostgresStore::connect(&database.url, PostgresOptions::default()).await.unwrap();
    let engine = open(Arc::new(store), options()).await;
    drop_every_call(&engine).await;
    engine.shutdown().await;
}

#[tokio::test]
async fn i17_an_opening_or_a_shutdown_dropped_at_any_poll_leaves_a_store_that_opens() {
    let directory = tempfile::tempdir().unwrap();
    let sqlite = SqliteStore::open(directory.path().join("ledger.db")).await.unwrap();
    let stores: [Arc<dyn Store>; 2] = [Arc::new(MemoryStore::default()), Arc::new(sqlite)];
    for store in stores {
        let first = open(store.clone(), options()).await;
        stock(&first, &[(1, 1_000), (2, 1_000)]).await;
        let held = new_order();
        first.reserve(request(held, &[(1, 2)])).await.unwrap();
        first.shutdown().await;
        for (polls, when) in (0..12).flat_map(|polls| [(polls, When::AtOnce), (polls, When::WhenWoken)]) {
            println!("dropped {when:?} after {polls} polls");
            let options = EngineOptions { housekeeping: true, ..options() };
            let opening = Engine::open(store.clone(), Arc::new(NoEvents), options);
            drop_after(polls, when, async { drop(opening.await) }).await;
            let engine = open(store.clone(), options).await;
            at_rest(&engine, &PRODUCTS).await;
            assert_eq!(levels(&engine, 1).await, (1_000, 2), "the hold that was there");
            let stage = Stage { held: new_order(), fresh: new_order() };
            engine.reserve(request(stage.held, &[(2, 1)])).await.unwrap();
            let writes = engine.reserve(request(stage.fresh, &[(2, 5)]));
            drop_after(1, When::AtOnce, async { drop(writes.await) }).await;
            drop_after(polls, when, engine.shutdown()).await;
            // A second one ends what the first one began, and takes what was queued to its end.
            engine.shutdown().await;
            let again = open(store.clone(), options).await;
            for order in [stage.held, stage.fresh] {
                again.release(order, None, None, None).await.unwrap();
            }
            at_rest(&again, &PRODUCTS).await;
            assert_eq!(levels(&again, 2).await, (1_000, 0));
            assert!(again.audit().await.unwrap().ok());
            again.shutdown().await;
        }
    }
}

#[tokio::test]
async fn i17_nobody_who_stops_waiting_for_a_failure_disturbs_the_engine() {
    let engine = open(Arc::new(MemoryStore::default()), options()).await;
    for polls in 0..2 {
        assert!(!drop_after(polls, When::AtOnce, engine.failed()).await, "nothing failed");
    }
    stock(&engine, &[(1, 1)]).await;
    engine.shutdown().await;
}

/// A defect on purpose: a call that tries whether there is stock by holding it, and gives it back in its caller's future. Dropped in
/// between it leaves the hold.
fn a_trial<'a>(engine: &'a Engine, _: &'a Stage) -> BoxFuture<'a, ()> {
    let trial = async {
        let order = new_order();
        engine.reserve(request(order, &[(1, 1)])).await.unwrap();
        engine.release(order, None, None, None).await.unwrap();
    };
    trial.boxed()
}

#[tokio::test]
#[should_panic(expected = "product 1 is still held")]
async fn i17_a_hold_that_leaks_when_its_caller_goes_away_is_caught() {
    let engine = open(Arc::new(MemoryStore::default()), options()).await;
    stock(&engine, &[(1, 1_000), (2, 1_000)]).await;
    drop_at_every_poll(&engine, "a trial", a_trial).await;
}

/// A function that is added to the engine is added here.
#[test]
fn every_public_async_function_of_the_engine_is_dropped_here() {
    let mut public = BTreeSet::new();
    for file in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/engine")).unwrap() {
        let source = std::fs::read_to_string(file.unwrap().path()).unwrap();
        for line in source.lines().filter_map(|line| line.trim().strip_prefix("pub async fn ")) {
            public.insert(line.split(['(', '<']).next().unwrap().to_owned());
        }
    }
    let calls = CHANGES.iter().chain(READS).map(|(name, _)| *name);
    let here: BTreeSet<_> = calls.chain(OTHERS).map(str::to_owned).collect();
    assert_eq!(public, here);
}
