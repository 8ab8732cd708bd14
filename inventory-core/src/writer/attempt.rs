//! One try of one batch: fence, lock, read → decide → persist → COMMIT → settle. A try has exactly one of two ends: everyone has
//! the answer, or nothing took effect and the batch is as it was.

use std::time::Duration;

use super::Writer;
use super::batch::Batch;
use super::memory::Memory;
use crate::clock::Timestamp;
use crate::command::Command;
use crate::counters::{Base, Lowered};
use crate::decide::{Decision, decide};
use crate::event::EventEncoder;
use crate::ids::{BatchId, ProductId};
use crate::outcome::{Answer, Outcome};
use crate::quantity::Units;
use crate::store::{
    Backend, CommitFailure, Effects, Footprint, IdMap, Locked, Resolution, Session, StoreError,
    StoreErrorKind,
};

/// The first pause before asking again how a commit turned out; doubles up to [`RESOLVE_PAUSE_MAX`].
const RESOLVE_PAUSE: Duration = Duration::from_millis(20);
const RESOLVE_PAUSE_MAX: Duration = Duration::from_secs(1);

/// How a batch is to be tried.
#[derive(Debug, Default)]
pub(super) struct Attempt {
    pub(super) batch: Batch,
    /// Read every order, also those of reserves that nobody suspects of being repeats.
    pub(super) read_all: bool,
    pub(super) skip_locked: bool,
    /// Tries so far.
    pub(super) tries: u32,
    /// Done ahead; good for the first try.
    pub(super) decided: Option<Decided>,
}

/// A batch that the session has open, and what it comes to.
#[derive(Debug)]
pub(super) struct Decided {
    id: BatchId,
    decision: Decision,
    bases: IdMap<ProductId, Base>,
    taken: IdMap<ProductId, Units>,
    epoch: u32,
    now: Timestamp,
}

impl Decided {
    /// None: it rests on an order that was not read.
    pub(super) fn of(
        batch: &Batch,
        id: BatchId,
        footprint: &Footprint,
        locked: Locked,
        epoch: u32,
        encoder: &dyn EventEncoder,
        memory: &Memory,
    ) -> Option<Self> {
        let (bases, now) = (bases(&locked, epoch), locked.now);
        let decision = decide(locked, &batch.commands, id, encoder);
        // Their key reveals known orders only among those that were admitted: no refusal of a replay.
        let is_unsure = memory.known.is_none() && refuses_unread(&batch.commands, footprint, &decision);
        (!is_unsure).then(|| Self { id, decision, bases, taken: batch.taken(), epoch, now })
    }

    pub(super) fn effects(&self) -> &Effects {
        &self.decision.effects
    }
}

impl Writer {
    /// Tries once. `Ok`: everyone in the batch was answered, or parked because of rows that others hold.
    /// `Err`: nothing took effect, nobody was answered. `is_last`: whatever is tried next is another batch.
    pub(super) async fn attempt(&mut self, attempt: &mut Attempt, is_last: bool) -> Result<(), StoreError> {
        attempt.tries += 1;
        let decided = match attempt.decided.take() {
            Some(decided) => decided,
            None => match self.begin(attempt).await? {
                Some(decided) => decided,
                None => return Ok(()),
            },
        };
        self.products_locked = decided.bases.len();
        let effects = decided.effects();
        let mut lowered = Vec::new();
        if effects.is_empty() {
            // Makes sure of what the answers rest on.
            self.session()?.persist(effects).await?;
            self.session()?.rollback().await?;
        } else {
            // Before their COMMIT, whose outcome may stay unknown for a while: an order that may be known must not be told "sold out". One
            // that turns out not to be is asked about once too often.
            self.memory.remember_orders(effects);
            lowered = self.memory.lower_ahead(&decided.bases, effects, &decided.taken);
            if let Err(error) = self.write(decided.id, effects, is_last).await {
                self.undo(lowered);
                return Err(error);
            }
            self.memory.stats.batches.add(1);
            self.memory.stats.commands.add(attempt.batch.len());
        }
        self.finish(std::mem::take(&mut attempt.batch), decided, lowered);
        Ok(())
    }

    /// Begins and decides. None: everyone is parked.
    async fn begin(&mut self, attempt: &mut Attempt) -> Result<Option<Decided>, StoreError> {
        let epoch = self.connect().await?;
        let id = self.chance.batch_id();
        let may_be_known = |order| attempt.read_all || self.memory.is_known(order);
        let footprint = attempt.batch.footprint(may_be_known, attempt.skip_locked);
        let locked = self.session()?.begin(id, &footprint).await?;
        self.memory.observe_locked(&locked, epoch);

        let blocked = attempt.batch.take_out_blocked(&locked);
        self.park(blocked);
        if let Some(foreign) = foreign_order(&locked) {
            self.session()?.rollback().await?;
            return Err(foreign);
        }
        if attempt.batch.is_empty() {
            self.session()?.rollback().await?;
            return Ok(None);
        }
        let decided =
            Decided::of(&attempt.batch, id, &footprint, locked, epoch, &*self.encoder, &self.memory);
        if decided.is_none() {
            self.session()?.rollback().await?;
            return Err(StoreError::new(StoreErrorKind::Conflict, "a refused order may be known"));
        }
        Ok(decided)
    }

    fn session(&mut self) -> Result<&mut Box<dyn Session>, StoreError> {
        self.session.as_mut().ok_or_else(|| StoreError::new(StoreErrorKind::Unavailable, "no connection"))
    }

    /// Persists and commits, and meanwhile looks ahead. An unknown outcome is resolved here, however long it takes: the writer does nothing
    /// else meanwhile, and what was taken stays taken.
    async fn write(&mut self, batch_id: BatchId, effects: &Effects, is_last: bool) -> Result<(), StoreError> {
        self.session()?.persist(effects).await?;
        match self.commit(is_last).await {
            Ok(()) => Ok(()),
            Err(CommitFailure::Definite(error)) => Err(error),
            Err(CommitFailure::Unknown(reason)) => {
                let backend = self.session()?.backend();
                self.session = None;
                self.memory.stats.unknown_commits.add(1);
                match self.resolve(batch_id, backend, &reason).await {
                    Resolution::Committed => Ok(()),
                    Resolution::Aborted => Err(StoreError::new(StoreErrorKind::Transient, reason)),
                }
            }
        }
    }

    async fn resolve(&mut self, batch: BatchId, backend: Backend, reason: &str) -> Resolution {
        tracing::warn!(%batch, reason, "no answer to COMMIT; finding out how it turned out");
        self.queue.set_store_down(Some(reason.to_owned()));
        let mut pause = RESOLVE_PAUSE;
        loop {
            match self.store.resolve(batch, backend).await {
                Ok(resolution) => {
                    tracing::warn!(%batch, ?resolution, "the unknown commit is resolved");
                    self.queue.set_store_down(None);
                    return resolution;
                }
                Err(error) => tracing::warn!(%batch, %error, "not resolved yet; trying again"),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(RESOLVE_PAUSE_MAX);
        }
    }

    pub(super) fn undo(&self, lowered: Vec<Lowered>) {
        for lowered in lowered {
            self.memory.counters.undo(lowered);
        }
    }

    /// Settles, then lets another task answer, so that the next batch can begin.
    fn finish(&self, batch: Batch, decided: Decided, lowered: Vec<Lowered>) {
        let Decided { id: _, decision: Decision { outcomes, effects }, bases, taken, epoch, now } = decided;
        self.memory.settle(bases, &effects, epoch, taken, lowered);
        let memory = self.memory.clone();
        let replies = self.replies.clone();
        let answer = async move {
            memory.remember_deadlines(now, &effects);
            memory.remember_levels(&effects);
            let answers = batch
                .members
                .into_iter()
                .zip(outcomes)
                .map(|(member, outcome)| (member.caller, Answer::Ok(outcome)));
            replies.answer(answers);
        };
        self.answering.tasks.spawn_on(answer, &self.answering.runtime);
    }
}

/// Whether a reserve is refused whose order was not read.
fn refuses_unread(commands: &[Command], footprint: &Footprint, decision: &Decision) -> bool {
    let is_unread = |command: &Command| {
        command.order().is_some_and(|order| footprint.orders.binary_search(&order).is_err())
    };
    let is_refused = |outcome: &Outcome| matches!(outcome, Outcome::Reserve(Err(_)));
    decision.outcomes.iter().zip(commands).any(|(outcome, command)| is_refused(outcome) && is_unread(command))
}

/// The rows as counters see them.
fn bases(locked: &Locked, epoch: u32) -> IdMap<ProductId, Base> {
    locked.products.values().map(|product| (product.id, Memory::base_of(product, epoch))).collect()
}

/// A reservation that was told and has a product that was not locked: it appeared in between.
fn foreign_order(locked: &Locked) -> Option<StoreError> {
    let is_locked = |product: ProductId| {
        locked.products.contains_key(&product) || locked.skipped.binary_search(&product).is_ok()
    };
    let foreign =
        locked.reservations.values().find(|r| !r.lines.iter().all(|line| is_locked(line.product)))?;
    let message = format!("order {} appeared while its batch was locking", foreign.order);
    Some(StoreError::new(StoreErrorKind::Conflict, message))
}
