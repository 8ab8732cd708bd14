//! Databases with the events' tables, a publisher that fails on request, and waiting for a fact.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use event_contracts::topics;
use parking_lot::Mutex;
use service_kit::events::{Outgoing, PublishError, Publisher, Record, outbox};
use service_kit::sql::{Database, Transaction};
use sqlx::migrate::Migrator;
use tokio::sync::Semaphore;
use uuid::Uuid;

pub(crate) use crate::support::PATIENCE;

static NOTHING_OF_ITS_OWN: Migrator = Migrator::DEFAULT;

/// What lives as long as the databases are used.
pub(crate) struct Stores {
    pub(crate) folder: tempfile::TempDir,
    _server: test_support::postgres::TestDatabase,
    pub(crate) databases: [Database; 2],
}

/// An empty Postgres and an empty SQLite file, both with the events' tables.
pub(crate) async fn stores() -> Stores {
    let folder = tempfile::tempdir().unwrap();
    let server = test_support::postgres::database().await;
    let file = format!("sqlite:{}", folder.path().join("service.db").display());
    let databases = [
        Database::connect(&server.url, "a_service").await.unwrap(),
        Database::connect(&file, "a_service").await.unwrap(),
    ];
    for database in &databases {
        database.migrate(&NOTHING_OF_ITS_OWN, &NOTHING_OF_ITS_OWN).await.unwrap();
    }
    Stores { folder, _server: server, databases }
}

/// Only the file, where the database does not matter.
pub(crate) async fn sqlite(folder: &std::path::Path) -> Database {
    let database =
        Database::connect(&format!("sqlite:{}", folder.join("service.db").display()), "a").await.unwrap();
    database.migrate(&NOTHING_OF_ITS_OWN, &NOTHING_OF_ITS_OWN).await.unwrap();
    database
}

/// Writes an event for this key in an open transaction; answers its id.
pub(crate) async fn write(tx: &mut Transaction, key: &str, n: u64) -> Uuid {
    let id = Uuid::now_v7();
    let event = Outgoing {
        id,
        topic: topics::ORDER_CREATED,
        version: 1,
        at: tx.now().await.unwrap(),
        source: "test",
        aggregate_type: "order",
        aggregate_id: key.to_owned(),
        aggregate_version: n,
        correlation_id: key.to_owned(),
        causation_id: None,
        traceparent: None,
        payload: serde_json::json!({ "n": n }),
    };
    outbox::write(tx, &event).await.unwrap();
    id
}

/// The same, committed.
pub(crate) async fn commit(database: &Database, key: &str, n: u64) -> Uuid {
    let mut tx = database.begin().await.unwrap();
    let id = write(&mut tx, key, n).await;
    tx.commit().await.unwrap();
    id
}

pub(crate) async fn pending(database: &Database) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM outbox").fetch_one(database.pool()).await.unwrap()
}

/// A record for the local log.
pub(crate) fn record(topic: &str, key: &str, n: u64) -> Record {
    let headers = [
        ("eventId", Uuid::now_v7().to_string()),
        ("eventType", topic.to_owned()),
        ("version", "1".to_owned()),
        ("aggregateVersion", n.to_string()),
    ];
    Record {
        topic: topic.to_owned(),
        key: key.to_owned(),
        payload: format!(r#"{{"n":{n}}}"#).into_bytes(),
        headers: headers.map(|(name, value)| (name.to_owned(), value)).to_vec(),
    }
}

pub(crate) fn header<'a>(record: &'a Record, name: &str) -> &'a str {
    &record.headers.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("no {name}")).1
}

/// Polls until it holds.
pub(crate) async fn until<F: AsyncFnMut() -> bool>(what: &str, mut holds: F) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !holds().await {
        assert!(tokio::time::Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

type Decide = Box<dyn FnMut(&Record) -> Result<(), PublishError> + Send>;

/// Keeps what it was sent. What it answers is decided per record, so that it may also break the port's promises.
pub(crate) struct FakePublisher {
    sent: Mutex<Vec<Record>>,
    decide: Mutex<Decide>,
    /// Calls that were begun.
    pub(crate) calls: std::sync::atomic::AtomicUsize,
    /// A permit lets one call answer, after it was sent.
    pub(crate) gate: Option<Semaphore>,
}

impl FakePublisher {
    pub(crate) fn new(decide: impl FnMut(&Record) -> Result<(), PublishError> + Send + 'static) -> Arc<Self> {
        Arc::new(Self {
            sent: Mutex::default(),
            decide: Mutex::new(Box::new(decide)),
            calls: 0.into(),
            gate: None,
        })
    }

    pub(crate) fn gated() -> Arc<Self> {
        Arc::new(Self {
            sent: Mutex::default(),
            decide: Mutex::new(Box::new(|_| Ok(()))),
            calls: 0.into(),
            gate: Some(Semaphore::new(0)),
        })
    }

    pub(crate) fn open(&self) {
        self.gate.as_ref().unwrap().add_permits(1);
    }

    /// The aggregate versions that were sent, by key.
    pub(crate) fn sent(&self) -> HashMap<String, Vec<u64>> {
        let mut sent: HashMap<String, Vec<u64>> = HashMap::new();
        for record in &*self.sent.lock() {
            sent.entry(record.key.clone())
                .or_default()
                .push(header(record, "aggregateVersion").parse().unwrap());
        }
        sent
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        self.sent.lock().iter().map(|record| header(record, "eventId").to_owned()).collect()
    }
}

#[async_trait]
impl Publisher for FakePublisher {
    async fn publish(&self, records: &[Record]) -> Vec<Result<(), PublishError>> {
        self.calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let answers = records
            .iter()
            .map(|record| {
                let answer = (self.decide.lock())(record);
                if answer.is_ok() {
                    self.sent.lock().push(record.clone());
                }
                answer
            })
            .collect();
        if let Some(gate) = &self.gate {
            gate.acquire().await.unwrap().forget();
        }
        answers
    }
}
