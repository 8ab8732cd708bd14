//! The client's end of one connection: what the Postgres adapter's session is, over a wire that fails.

use std::sync::Arc;

use async_trait::async_trait;
use inventory_core::ids::BatchId;
use inventory_core::reservation::{Reservation, Status};
use inventory_core::store::{
    Backend, CommitFailure, Effects, Footprint, Locked, Session, StoreError, StoreErrorKind,
};
use tokio::sync::oneshot;

use super::locks::Pid;
use super::server::Message;
use super::state::Reservations;
use super::{ANSWER_TIMEOUT, Link, Shared};
use crate::faults::Fault;
use crate::goals::Goal;
use crate::mutant::Mutant;

/// Where the connection stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Standing {
    Idle,
    Open,
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
}

impl Connection {
    pub(super) fn new(shared: Arc<Shared>, link: Link, pid: Pid, backend: Backend) -> Self {
        let (remembered, written) = Default::default();
        Self { shared, link, pid, backend, standing: Standing::Idle, remembered, written }
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

    fn lose(&mut self) {
        self.standing = Standing::Broken;
        self.link.lose(self.pid, &self.shared.tasks);
    }

    /// COMMIT stays in some buffer for a while; nobody is left to hear the answer.
    fn hold_commit(&mut self) {
        self.standing = Standing::Broken;
        let Some(wire) = self.link.take(self.pid) else { return };
        let dice = self.shared.world.faults.dice();
        // Soon enough to overtake the resolver, or long after it.
        let held = if dice.percent(50) { dice.millis(1..=40) } else { dice.millis(40..=9_000) };
        let goals = self.shared.world.goals.clone();
        self.shared.tasks.spawn(async move {
            tokio::time::sleep(held).await;
            let (answer, _) = oneshot::channel();
            if wire.send(Message::Commit { answer }).is_err() {
                goals.count(Goal::LateCommitFenced);
            }
        });
    }

    /// COMMIT, if it meets a fault whose outcome nobody hears.
    async fn commit_unheard(&mut self) -> bool {
        let faults = self.shared.world.faults.clone();
        if faults.strikes(Fault::UnknownAborted) {
            self.link.travel().await;
            self.lose();
        } else if faults.strikes(Fault::LateCommit) {
            self.link.travel().await;
            self.hold_commit();
        } else if faults.strikes(Fault::UnknownCommitted) {
            self.link.travel().await;
            let (answer, _deaf) = oneshot::channel();
            self.link.send(self.pid, Message::Commit { answer });
            self.link.travel().await;
            self.lose();
        } else {
            return false;
        }
        true
    }
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
        if self.standing == Standing::Broken {
            return Err(lost());
        }
        self.written.clear();
        let remembered = &mut self.remembered;
        let remembered: Reservations =
            footprint.orders.iter().filter_map(|order| remembered.remove_entry(order)).collect();
        let footprint = footprint.clone();
        let begin = |answer| Message::Begin { batch, footprint, remembered, answer };
        let mut locked = self.state(begin).await?;
        if self.shared.world.is(Mutant::OwnClocks) {
            locked.now = self.link.wall_clock(locked.now);
        }
        self.standing = Standing::Open;
        Ok(locked)
    }

    async fn persist(&mut self, effects: &Effects) -> Result<(), StoreError> {
        if self.standing != Standing::Open {
            return Err(lost());
        }
        let written = effects.created.iter().chain(effects.changed.iter().map(|(_, changed)| changed));
        self.written = written.filter(|written| written.status == Status::Held).cloned().collect();
        let effects = Box::new(effects.clone());
        self.state(|answer| Message::Persist { effects, answer }).await
    }

    async fn commit(&mut self) -> Result<(), CommitFailure> {
        if self.standing != Standing::Open {
            return Err(CommitFailure::Definite(lost()));
        }
        if self.commit_unheard().await {
            return Err(CommitFailure::Unknown("the connection is lost (simulated)".to_owned()));
        }
        let said = self.exchange(|answer| Message::Commit { answer }).await;
        match said {
            Some(said) => {
                self.standing = Standing::Idle;
                said?;
                self.remembered.extend(self.written.drain(..).map(|held| (held.order, held)));
                Ok(())
            }
            None => Err(CommitFailure::Unknown("no answer (simulated)".to_owned())),
        }
    }

    async fn rollback(&mut self) -> Result<(), StoreError> {
        match self.standing {
            Standing::Idle => Ok(()),
            Standing::Broken => Err(lost()),
            Standing::Open => {
                self.state(|answer| Message::Rollback { answer }).await?;
                self.standing = Standing::Idle;
                Ok(())
            }
        }
    }
}
