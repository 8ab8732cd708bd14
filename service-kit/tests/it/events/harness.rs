//! A consumer on the local log with a handler that does what the test says.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use service_kit::Metrics;
use service_kit::events::{
    Consumer, ConsumerOptions, HandleError, Handled, Handler, Incoming, LocalLog, LocalOptions, Publisher,
    Received, Record, Subscription, TopicSpec, Transport, TransportError, inbox,
};
use service_kit::sql::Database;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::support::{PATIENCE, sqlite};

pub(crate) const TOPIC: &str = "order.created";
pub(crate) const GROUP: &str = "g";
pub(crate) const DLQ: &str = "order.created.g.dlq";

pub(crate) async fn open_log(folder: &std::path::Path) -> LocalLog {
    let options = LocalOptions { poll_every: Duration::from_millis(20), ..LocalOptions::default() };
    LocalLog::open(folder, options).await.unwrap()
}

pub(crate) fn options() -> ConsumerOptions {
    ConsumerOptions {
        store_every: Duration::from_millis(1),
        retry_first: Duration::from_millis(1),
        retry_max: Duration::from_millis(10),
        ..ConsumerOptions::default()
    }
}

type Script = Box<dyn FnMut(&Incoming) -> Result<Handled, HandleError> + Send>;

/// Runs the script for events that are new to its inbox, and keeps what was done.
pub(crate) struct Scripted {
    group: &'static str,
    topics: &'static [&'static str],
    database: Database,
    script: Mutex<Script>,
    done: Mutex<Vec<(String, u64)>>,
    duplicates: Mutex<Vec<(String, u64)>>,
}

impl Scripted {
    pub(crate) fn new(
        database: &Database,
        script: impl FnMut(&Incoming) -> Result<Handled, HandleError> + Send + 'static,
    ) -> Arc<Self> {
        Self::of_group(GROUP, database, script)
    }

    pub(crate) fn of_group(
        group: &'static str,
        database: &Database,
        script: impl FnMut(&Incoming) -> Result<Handled, HandleError> + Send + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            group,
            topics: &[TOPIC],
            database: database.clone(),
            script: Mutex::new(Box::new(script)),
            done: Mutex::default(),
            duplicates: Mutex::default(),
        })
    }

    /// From now on everything is done.
    pub(crate) fn heal(&self) {
        self.script(|_| Ok(Handled::Done));
    }

    /// From now on this is done.
    pub(crate) fn script(
        &self,
        script: impl FnMut(&Incoming) -> Result<Handled, HandleError> + Send + 'static,
    ) {
        *self.script.lock() = Box::new(script);
    }

    /// The aggregate versions whose effects are durable, in their order.
    pub(crate) fn done(&self, key: &str) -> Vec<u64> {
        self.done.lock().iter().filter(|(known, _)| known == key).map(|(_, n)| *n).collect()
    }

    pub(crate) fn duplicates(&self) -> Vec<(String, u64)> {
        self.duplicates.lock().clone()
    }
}

#[async_trait]
impl Handler for Scripted {
    fn group(&self) -> &'static str {
        self.group
    }

    fn topics(&self) -> &'static [&'static str] {
        self.topics
    }

    async fn handle(&self, event: &Incoming) -> Result<Handled, HandleError> {
        let fact = (event.key.clone(), event.aggregate_version);
        let mut tx = self.database.begin().await?;
        if !inbox::is_first(&mut tx, self.group, &event.id.to_string()).await? {
            self.duplicates.lock().push(fact);
            return Ok(Handled::Duplicate);
        }
        let handled = (self.script.lock())(event)?;
        tx.commit().await?;
        self.done.lock().push(fact);
        Ok(handled)
    }
}

pub(crate) struct Running {
    pub(crate) stop: CancellationToken,
    pub(crate) task: JoinHandle<()>,
    pub(crate) metrics: Metrics,
}

impl Running {
    pub(crate) async fn end(self) {
        self.stop.cancel();
        tokio::time::timeout(PATIENCE, self.task).await.expect("ends").unwrap();
    }

    /// The value of a series of which the line contains all of these.
    pub(crate) fn metric(&self, parts: &[&str]) -> f64 {
        let text = self.metrics.render();
        let line =
            text.lines().find(|line| parts.iter().all(|part| line.contains(part)) && !line.starts_with('#'));
        line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or(0.0)
    }
}

pub(crate) fn consume(
    transport: Arc<dyn Transport>,
    handler: Arc<dyn Handler>,
    database: &Database,
    options: ConsumerOptions,
) -> Running {
    let (stop, metrics) = (CancellationToken::new(), Metrics::default());
    let consumer = Consumer::new(transport, handler, database.clone(), options, Some(&metrics));
    Running { task: TaskTracker::new().spawn(consumer.run(stop.clone())), stop, metrics }
}

/// A file for the service, a log beside it.
pub(crate) struct Place {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) database: Database,
    pub(crate) log: LocalLog,
}

pub(crate) async fn place() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let (database, log) = (sqlite(folder.path()).await, open_log(folder.path()).await);
    Place { folder, database, log }
}

impl Place {
    pub(crate) fn transport(&self) -> Arc<dyn Transport> {
        Arc::new(self.log.clone())
    }

    pub(crate) async fn publish(&self, records: &[Record]) {
        assert!(self.log.publisher().publish(records).await.iter().all(Result::is_ok));
    }

    pub(crate) async fn read(&self, topic: &str) -> Vec<Received> {
        self.log.read(topic, &[]).await.unwrap()
    }

    /// How far the group has come.
    pub(crate) async fn offset(&self) -> i64 {
        let url = format!("sqlite:{}", self.folder.path().join("events.db").display());
        let file = Database::connect(&url, "log").await.unwrap();
        let done: Option<i64> =
            sqlx::query_scalar("SELECT done FROM group_offsets WHERE consumer = $1 AND topic = $2")
                .bind(GROUP)
                .bind(TOPIC)
                .fetch_optional(file.pool())
                .await
                .unwrap();
        file.close().await;
        done.unwrap_or(0)
    }
}

/// The local log with another publisher: what the consumer writes to the dead letters passes through it.
pub(crate) struct WithPublisher(pub(crate) LocalLog, pub(crate) Arc<dyn Publisher>);

#[async_trait]
impl Transport for WithPublisher {
    async fn ensure_topics(&self, topics: &[TopicSpec]) -> Result<(), TransportError> {
        self.0.ensure_topics(topics).await
    }

    fn publisher(&self) -> Arc<dyn Publisher> {
        self.1.clone()
    }

    async fn subscribe(&self, group: &str, topics: &[&str]) -> Result<Box<dyn Subscription>, TransportError> {
        self.0.subscribe(group, topics).await
    }

    async fn read(&self, topic: &str, after: &[(i32, i64)]) -> Result<Vec<Received>, TransportError> {
        self.0.read(topic, after).await
    }
}
