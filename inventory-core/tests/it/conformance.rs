//! The stores of this crate pass the suite that every store must pass.

use std::sync::Arc;

use async_trait::async_trait;
use inventory_core::event::OutboxRow;
use inventory_core::store::Store;
use inventory_core::store::conformance::{StoreFactory, Subject, run_all};
use inventory_core::store::memory::MemoryStore;
use inventory_core::store::postgres::{PostgresOptions, PostgresStore};
use inventory_core::store::sqlite::SqliteStore;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ColumnIndex, ConnectOptions, Connection, Decode, PgConnection, Row, Type};
use tempfile::TempDir;
use uuid::Uuid;

struct Memory;

#[async_trait]
impl StoreFactory for Memory {
    async fn fresh(&self) -> Box<dyn Subject> {
        Box::new(InMemory(MemoryStore::default()))
    }
}

struct InMemory(MemoryStore);

#[async_trait]
impl Subject for InMemory {
    fn store(&self) -> Arc<dyn Store> {
        Arc::new(self.0.clone())
    }

    async fn outbox(&self) -> Vec<OutboxRow> {
        self.0.outbox()
    }

    async fn reopen(self: Box<Self>) -> Option<Box<dyn Subject>> {
        None
    }
}

#[tokio::test]
async fn the_memory_store_conforms() {
    run_all(&Memory).await;
}

/// A database in a directory of its own, which goes with it.
struct Sqlite;

#[async_trait]
impl StoreFactory for Sqlite {
    async fn fresh(&self) -> Box<dyn Subject> {
        InFile::open(tempfile::tempdir().unwrap()).await
    }
}

struct InFile {
    store: Arc<SqliteStore>,
    directory: TempDir,
}

impl InFile {
    async fn open(directory: TempDir) -> Box<dyn Subject> {
        let store = SqliteStore::open(directory.path().join("ledger.db")).await.unwrap();
        Box::new(Self { store: Arc::new(store), directory })
    }
}

#[async_trait]
impl Subject for InFile {
    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store) as Arc<dyn Store>
    }

    async fn outbox(&self) -> Vec<OutboxRow> {
        let options = SqliteConnectOptions::new().filename(self.directory.path().join("ledger.db"));
        let mut connection = options.read_only(true).connect().await.unwrap();
        let rows = sqlx::query("SELECT *, (SELECT group_concat(key || '=' || value, '|') FROM json_each(headers)) AS flat FROM outbox ORDER BY seq")
            .fetch_all(&mut connection)
            .await
            .unwrap();
        rows.iter().map(event).collect()
    }

    async fn reopen(self: Box<Self>) -> Option<Box<dyn Subject>> {
        drop(self.store);
        Some(Self::open(self.directory).await)
    }
}

/// Headers are taken apart by SQLite's own JSON, so that ours is checked by another's.
fn event<R: Row>(row: &R) -> OutboxRow
where
    for<'r> i64: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> String: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> Uuid: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> Vec<u8>: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> &'r str: ColumnIndex<R>,
{
    let version: i64 = row.get("aggregate_version");
    let flat: String = row.get("flat");
    let (first, second) = flat.rsplit_once('|').unwrap();
    let header = |text: &str| text.split_once('=').map(|(k, v)| (k.to_owned(), v.to_owned())).unwrap();
    OutboxRow {
        id: row.get("id"),
        topic: row.get("topic"),
        aggregate_type: row.get("aggregatetype"),
        aggregate_id: row.get("aggregateid"),
        aggregate_version: u64::try_from(version).unwrap(),
        event_type: row.get("type"),
        payload: row.get("payload"),
        headers: vec![header(first), header(second)],
    }
}

#[tokio::test]
async fn the_sqlite_store_conforms() {
    run_all(&Sqlite).await;
}

/// A database of its own on the cluster of this run.
struct Postgres;

#[async_trait]
impl StoreFactory for Postgres {
    async fn fresh(&self) -> Box<dyn Subject> {
        let url = test_support::postgres::database().await.url;
        PostgresStore::migrate(&url).await.unwrap();
        InDatabase::open(url).await
    }

    fn resolves_open_sessions(&self) -> bool {
        true
    }
}

struct InDatabase {
    store: Arc<PostgresStore>,
    url: String,
}

impl InDatabase {
    async fn open(url: String) -> Box<dyn Subject> {
        let store = PostgresStore::connect(&url, PostgresOptions::default()).await.unwrap();
        Box::new(Self { store: Arc::new(store), url })
    }
}

#[async_trait]
impl Subject for InDatabase {
    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store) as Arc<dyn Store>
    }

    async fn outbox(&self) -> Vec<OutboxRow> {
        let mut connection = PgConnection::connect(&self.url).await.unwrap();
        let rows = sqlx::query(
            "SELECT *, (SELECT string_agg(key || '=' || value, '|' ORDER BY key) FROM jsonb_each_text(headers)) AS flat \
             FROM inventory_service_schema.outbox ORDER BY seq",
        )
        .fetch_all(&mut connection)
        .await
        .unwrap();
        rows.iter().map(event).collect()
    }

    async fn reopen(self: Box<Self>) -> Option<Box<dyn Subject>> {
        drop(self.store);
        Some(Self::open(self.url).await)
    }
}

#[tokio::test]
async fn the_postgres_store_conforms() {
    run_all(&Postgres).await;
}
