//! The same scripts on every store, the simulated ledger's account compared with Postgres': what the simulation proves, it proves of
//! something that answers, keeps and refuses as the real one does.

use std::sync::Arc;

use inventory_core::store::conformance::scripts::{Account, Script};
use inventory_core::store::memory::MemoryStore;
use inventory_core::store::postgres::{PostgresOptions, PostgresStore};
use inventory_core::store::sqlite::SqliteStore;
use inventory_core::store::{Sharing, Store};
use simulation::ledger::{Link, SimulatedLedger, World};
use simulation::mutant::Mutant;

/// Scripts that are played on every store.
const SEEDS: u64 = 3;
/// Scripts in which a defect must show.
const SEEDS_OF_MUTANTS: u64 = 20;

fn simulated(mutant: Option<Mutant>) -> Arc<dyn Store> {
    let world = World { mutant, ..World::calm() };
    let ledger = SimulatedLedger::new(world.clone());
    Arc::new(ledger.client(Link::new(1, world), Sharing::Shared))
}

async fn postgres() -> Arc<dyn Store> {
    let url = test_support::postgres::database().await.url;
    PostgresStore::migrate(&url).await.unwrap();
    Arc::new(PostgresStore::connect(&url, PostgresOptions::default()).await.unwrap())
}

#[track_caller]
fn is_same(name: &str, seed: u64, account: &Account, expected: &Account) {
    if let Some(difference) = account.first_difference(expected) {
        panic!("seed {seed}: the {name} store's account is not that of Postgres: {difference}");
    }
}

#[tokio::test]
async fn scripts_have_the_same_outcomes_and_leave_the_same_rows_on_every_store() {
    for seed in 0..SEEDS {
        let script = Script::alone(seed);
        let expected = script.play(postgres().await).await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        let sqlite = SqliteStore::open(directory.path().join("ledger.db")).await.unwrap();
        is_same("simulated", seed, &script.play(simulated(None)).await.unwrap(), &expected);
        is_same("memory", seed, &script.play(Arc::new(MemoryStore::default())).await.unwrap(), &expected);
        is_same("SQLite", seed, &script.play(Arc::new(sqlite)).await.unwrap(), &expected);
    }
}

#[tokio::test]
async fn two_sessions_meet_the_same_locks_and_keys_on_the_simulated_ledger_and_on_postgres() {
    for seed in 0..SEEDS {
        let script = Script::crossed(seed);
        let expected = script.play(postgres().await).await.unwrap();
        is_same("simulated", seed, &script.play(simulated(None)).await.unwrap(), &expected);
    }
}

/// Whether some script tells a ledger with this defect from one without. Virtual time: nothing real is waited for.
async fn is_told_apart(mutant: Mutant) {
    for seed in 0..SEEDS_OF_MUTANTS {
        let script = Script::crossed(seed);
        let expected = script.play(simulated(None)).await.unwrap();
        // A store that cannot go on is not the same either.
        let Ok(account) = script.play(simulated(Some(mutant))).await else { return };
        if account != expected {
            return;
        }
    }
    panic!("{mutant}: {SEEDS_OF_MUTANTS} scripts went as without it");
}

#[tokio::test(start_paused = true)]
async fn a_ledger_with_a_defect_is_told_from_one_without() {
    let defects = [
        Mutant::DroppedLock,
        Mutant::SkippedGuard,
        Mutant::DoubleRelease,
        Mutant::EarlyAcknowledgement,
        Mutant::StaleReads,
        Mutant::ForgottenOrders,
        Mutant::ReadingResolver,
    ];
    for mutant in defects {
        is_told_apart(mutant).await;
    }
}

/// What some script must come to, as accounts write it.
const CORNERS: [&str; 18] = [
    "written: Err(Conflict)",
    "written: Err(Data)",
    "written twice: Err(Conflict)",
    "begun twice: Err(Conflict)",
    "(Ok(()), Aborted)",
    "resolved: Committed",
    "the other waits: Err(LockTimeout)",
    "the other committed: Ok",
    "skipped [ProductId",
    "Err(Failed(Unavailable",
    "replayed: true",
    "Err(InsufficientStock",
    "Err(CustomerLimit",
    "Expire(Expired",
    "late: true",
    "status: Lost",
    "Err(BelowHeld",
    "delivery: DeliveryRow",
];

#[tokio::test(start_paused = true)]
async fn the_scripts_come_to_what_they_are_for() {
    let mut missing: Vec<&str> = CORNERS.to_vec();
    for seed in 0..SEEDS {
        let account = Script::crossed(seed).play(simulated(None)).await.unwrap();
        missing.retain(|corner| !account.lines().iter().any(|line| line.contains(corner)));
    }
    assert!(missing.is_empty(), "no script came to {missing:?}");
}
