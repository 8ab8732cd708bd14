//! An outbox's one publisher. It may die after it published and before it took note of that: then it publishes again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use service_kit::events::Incoming;

use super::Lanes;
use crate::checkout::goals::Goal;
use crate::checkout::mutant::Mutant;
use crate::checkout::stage::Stage;
use crate::checkout::troubles::Trouble;

/// How often an outbox is looked at.
const PERIOD: Duration = Duration::from_millis(80);

/// What an outbox holds from a place on.
type Outbox = Box<dyn Fn(usize) -> Vec<Incoming> + Send + Sync>;

/// See above.
pub(in crate::checkout) struct Relay {
    stage: Stage,
    outbox: Outbox,
    to: Vec<Arc<Lanes>>,
    published: AtomicUsize,
}

impl Relay {
    /// Begins to publish.
    pub(in crate::checkout) fn start(stage: &Stage, outbox: Outbox, to: Vec<Arc<Lanes>>) -> Arc<Self> {
        let relay = Arc::new(Self { stage: stage.clone(), outbox, to, published: AtomicUsize::new(0) });
        let running = relay.clone();
        stage.tasks.spawn(async move { running.run().await });
        relay
    }

    /// Whether everything is published.
    pub(in crate::checkout) fn is_drained(&self) -> bool {
        (self.outbox)(self.published.load(Ordering::Relaxed)).is_empty()
    }

    async fn run(&self) {
        // For the mutant: an event that others overtake.
        let mut held: Option<Incoming> = None;
        loop {
            let from = self.published.load(Ordering::Relaxed);
            let pending = (self.outbox)(from);
            if pending.is_empty() {
                tokio::time::sleep(PERIOD).await;
                continue;
            }
            self.stage.travel().await;
            let count = pending.len();
            for event in pending {
                let holds = self.stage.is(Mutant::OvertakingEvents) && held.is_none();
                if holds && self.stage.dice().percent(20) {
                    held = Some(event);
                    continue;
                }
                self.publish(&event);
            }
            if self.stage.is(Mutant::OvertakingEvents) && self.stage.dice().percent(30) {
                held.take().iter().for_each(|event| self.publish(event));
            }
            let mut upto = from + count;
            if self.stage.strikes(Trouble::Republish) {
                let again = usize::try_from(self.stage.dice().range(1..=3)).unwrap_or(1);
                upto = upto.saturating_sub(again);
                self.stage.reach(Goal::Republished);
            }
            self.published.store(upto, Ordering::Relaxed);
        }
    }

    fn publish(&self, event: &Incoming) {
        self.to.iter().for_each(|lanes| lanes.publish(event.clone()));
    }
}
