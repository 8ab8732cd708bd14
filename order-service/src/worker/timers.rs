//! Firing timers whose time has come.

use tokio_util::sync::CancellationToken;

use super::backoff::pause;
use super::execute::Executor;
use super::orders::Orders;

/// Timers fired in one look.
const AT_ONCE: usize = 100;

/// Fires timers until `stop`.
pub(super) async fn run<S: Orders>(executor: &Executor<S>, stop: &CancellationToken) {
    while !stop.is_cancelled() {
        let found = fire_due(executor).await;
        if found < AT_ONCE {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = tokio::time::sleep(executor.options().poll_period) => {}
            }
        }
    }
}

async fn fire_due<S: Orders>(executor: &Executor<S>) -> usize {
    let store = executor.store();
    let due = match store.due_timers(AT_ONCE).await {
        Ok(due) => due,
        Err(error) => {
            tracing::warn!(%error, "could not look for timers");
            return 0;
        }
    };
    for timer in &due {
        match store.fire(timer).await {
            Ok(Some(_)) => executor.metrics().fired(),
            // Cleared, or fired by another instance.
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(order = %timer.order, %error, "a timer could not be fired");
                let after = pause(executor.options(), timer.order, timer.attempts.saturating_add(1));
                if let Err(error) = store.postpone_timer(timer, after).await {
                    tracing::warn!(order = %timer.order, %error, "a timer could not be put off");
                }
            }
        }
    }
    due.len()
}
