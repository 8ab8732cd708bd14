//! Announcing levels, coalesced: a product that changed a thousand times in a period is told once, as it is then. It changes nothing
//! and judges nothing: it submits announce commands, and the rules read the level under the product lock, so that what is told last of
//! a product is how it stands.
//!
//! What changed is remembered in memory. A process that is killed forgets what changed in its last period; the next change of such a
//! product tells its level again.

use std::sync::{Arc, Weak};

use tokio_util::sync::CancellationToken;

use crate::command::Command;
use crate::engine::Shared;
use crate::ids::ProductId;

/// Products told in one go: one batch's worth.
const ANNOUNCED_MAX: usize = 1_000;

/// Rounds before the engine closes anyway, if changes keep coming.
const FLUSH_ROUNDS_MAX: usize = 100;

/// Runs until `stop`, or until the engine is dropped.
pub(crate) async fn run(engine: Weak<Shared>, stop: CancellationToken) {
    loop {
        let Some(shared) = engine.upgrade() else { return };
        let period = shared.options.level_period;
        let more = announce(&shared).await;
        drop(shared);
        if !more {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = tokio::time::sleep(period) => {}
            }
        }
    }
}

/// Before the writer is closed: tells what is left, unless the store is away.
pub(crate) async fn flush(shared: &Arc<Shared>) {
    for _ in 0..FLUSH_ROUNDS_MAX {
        if !shared.writer.is_ready() || !announce(shared).await {
            return;
        }
    }
}

/// Tells the levels of some changed products; whether there are more. What could not be told is remembered.
async fn announce(shared: &Arc<Shared>) -> bool {
    let Some(levels) = &shared.memory.levels else { return false };
    let (changed, more): (Vec<ProductId>, bool) = {
        let mut levels = levels.lock();
        let changed: Vec<_> = levels.iter().copied().take(ANNOUNCED_MAX).collect();
        changed.iter().for_each(|product| {
            levels.remove(product);
        });
        (changed, !levels.is_empty())
    };
    let asked: Vec<_> = changed
        .into_iter()
        .map(|product| (product, shared.writer.submit(Command::Announce(product), None)))
        .collect();
    let mut failed = Vec::new();
    for (product, answer) in asked {
        let told = match answer {
            Ok(answer) => matches!(answer.await, Ok(Ok(_))),
            Err(_) => false,
        };
        if !told {
            failed.push(product);
        }
    }
    let all_told = failed.is_empty();
    levels.lock().extend(failed);
    more && all_told
}
