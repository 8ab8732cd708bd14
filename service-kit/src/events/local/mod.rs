//! A durable log in one SQLite file, for everything in one process. See docs/adr/0006-local-log.md.
//!
//! What is published is in the file, synced, before the publisher hears of it. Each group has an offset per topic. SQLite has one writer, so
//! the order of `seq` is the order of commits, also when an operator's process writes beside.
//!
//! **One process consumes** (it holds the lock on `events.lock`); an operator's may read and publish beside it.

mod publish;
mod read;
mod retention;
mod subscribe;

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::migrate::Migrator;
use tokio::sync::watch;

pub use retention::LogPruned;

use super::{Cleanup, Publisher, Received, Subscription, TopicSpec, Transport, TransportError};
use crate::sql::{Database, is_transient};

static MIGRATIONS: Migrator = sqlx::migrate!("../migrations/log/sqlite");

const TOPIC: &str = "INSERT INTO topics (name, cleanup) VALUES ($1, $2) \
     ON CONFLICT (name) DO UPDATE SET cleanup = excluded.cleanup WHERE cleanup <> excluded.cleanup";

/// How the log behaves.
#[derive(Clone, Debug)]
pub struct LocalOptions {
    /// Records of one topic that a subscription reads at once.
    pub batch_records: u32,
    /// How often a subscription looks when nobody of its process woke it: only an operator's process writes unheard.
    pub poll_every: Duration,
    /// Larger payloads are refused for good, as a broker would.
    pub payload_bytes_max: usize,
}

impl Default for LocalOptions {
    fn default() -> Self {
        Self { batch_records: 200, poll_every: Duration::from_secs(1), payload_bytes_max: 1 << 20 }
    }
}

/// The log. Cheap to clone.
#[derive(Clone, Debug)]
pub struct LocalLog {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// Two connections: with a write-ahead log, who reads need not wait for the one that syncs.
    writer: Database,
    reader: Database,
    options: LocalOptions,
    published: watch::Sender<u64>,
    /// Held while this process may consume.
    lock: Option<File>,
}

impl LocalLog {
    /// Opens `events.db` in this folder (made if it is missing) to publish and to consume.
    pub async fn open(folder: &Path, options: LocalOptions) -> Result<Self, TransportError> {
        std::fs::create_dir_all(folder).map_err(|error| failed("the folder cannot be made", &error))?;
        let lock = lock(folder)?;
        Self::connect(folder, options, Some(lock)).await
    }

    /// Opens it beside the process that consumes: to read and to publish, not to subscribe.
    pub async fn open_beside(folder: &Path, options: LocalOptions) -> Result<Self, TransportError> {
        if !folder.join("events.db").exists() {
            return Err(TransportError {
                message: format!("{} has no events.db; is it the service's data folder?", folder.display()),
                is_transient: false,
            });
        }
        Self::connect(folder, options, None).await
    }

    async fn connect(
        folder: &Path,
        options: LocalOptions,
        lock: Option<File>,
    ) -> Result<Self, TransportError> {
        let url = format!("sqlite:{}", folder.join("events.db").display());
        let open = async {
            let writer = Database::connect(&url, "log").await?;
            let mut connection = writer.acquire().await?;
            MIGRATIONS.run_direct(None, &mut *connection, false).await?;
            drop(connection);
            let reader = Database::connect(&url, "log").await?;
            Ok((writer, reader))
        };
        let (writer, reader) =
            open.await.map_err(|error: sqlx::Error| failed("the local log cannot be opened", &error))?;
        let inner = Inner { writer, reader, options, published: watch::Sender::new(0), lock };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Closes the file. What still subscribes gets errors.
    pub async fn close(&self) {
        self.inner.reader.close().await;
        self.inner.writer.close().await;
    }
}

#[async_trait]
impl Transport for LocalLog {
    async fn ensure_topics(&self, topics: &[TopicSpec]) -> Result<(), TransportError> {
        for topic in topics {
            let cleanup = match topic.cleanup {
                Cleanup::Delete => "delete",
                Cleanup::Compact => "compact",
            };
            sqlx::query(TOPIC)
                .bind(topic.name.as_str())
                .bind(cleanup)
                .execute(self.inner.writer.pool())
                .await
                .map_err(|error| unusable(&error))?;
        }
        Ok(())
    }

    fn publisher(&self) -> Arc<dyn Publisher> {
        Arc::new(self.clone())
    }

    async fn subscribe(&self, group: &str, topics: &[&str]) -> Result<Box<dyn Subscription>, TransportError> {
        if self.inner.lock.is_none() {
            return Err(TransportError {
                message:
                    "this process opened the local log as an operator; only the one that serves may consume"
                        .to_owned(),
                is_transient: false,
            });
        }
        Ok(Box::new(subscribe::start(self.clone(), group, topics).await?))
    }

    async fn read(&self, topic: &str, after: &[(i32, i64)]) -> Result<Vec<Received>, TransportError> {
        let after = after.iter().find(|(partition, _)| *partition == 0).map_or(0, |(_, offset)| *offset);
        read::whole(&self.inner, topic, after).await
    }
}

/// Kept by the kernel for as long as the process lives, whatever ends it.
fn lock(folder: &Path) -> Result<File, TransportError> {
    let path = folder.join("events.lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|error| failed(&format!("{} cannot be opened", path.display()), &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(TransportError {
            message: format!(
                "another process consumes the events in {}; stop it, or give this one a data folder of its own",
                folder.display()
            ),
            is_transient: false,
        }),
        Err(TryLockError::Error(error)) => {
            Err(failed(&format!("{} cannot be locked", path.display()), &error))
        }
    }
}

fn failed(what: &str, error: &dyn std::error::Error) -> TransportError {
    TransportError { message: format!("{what}: {error}"), is_transient: false }
}

fn unusable(error: &sqlx::Error) -> TransportError {
    TransportError { message: format!("the local log: {error}"), is_transient: is_transient(error) }
}
