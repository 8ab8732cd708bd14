//! Running the parts, and stopping them in the right order: first what comes in, then what is under way, then what goes out.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use super::events::Events;
use super::part::{Ended, Part};
use crate::signals::Signals;

/// How long draining may take, whatever it waits for.
const DRAIN_DEADLINE: Duration = Duration::from_secs(10);

/// Serves; the first signal drains, a second one ends the process at once.
pub(super) async fn until_told(
    parts: Vec<Part>,
    events: Events,
    signals: &mut Signals,
) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    let running = run(parts, events, stop.clone());
    tokio::pin!(running);
    let early = tokio::select! {
        ended = &mut running => Some(ended),
        told = signals.next() => {
            info!(signal = ?told, "draining; a second signal ends at once");
            None
        }
    };
    stop.cancel();
    let ended = match early {
        Some(ended) => ended,
        None => tokio::select! {
            drained = tokio::time::timeout(DRAIN_DEADLINE, running) => drained.unwrap_or(Ended::Cut),
            again = signals.next() => std::process::exit(again.exit_code()),
        },
    };
    match ended {
        Ended::Cleanly => info!("stopped"),
        Ended::Cut => warn!("stopped; what was not answered in time is safe to repeat"),
        Ended::Failed => anyhow::bail!(
            "a part of this process has failed and it ends; what was answered is stored, start it again to go on"
        ),
    }
    Ok(())
}

/// Ends when every part has; one that fails takes the others with it.
async fn run(parts: Vec<Part>, events: Events, stop: CancellationToken) -> Ended {
    let stop_sending = CancellationToken::new();
    let around = TaskTracker::new();
    let mut serving = JoinSet::new();
    events.prune(&parts, &around, &stop);
    for mut part in parts {
        events.attach(&mut part, &around, &stop, &stop_sending);
        serving.spawn((part.serve)(stop.clone()));
    }
    let mut all = Ended::Cleanly;
    while let Some(ended) = serving.join_next().await {
        all = worse(all, ended.unwrap_or(Ended::Failed));
        if all == Ended::Failed {
            stop.cancel();
        }
    }
    // What the parts wrote last is still sent.
    stop.cancel();
    stop_sending.cancel();
    around.close();
    around.wait().await;
    events.close().await;
    all
}

fn worse(one: Ended, other: Ended) -> Ended {
    match (one, other) {
        (Ended::Failed, _) | (_, Ended::Failed) => Ended::Failed,
        (Ended::Cut, _) | (_, Ended::Cut) => Ended::Cut,
        (Ended::Cleanly, Ended::Cleanly) => Ended::Cleanly,
    }
}
