//! Requests and answers on their way: lost, late, doubled, overtaking each other, cut off. Nobody can call a request back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::goals::Goal;
use super::stage::Stage;
use super::troubles::Trouble;

/// Who may be at the end of a road.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Site {
    People,
    /// The order service at this place.
    Desk(usize),
    Inventory,
    Provider,
}

/// From where to where.
type Road = (Site, Site);

/// Cheap to clone; clones are the same network.
#[derive(Clone, Debug)]
pub(super) struct Network(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    stage: Stage,
    cuts: Mutex<BTreeMap<Road, Instant>>,
}

/// Whom an answer goes to.
struct Asker<A> {
    answers: mpsc::UnboundedSender<A>,
    was_answered: Arc<AtomicBool>,
}

impl<A> Clone for Asker<A> {
    fn clone(&self) -> Self {
        Self { answers: self.answers.clone(), was_answered: self.was_answered.clone() }
    }
}

impl Network {
    pub(super) fn new(stage: Stage) -> Self {
        Self(Arc::new(Inner { stage, cuts: Mutex::default() }))
    }

    /// Nothing gets from one to the other for a while, either way.
    pub(super) fn cut(&self, (one, other): Road, time: Duration) {
        self.0.stage.troubles.note(Trouble::Cut);
        self.0.stage.trace.note("network", || format!("{one:?} and {other:?} are cut off for {time:?}"));
        let until = Instant::now() + time;
        self.0.cuts.lock().extend([((one, other), until), ((other, one), until)]);
    }

    /// Every road is open again.
    pub(super) fn heal(&self) {
        self.0.cuts.lock().clear();
    }

    fn is_cut(&self, road: Road) -> bool {
        self.0.cuts.lock().get(&road).is_some_and(|until| *until > Instant::now())
    }

    /// Sends a request, and waits for its answer with so much patience. `work` is what is done where it arrives, as often as it arrives;
    /// it answers nothing if whoever did it died.
    pub(super) async fn ask<A, W>(
        &self,
        road: Road,
        patience: Duration,
        work: impl Fn() -> W + Clone + Send + Sync + 'static,
    ) -> Option<A>
    where
        A: Send + 'static,
        W: Future<Output = Option<A>> + Send + 'static,
    {
        let (answers, mut heard) = mpsc::unbounded_channel();
        let asker = Asker { answers, was_answered: Arc::default() };
        let copies = if self.0.stage.strikes(Trouble::Doubled) { 2 } else { 1 };
        for copy in 0..copies {
            let lag = if copy > 0 { self.0.stage.dice().millis(0..=3_000) } else { Duration::ZERO };
            let (network, asker, work) = (self.clone(), asker.clone(), work.clone());
            self.0.stage.tasks.spawn(async move {
                tokio::time::sleep(lag).await;
                network.trip(road, work, &asker).await;
            });
        }
        // `asker` lives on here: an asker does not learn that nothing will come.
        let answer = tokio::time::timeout(patience, heard.recv()).await.ok().flatten();
        asker.was_answered.store(answer.is_some(), Ordering::Relaxed);
        answer
    }

    /// There and back.
    async fn trip<A, W: Future<Output = Option<A>>>(
        &self,
        (from, to): Road,
        work: impl Fn() -> W,
        asker: &Asker<A>,
    ) {
        let stage = &self.0.stage;
        if !self.passes((from, to), Trouble::LostRequest).await {
            return;
        }
        let Some(answer) = work().await else { return };
        if !self.passes((to, from), Trouble::LostAnswer).await || asker.answers.send(answer).is_ok() {
            return;
        }
        let was_answered = asker.was_answered.load(Ordering::Relaxed);
        stage.reach(if was_answered { Goal::DoubleAnswerIgnored } else { Goal::AnswerIgnored });
    }

    /// One way; whether it got there.
    async fn passes(&self, road: Road, lost: Trouble) -> bool {
        let stage = &self.0.stage;
        let is_gone = self.is_cut(road) || stage.strikes(lost);
        if !is_gone {
            stage.travel().await;
        }
        let passes = !is_gone && !self.is_cut(road);
        if !passes {
            stage.trace.note("network", || format!("{lost} from {:?} to {:?}", road.0, road.1));
        }
        passes
    }
}
