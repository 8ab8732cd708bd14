//! What only the SQLite store promises: one owner per file, a clock that outlives the process, refusing what it
//! cannot understand.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use inventory_core::clock::{Clock, Timestamp};
use inventory_core::ids::{BatchId, Delivery, Note, OrderId, ProductId};
use inventory_core::store::sqlite::SqliteStore;
use inventory_core::store::{Effects, Footprint, Store, StoreErrorKind};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, SqliteConnection};
use tempfile::TempDir;
use uuid::Uuid;

fn directory() -> TempDir {
    tempfile::tempdir().unwrap()
}

async fn open(directory: &TempDir) -> SqliteStore {
    SqliteStore::open(file(directory)).await.unwrap()
}

fn file(directory: &TempDir) -> impl AsRef<Path> + use<> {
    directory.path().join("ledger.db")
}

/// A connection past the store.
async fn beside(directory: &TempDir) -> SqliteConnection {
    SqliteConnectOptions::new().filename(file(directory)).connect().await.unwrap()
}

async fn execute(connection: &mut SqliteConnection, sql: &str) {
    sqlx::query(AssertSqlSafe(sql)).execute(connection).await.unwrap();
}

/// An order in the file, written past the store.
async fn order_with_lines(directory: &TempDir, status: i64, lines: &str) -> OrderId {
    let order = Uuid::now_v7();
    let mut connection = beside(directory).await;
    sqlx::query("INSERT INTO reservations VALUES (?, ?, 0, NULL, 1, 2, 3, NULL, ?)")
        .bind(order)
        .bind(status)
        .bind(lines)
        .execute(&mut connection)
        .await
        .unwrap();
    OrderId::new(order)
}

/// The wall clock of the far past: what a process sees whose clock was set back.
struct Stopped(Timestamp);

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        self.0
    }
}

#[tokio::test]
async fn a_file_belongs_to_one_store_until_it_is_dropped() {
    let directory = directory();
    let store = open(&directory).await;
    let session = store.open_session().await.unwrap();
    let second = SqliteStore::open(file(&directory)).await.err().unwrap();
    assert_eq!(second.kind, StoreErrorKind::Unavailable);
    assert!(second.message.contains("in use"), "{second}");
    drop(store);
    assert!(SqliteStore::open(file(&directory)).await.is_err(), "a session still writes to it");
    drop(session);
    open(&directory).await;
}

#[tokio::test]
async fn what_is_no_database_is_refused_for_what_it_is() {
    let directory = directory();
    std::fs::write(
        file(&directory),
        "This is a letter to my grandmother, and long enough for a header.".repeat(20),
    )
    .unwrap();
    let error = SqliteStore::open(file(&directory)).await.err().unwrap();
    assert_eq!(error.kind, StoreErrorKind::Corrupt, "{error}");
    let nowhere = SqliteStore::open(directory.path().join("missing/ledger.db")).await.err().unwrap();
    assert_eq!(nowhere.kind, StoreErrorKind::Misconfigured, "{nowhere}");
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let directory = directory();
    drop(open(&directory).await);
    let mut connection = beside(&directory).await;
    execute(&mut connection, "UPDATE _sqlx_migrations SET version = 9999 WHERE version = 1").await;
    let error = SqliteStore::open(file(&directory)).await.err().unwrap();
    assert_eq!(error.kind, StoreErrorKind::Misconfigured, "{error}");
}

#[tokio::test]
async fn i16_the_next_process_starts_no_earlier_than_the_last_persisted_time() {
    let directory = directory();
    let far = Timestamp::from_micros(4_000_000_000_000_000);
    let store = SqliteStore::open_with_clock(file(&directory), |_| Arc::new(Stopped(far))).await.unwrap();
    let mut session = store.open_session().await.unwrap();
    let batch = BatchId::new(Uuid::now_v7());
    let locked = session.begin(batch, &Footprint::default()).await.unwrap();
    let mut effects = Effects::none(batch, locked.now);
    let note = |text| Note::parse(text).unwrap();
    effects.deliveries = vec![Delivery { consumer: note("inventory"), message: note("1") }];
    session.persist(&effects).await.unwrap();
    session.commit().await.unwrap();
    drop((session, store));
    let store = open(&directory).await;
    let (now, _) = store.reservation(OrderId::new(Uuid::nil())).await.unwrap();
    assert!(now >= far, "the wall clock is behind, and {now} decided");
}

#[tokio::test]
async fn rows_that_cannot_be_understood_are_reported_not_guessed() {
    let directory = directory();
    let store = open(&directory).await;
    for lines in ["", "[[1,2]]", "[[1,2,3],[1,2,3]]", "[[1,-2,0]]", "no lines"] {
        let order = order_with_lines(&directory, 1, lines).await;
        let read = store.reservation(order).await.unwrap_err();
        assert_eq!(read.kind, StoreErrorKind::Corrupt, "{lines:?}: {read}");
        let mut session = store.open_session().await.unwrap();
        let footprint = Footprint { orders: vec![order], ..Footprint::default() };
        let begun = session.begin(BatchId::new(Uuid::now_v7()), &footprint).await.unwrap_err();
        assert_eq!(begun.kind, StoreErrorKind::Corrupt);
        session.begin(BatchId::new(Uuid::now_v7()), &Footprint::default()).await.unwrap();
    }
}

#[tokio::test]
async fn a_lock_that_another_program_holds_is_waited_for() {
    let directory = directory();
    let store = open(&directory).await;
    let mut other = beside(&directory).await;
    execute(&mut other, "BEGIN IMMEDIATE").await;
    let mut session = store.open_session().await.unwrap();
    let footprint = Footprint::default();
    let (begun, ()) = tokio::join!(session.begin(BatchId::new(Uuid::now_v7()), &footprint), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        execute(&mut other, "ROLLBACK").await;
    });
    begun.unwrap();
}

#[tokio::test]
async fn readers_do_not_wait_for_a_batch_that_is_open() {
    let directory = directory();
    let store = open(&directory).await;
    let mut session = store.open_session().await.unwrap();
    session.begin(BatchId::new(Uuid::now_v7()), &Footprint::default()).await.unwrap();
    let read = store.read(&[ProductId::new(1)], &[]).await.unwrap();
    assert!(read.products.is_empty());
    assert!(store.due(Duration::ZERO, 10).await.unwrap().orders.is_empty());
}
