//! The client's end of one connection: what the Postgres adapter's session is, over a wire that fails.

use std::sync::Arc;

use async_trait::async_trait;
use inventory_core::clock::Timestamp;
use inventory_core::ids::BatchId;
use inventory_core::reservation::{Reservation, Status};
use inventory_core::store::{
    Backend, CommitFailure, Effects, Footprint, Locked, LookAhead, Session, StoreError, StoreErrorKind,
};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::ahead::Busy;
use super::locks::Pid;
use super::presumption::{Left, Presumption};
use super::server::Message;
use super::state::Reservations;
use super::{ANSWER_TIMEOUT, Link, Shared};
use crate::faults::Fault;
use crate::goals::Goal;
use crate::mutant::Mutant;

/// Where the connection stands.
#[derive(Debug)]
enum Standing {
    Idle,
    Open,
    /// A batch has begun, and nothing was sent.
    Presumed(Box<Presumption>),
    /// It is decided.
    Decided(Box<Presumption>, Box<Effects>),
    Broken,
}

pub(super) struct Connection {
    shared: Arc<Shared>,
    link: Link,
    pid: Pid,
    backend: Backend,
    standing: Standing,
    /// Open holds that were written, and those of the open transaction.
    remembered: Reservations,
    written: Vec<Reservation>,
    left: Left,
}

impl Connection {
    pub(super) fn new(shared: Arc<Shared>, link: Link, pid: Pid, backend: Backend) -> Self {
        let (remembered, written, left) = Default::default();
        Self { shared, link, pid, backend, standing: Standing::Idle, remembered, written, left }
    }

    /// Sends a message and waits for the answer, not for ever. None: the connection is lost.
    async fn exchange<T>(
        &mut self,
        message: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> Message,
    ) -> Option<Result<T, StoreError>> {
        let exchange = async {
            self.link.travel().await;
            let (answer, wait) = oneshot::channel();
            if !self.link.send(self.pid, message(answer)) {
                return None;
            }
            let said = wait.await.ok()?;
            self.link.travel().await;
            Some(said)
        };
        let said = tokio::time::timeout(ANSWER_TIMEOUT, exchange).await.ok().flatten();
        self.link.alive().await;
        if said.is_none() {
            self.lose();
        }
        said
    }

    /// As [`Self::exchange`], inside a transaction whose COMMIT was not sent: what is lost has no effect.
    async fn state<T>(
        &mut self,
        message: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> Message,
    ) -> Result<T, StoreError> {
        let faults = self.shared.world.faults.clone();
        if faults.strikes(Fault::LostConnection) {
            self.link.travel().await;
            if faults.dice().percent(50) {
                let (answer, _deaf) = oneshot::channel();
                self.link.send(self.pid, message(answer));
            }
            self.lose();
            return Err(lost());
        }
        match self.exchange(message).await {
            Some(Ok(said)) => Ok(said),
            // The server has rolled back.
            Some(Err(error)) => {
                self.standing = Standing::Idle;
                Err(error)
            }
            None => Err(lost()),
        }
    }

    /// Begins on the server.
    async fn open(
        &mut self,
        batch: BatchId,
        footprint: Footprint,
        remembered: Reservations,
    ) -> Result<Locked, StoreError> {
        let sent = Instant::now();
        let begin = |answer| Message::Begin { batch, footprint, remembered, answer };
        let locked = self.state(begin).await?;
        self.left.see(sent, locked.now);
        self.standing = Standing::Open;
        Ok(locked)
    }

    fn remember_with_commit(&mut self, effects: &Effects) {
        let written = effects.created.iter().chain(effects.changed.iter().map(|(_, changed)| changed));
        self.written = written.filter(|written| written.status == Status::Held).cloned().collect();
        self.left.write(effects);
    }

    async fn commit_open(&mut self) -> Result<(), CommitFailure> {
        if self.commit_unheard(unheard).await {
            return Err(CommitFailure::Unknown("the connection is lost (simulated)".to_owned()));
        }
        match self.exchange(|answer| Message::Commit { answer }).await {
            Some(said) => Ok(said?),
            None => Err(CommitFailure::Unknown("no answer (simulated)".to_owned())),
        }
    }

    /// When it was sent, and when the ledger received it.
    async fn commit_whole(
        &mut self,
        presumption: Box<Presumption>,
        effects: Box<Effects>,
    ) -> Result<(Instant, Timestamp), CommitFailure> {
        let whole = |answer| Message::Whole { presumption, effects, answer };
        if self.commit_unheard(|| whole.clone()(oneshot::channel().0)).await {
            return Err(CommitFailure::Unknown("the connection is lost (simulated)".to_owned()));
        }
        let sent = Instant::now();
        match self.exchange(whole).await {
            Some(said) => Ok((sent, said?)),
            None => Err(CommitFailure::Unknown("no answer (simulated)".to_owned())),
        }
    }

    /// Commits what is open or decided; what a whole batch told of the ledger's time.
    async fn commit_standing(&mut self) -> Result<Option<(Instant, Timestamp)>, CommitFailure> {
        match std::mem::replace(&mut self.standing, Standing::Idle) {
            Standing::Open => self.commit_open().await.map(|()| None),
            Standing::Decided(presumption, effects) => {
                self.commit_whole(presumption, effects).await.map(Some)
            }
            other => {
                self.standing = other;
                Err(CommitFailure::Definite(lost()))
            }
        }
    }

    fn lose(&mut self) {
        self.standing = Standing::Broken;
        self.link.lose(self.pid, &self.shared.tasks);
    }

    /// COMMIT, or a whole batch, stays in some buffer for a while; nobody is left to hear the answer.
    fn hold_commit(&mut self, commit: Message) {
        self.standing = Standing::Broken;
        let Some(wire) = self.link.take(self.pid) else { return };
        let dice = self.shared.world.faults.dice();
        // Soon enough to overtake the resolver, or long after it.
        let held = if dice.percent(50) { dice.millis(1..=40) } else { dice.millis(40..=9_000) };
        let goals = self.shared.world.goals.clone();
        self.shared.tasks.spawn(async move {
            tokio::time::sleep(held).await;
            if wire.send(commit).is_err() {
                goals.count(Goal::LateCommitFenced);
            }
        });
    }

    /// COMMIT, or a whole batch, if it meets a fault whose outcome nobody hears. `message` makes one whose answer goes nowhere.
    async fn commit_unheard(&mut self, message: impl FnOnce() -> Message) -> bool {
        let faults = self.shared.world.faults.clone();
        if faults.strikes(Fault::UnknownAborted) {
            self.link.travel().await;
            self.lose();
        } else if faults.strikes(Fault::LateCommit) {
            self.link.travel().await;
            self.hold_commit(message());
        } else if faults.strikes(Fault::UnknownCommitted) {
            self.link.travel().await;
            self.link.send(self.pid, message());
            self.link.travel().await;
            self.lose();
        } else {
            return false;
        }
        true
    }
}

fn unheard() -> Message {
    let (answer, _) = oneshot::channel();
    Message::Commit { answer }
}

fn lost() -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, "the connection is lost (simulated)")
}

impl Drop for Connection {
    fn drop(&mut self) {
        // A process that drops its connection says farewell, unless it died before.
        if !self.link.death().is_cancelled() {
            drop(self.link.take(self.pid));
        }
    }
}

#[async_trait]
impl Session for Connection {
    fn backend(&self) -> Backend {
        self.backend
    }

    async fn begin(&mut self, batch: BatchId, footprint: &Footprint) -> Result<Locked, StoreError> {
        self.rollback().await?;
        self.written.clear();
        let remembered = &mut self.remembered;
        let remembered: Reservations =
            footprint.orders.iter().filter_map(|order| remembered.remove_entry(order)).collect();
        let begun = match self.left.presume(batch, footprint, &remembered) {
            Some((locked, presumption)) => {
                self.standing = Standing::Presumed(Box::new(presumption));
                Ok(locked)
            }
            None => self.open(batch, footprint.clone(), remembered).await,
        };
        begun.map(|mut locked| {
            if self.shared.world.is(Mutant::OwnClocks) {
                locked.now = self.link.wall_clock(locked.now);
            }
            locked
        })
    }

    async fn persist(&mut self, effects: &Effects) -> Result<(), StoreError> {
        match std::mem::replace(&mut self.standing, Standing::Idle) {
            Standing::Open => self.standing = Standing::Open,
            Standing::Presumed(presumption) if presumption.bears(effects) => {
                self.remember_with_commit(effects);
                self.standing = Standing::Decided(presumption, Box::new(effects.clone()));
                return Ok(());
            }
            Standing::Presumed(presumption) => {
                let (footprint, remembered) = (presumption.footprint.clone(), presumption.remembered.clone());
                let locked = self.open(presumption.batch, footprint, remembered).await?;
                let Some(wait) = presumption.stands(&locked) else {
                    self.left.was_wrong();
                    self.shared.world.goals.count(Goal::PresumedInVain);
                    self.rollback().await?;
                    let message = "a product is no longer what the batch presumed";
                    return Err(StoreError::new(StoreErrorKind::Conflict, message));
                };
                tokio::time::sleep(wait).await;
            }
            other => {
                self.standing = other;
                return Err(lost());
            }
        }
        self.remember_with_commit(effects);
        let effects = Box::new(effects.clone());
        self.state(|answer| Message::Persist { effects, answer }).await
    }

    async fn commit(&mut self) -> Result<(), CommitFailure> {
        self.commit_looking_ahead(LookAhead::nothing()).await
    }

    async fn commit_looking_ahead(&mut self, look: LookAhead<'_>) -> Result<(), CommitFailure> {
        let is_whole = matches!(self.standing, Standing::Decided(..));
        let mut busy = Busy::new(std::mem::take(&mut self.left), std::mem::take(&mut self.remembered));
        let committed = busy.look_while(self.commit_standing(), look).await;
        let Busy { left, remembered, begun } = busy;
        (self.left, self.remembered) = (left, remembered);
        let goals = self.shared.world.goals.clone();
        match committed {
            Ok(sighting) => {
                if let Some((sent, received)) = sighting {
                    self.left.see(sent, received);
                }
            }
            Err(failure) => {
                if is_whole {
                    self.left.was_wrong();
                }
                if begun.is_some() {
                    goals.count(Goal::AheadOfFailure);
                }
                return Err(failure);
            }
        }
        self.remembered.extend(self.written.drain(..).map(|held| (held.order, held)));
        self.left.committed();
        if let Some(presumption) = begun {
            goals.count(Goal::Ahead);
            self.standing = Standing::Presumed(presumption);
        }
        Ok(())
    }

    async fn rollback(&mut self) -> Result<(), StoreError> {
        match self.standing {
            Standing::Broken => return Err(lost()),
            Standing::Idle | Standing::Presumed(_) | Standing::Decided(..) => {}
            Standing::Open => self.state(|answer| Message::Rollback { answer }).await?,
        }
        self.standing = Standing::Idle;
        Ok(())
    }
}
