//! Expiry as a reconciler: no input, idempotent, woken by the next deadline or a period. It holds no locks and judges nothing: it
//! submits expire commands, which the rules judge again under the product lock, by the database's clock.
//!
//! Two sources: the deadlines of the holds this engine made (to the millisecond), and a scan of the store for holds that are long
//! over — orphans of engines that died.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::command::{Command, Expire};
use crate::engine::Shared;
use crate::error::Failure;
use crate::ids::OrderId;
use crate::outcome::{Answer, Expiry, Outcome};
use crate::reservation::Reservation;

/// Holds ended in one go. Several batches' worth: the writer never waits for the sweeper.
const SWEEP_MAX: usize = 4_000;
/// A hold must be over for this long before the scan takes it for an orphan: its own engine ends it long before.
const ORPHAN_GRACE: Duration = Duration::from_millis(500);
/// Pause after the store failed.
const FAILURE_PAUSE: Duration = Duration::from_millis(200);
/// A batch's clock may lie a little behind our reckoning of it; what was asked too early is asked again.
const EARLY_PAUSE: Duration = Duration::from_millis(2);

/// Runs until `stop`, or until the engine is dropped.
pub(crate) async fn run(engine: Weak<Shared>, stop: CancellationToken) {
    let mut scan_at = Instant::now();
    loop {
        let Some(shared) = engine.upgrade() else { return };
        let mut pause = sweep(&shared, &mut scan_at).await;
        pause = pause.min(scan_at.saturating_duration_since(Instant::now()));
        let memory = shared.memory.clone();
        drop(shared);
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
            () = memory.deadlines.earlier_one() => {}
        }
    }
}

/// Ends what is due; says how long nothing will be.
async fn sweep(shared: &Arc<Shared>, scan_at: &mut Instant) -> Duration {
    let (mut due, next) = shared.memory.deadlines.take_due(SWEEP_MAX);
    let mut more = due.len() == SWEEP_MAX;
    if due.is_empty() && Instant::now() >= *scan_at {
        *scan_at = Instant::now() + shared.options.sweep_period;
        match shared.store.due(ORPHAN_GRACE, SWEEP_MAX).await {
            Ok(orphans) => {
                shared.memory.deadlines.set_time(orphans.now);
                more = orphans.orders.len() == SWEEP_MAX;
                if more {
                    *scan_at = Instant::now();
                }
                due = orphans.orders;
            }
            Err(error) => tracing::warn!(%error, "could not look for expired holds; trying again"),
        }
    }
    if due.is_empty() {
        return next.unwrap_or(shared.options.sweep_period);
    }
    match expire(shared, &due).await {
        Ok(0) if more => Duration::ZERO,
        Ok(0) => next.unwrap_or(shared.options.sweep_period),
        Ok(_early) => at_least(EARLY_PAUSE, scan_at),
        Err(_) => at_least(FAILURE_PAUSE, scan_at),
    }
}

/// A pause that an overdue scan does not cut short. While something is due there is no scan, so it stays overdue, and commands that
/// are refused at once (a full queue, a writer that has failed) would be submitted without any pause.
fn at_least(pause: Duration, scan_at: &mut Instant) -> Duration {
    *scan_at = (*scan_at).max(Instant::now() + pause);
    pause
}

/// Submits expire commands and waits for them. How many were asked too early; `Err` if some have to be asked again.
async fn expire(shared: &Arc<Shared>, due: &[OrderId]) -> Result<usize, Failure> {
    let mut asked = Vec::with_capacity(due.len());
    let mut failed = None;
    for order in due {
        match shared.writer.submit(Command::Expire(Expire { order: *order }), None) {
            Ok(answer) => asked.push((*order, answer)),
            Err(failure) => {
                shared.memory.deadlines.put_back(*order);
                failed = Some(failure);
            }
        }
    }
    let mut early = 0;
    for (order, answer) in asked {
        match settle(shared, order, answer).await {
            Ok(None) => {}
            Ok(Some(reservation)) => {
                shared.memory.deadlines.watch(&reservation);
                early += 1;
            }
            Err(failure) => {
                shared.memory.deadlines.put_back(order);
                failed = Some(failure);
            }
        }
    }
    failed.map_or(Ok(early), Err)
}

/// Reads one answer; the reservation, if its time is not over yet.
async fn settle(
    shared: &Shared,
    order: OrderId,
    answer: oneshot::Receiver<Answer>,
) -> Result<Option<Reservation>, Failure> {
    match answer.await.unwrap_or(Err(Failure::OutcomeUnknown))? {
        Outcome::Expire(Expiry::Expired(_)) => {
            shared.memory.stats.expired.add(1);
            Ok(None)
        }
        Outcome::Expire(Expiry::NotYet(reservation)) => Ok(Some(reservation)),
        Outcome::Expire(Expiry::Gone) => Ok(None),
        other => {
            tracing::error!(%order, ?other, "an expire command got an answer of another kind");
            Ok(None)
        }
    }
}
