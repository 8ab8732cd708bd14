//! The loop that settles. It is also recovery: what a crash left behind is due, and found.

use std::time::Duration;

use futures::FutureExt as _;

use crate::limits::{BATCH_MAX, PAUSE_MIN, POLL_MAX};
use crate::state::App;
use crate::store::{Batch, settle_due};

/// Settles what is due until the service drains. Between two batches it sleeps until the next payment is due, or until woken.
pub(crate) async fn run(app: App) {
    while !app.is_draining() {
        // Whole: a transaction is never dropped half-way.
        let pause = match std::panic::AssertUnwindSafe(settle_due(app.database())).catch_unwind().await {
            Ok(Ok(batch)) => after(&app, &batch),
            Ok(Err(error)) => {
                tracing::warn!(%error, "payments that are due could not be settled; they are tried again");
                app.counts().worker_errors.increment(1);
                POLL_MAX
            }
            Err(_panic) => {
                tracing::error!("the worker panicked; it goes on");
                app.counts().worker_errors.increment(1);
                POLL_MAX
            }
        };
        tokio::select! {
            () = app.draining() => {}
            () = app.worker_woken() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

fn after(app: &App, batch: &Batch) -> Duration {
    if !batch.settled.is_empty() {
        app.counts().settled(&batch.settled);
        app.outbox_written().notify_one();
    }
    // A full batch: there may be more.
    if i64::try_from(batch.settled.len()).is_ok_and(|settled| settled >= BATCH_MAX) {
        return Duration::ZERO;
    }
    batch.next_due.map_or(POLL_MAX, |next| next.clamp(PAUSE_MIN, POLL_MAX))
}
