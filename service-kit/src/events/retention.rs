//! What goes after a while, on a calendar: deliveries that were noted in the inbox and whatever else a service remembers for a time
//! only ([`Forget`]), and old records of the local log.
//!
//! **The outbox is not among them**: a row there was not published, however old it is; its age is an alarm. Keys stay parked until an
//! operator has settled their letters.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};
use tokio_util::sync::CancellationToken;

use super::LocalLog;
use crate::sql::{Database, Sql, touched};

/// At the start of every tenth minute.
const PRUNE_AT: &str = "0 */10 * * * *";
/// Rows that one statement deletes at most.
const PIECE: i64 = 1_000;
/// Pause between two pieces: the service goes first.
const PIECE_PAUSE: Duration = Duration::from_millis(50);
/// Beyond what the topics and the dead letters keep: for a redrive at the last moment that is consumed late.
const MARGIN: Duration = Duration::from_secs(24 * 3600);

const INBOX: Sql = Sql::each(
    "DELETE FROM inbox WHERE ctid = ANY (ARRAY(SELECT ctid FROM inbox \
     WHERE at < clock_timestamp() - $1 * interval '1 microsecond' LIMIT $2))",
    "DELETE FROM inbox WHERE (consumer, message) IN (SELECT consumer, message FROM inbox \
     WHERE at < CAST(unixepoch('subsec') * 1000000 AS INTEGER) - $1 LIMIT $2)",
);

/// How long things are kept. Topics that are made at a broker are given the same ages; those that are there must have them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RetentionOptions {
    /// Records, after every group has done them.
    pub topics: Duration,
    /// Dead letters, settled or not.
    pub dead_letters: Duration,
}

impl Default for RetentionOptions {
    fn default() -> Self {
        Self { topics: Duration::from_secs(7 * 24 * 3600), dead_letters: Duration::from_secs(30 * 24 * 3600) }
    }
}

impl RetentionOptions {
    /// How long a delivery is remembered: an event may wait in its topic, then among the dead letters, then, sent back, in its
    /// topic again; only after that can nobody deliver it a second time. Not an option, so that it cannot be too short.
    pub fn inbox(&self) -> Duration {
        self.topics.saturating_mul(2).saturating_add(self.dead_letters).saturating_add(MARGIN)
    }
}

/// Rows that a service forgets after a while.
#[derive(Clone, Debug)]
pub struct Forget {
    /// For logs.
    pub what: &'static str,
    /// Where they are.
    pub database: Database,
    /// Deletes what is older than `$1` microseconds, at most `$2` rows.
    pub sql: Sql,
    /// How old they get.
    pub after: Duration,
}

impl Forget {
    /// The deliveries that this database's inbox took note of.
    pub fn inbox(database: Database, options: &RetentionOptions) -> Self {
        Self { what: "inbox", database, sql: INBOX, after: options.inbox() }
    }

    /// One piece; how many rows went.
    async fn piece(&self) -> Result<u64, sqlx::Error> {
        let deleted = sqlx::query(self.database.sql(self.sql))
            .bind(i64::try_from(self.after.as_micros()).unwrap_or(i64::MAX / 2))
            .bind(PIECE)
            .execute(self.database.pool())
            .await?;
        Ok(touched(&deleted))
    }
}

/// What one turn removed.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Pruned {
    /// Rows of the services.
    pub rows: u64,
    /// Records of the local log.
    pub records: u64,
}

/// Prunes what services remember, the local log, or both.
#[derive(Clone, Debug)]
pub struct Retention {
    forgets: Vec<Forget>,
    log: Option<LocalLog>,
    options: RetentionOptions,
}

impl Retention {
    /// For what the services of this process forget, and its local log if there is one.
    pub fn new(forgets: Vec<Forget>, log: Option<LocalLog>, options: RetentionOptions) -> Self {
        Self { forgets, log, options }
    }

    /// Removes on a calendar until it is told to stop.
    pub async fn run(self, stop: CancellationToken) {
        match self.schedule(&stop).await {
            Ok(mut calendar) => {
                stop.cancelled().await;
                if let Err(error) = calendar.shutdown().await {
                    tracing::warn!(%error, "the calendar did not stop cleanly");
                }
            }
            Err(error) => tracing::error!(%error, "nothing is pruned until the service starts again"),
        }
    }

    async fn schedule(self, stop: &CancellationToken) -> Result<JobScheduler, JobSchedulerError> {
        let calendar = JobScheduler::new().await?;
        let what: Vec<_> = self.forgets.iter().map(|forget| forget.what).collect();
        let has_log = self.log.is_some();
        // A turn that takes longer than the time between two is not overtaken.
        let (turn, stop) = (Arc::new(Mutex::new(self)), stop.clone());
        let job = Job::new_async(PRUNE_AT, move |_, _| {
            let (turn, stop) = (turn.clone(), stop.clone());
            Box::pin(async move {
                if let Ok(retention) = turn.try_lock() {
                    retention.turn(&stop).await;
                }
            })
        })?;
        calendar.add(job).await?;
        calendar.start().await?;
        tracing::info!(?what, has_log, "what is old is pruned on the calendar");
        Ok(calendar)
    }

    /// One turn: everything that is old enough, in small pieces. Errors are logged; the next turn tries again.
    pub async fn turn(&self, stop: &CancellationToken) -> Pruned {
        let mut pruned = Pruned::default();
        for forget in &self.forgets {
            loop {
                match forget.piece().await {
                    Ok(rows) => {
                        pruned.rows += rows;
                        if rows < PIECE.unsigned_abs() || stop.is_cancelled() {
                            break;
                        }
                    }
                    Err(error) => {
                        tracing::warn!(%error, what = forget.what, "pruning failed; the next turn tries again");
                        break;
                    }
                }
                tokio::time::sleep(PIECE_PAUSE).await;
            }
        }
        if let Some(log) = &self.log {
            pruned.records = self.prune_log(log, stop).await;
        }
        tracing::info!(?pruned, "pruned");
        pruned
    }

    async fn prune_log(&self, log: &LocalLog, stop: &CancellationToken) -> u64 {
        let mut records = 0;
        loop {
            match log.prune(self.options.topics, self.options.dead_letters).await {
                Ok(pruned) => {
                    records += pruned.old + pruned.superseded;
                    if !pruned.more || stop.is_cancelled() {
                        return records;
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "pruning the local log failed; the next turn tries again");
                    return records;
                }
            }
            tokio::time::sleep(PIECE_PAUSE).await;
        }
    }
}
