//! What runs on a calendar, on tokio-cron-scheduler: pruning every ten minutes, the audit every night. Expiry does not: that
//! crate polls twice a second, and expiry is measured in milliseconds.

use std::sync::Weak;
use std::time::Duration;

use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};
use tokio_util::sync::CancellationToken;

use crate::engine::{Engine, OpenError, Shared};

/// At the start of every tenth minute.
const PRUNE_AT: &str = "0 */10 * * * *";
/// At half past three, UTC.
const AUDIT_AT: &str = "0 30 3 * * *";
/// Pause between bounded pieces of pruning: the writer goes first.
const PRUNE_PAUSE: Duration = Duration::from_millis(50);

/// Starts the calendar. It holds no engine alive.
pub(crate) async fn start(engine: Weak<Shared>) -> Result<JobScheduler, OpenError> {
    async fn schedule(engine: Weak<Shared>) -> Result<JobScheduler, JobSchedulerError> {
        let calendar = JobScheduler::new().await?;
        let pruned = engine.clone();
        calendar
            .add(Job::new_async(PRUNE_AT, move |_, _| {
                let engine = pruned.clone();
                Box::pin(async move { prune(&engine).await })
            })?)
            .await?;
        calendar
            .add(Job::new_async(AUDIT_AT, move |_, _| {
                let engine = engine.clone();
                Box::pin(async move { audit(&engine).await })
            })?)
            .await?;
        calendar.start().await?;
        Ok(calendar)
    }
    schedule(engine).await.map_err(|error| OpenError::Housekeeping(error.to_string()))
}

/// Ends the calendar with the engine.
pub(crate) async fn stop_with(mut calendar: JobScheduler, stop: CancellationToken) {
    stop.cancelled().await;
    if let Err(error) = calendar.shutdown().await {
        tracing::warn!(%error, "the calendar did not stop cleanly");
    }
}

async fn prune(engine: &Weak<Shared>) {
    loop {
        let Some(shared) = engine.upgrade() else { return };
        match shared.store.prune(&shared.options.retention).await {
            Ok(pruned) if pruned.more => tracing::debug!(?pruned, "pruned, more to do"),
            Ok(pruned) => {
                tracing::info!(?pruned, "pruned");
                return;
            }
            Err(error) => {
                tracing::warn!(%error, "pruning failed; the next turn tries again");
                return;
            }
        }
        drop(shared);
        tokio::time::sleep(PRUNE_PAUSE).await;
    }
}

async fn audit(engine: &Weak<Shared>) {
    let Some(shared) = engine.upgrade() else { return };
    match Engine::of(shared).audit().await {
        Ok(report) if report.ok() => tracing::info!("the nightly audit is clean"),
        Ok(report) => {
            for violation in &report.violations {
                tracing::error!(?violation, "the nightly audit found a violation");
            }
        }
        Err(error) => tracing::warn!(%error, "the nightly audit could not be made"),
    }
}
