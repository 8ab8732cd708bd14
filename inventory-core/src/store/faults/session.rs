//! A session that meets its batch's fault.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Fault, Shared, injected};
use crate::ids::BatchId;
use crate::store::{
    Ahead, Backend, CommitFailure, Effects, Footprint, Locked, LookAhead, Session, StoreError, StoreErrorKind,
};

pub(super) struct FaultySession {
    /// None once the connection was lost.
    inner: Option<Box<dyn Session>>,
    backend: Backend,
    shared: Arc<Shared>,
    /// The open batch, and what is to happen to it.
    open: Option<(BatchId, Option<Fault>)>,
}

impl FaultySession {
    pub(super) fn new(inner: Box<dyn Session>, shared: Arc<Shared>) -> Self {
        Self { backend: inner.backend(), inner: Some(inner), shared, open: None }
    }

    /// The next batch's fault, written down.
    fn draw(&self, batch: BatchId) -> Option<Fault> {
        let mut state = self.shared.state.lock();
        let number = state.begun;
        state.begun += 1;
        let fault = state.plan.fault(number);
        state.injected.extend(fault.map(|fault| (number, batch, fault)));
        fault
    }

    /// Commits; a batch that was begun meanwhile is open, and meets its fault in turn.
    async fn commit_inner(&mut self, look: LookAhead<'_>) -> Result<(), CommitFailure> {
        let mut next = None;
        let inner = self.inner.as_mut().ok_or_else(lost)?;
        let LookAhead { when, what } = look;
        let what = Box::new(|ahead: &mut dyn Ahead| what(&mut Watched { ahead, begun: &mut next }));
        inner.commit_looking_ahead(LookAhead { when, what }).await?;
        self.open = next.map(|batch| (batch, self.draw(batch)));
        Ok(())
    }

    /// Rolls back; or, where the connection is what fails, loses it, which rolls back too.
    async fn fail(&mut self, kind: StoreErrorKind) -> StoreError {
        self.open = None;
        if kind == StoreErrorKind::Unavailable {
            self.inner = None;
        }
        if let Some(inner) = &mut self.inner
            && let Err(error) = inner.rollback().await
        {
            return error;
        }
        injected(kind)
    }
}

/// Notes which batch is begun.
struct Watched<'a> {
    ahead: &'a mut dyn Ahead,
    begun: &'a mut Option<BatchId>,
}

impl Ahead for Watched<'_> {
    fn begin(&mut self, batch: BatchId, footprint: &Footprint) -> Option<Locked> {
        let locked = self.ahead.begin(batch, footprint)?;
        *self.begun = Some(batch);
        Some(locked)
    }

    fn prepare(&mut self, effects: &Effects) {
        self.ahead.prepare(effects);
    }
}

fn lost() -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, "a fault was injected: the connection is lost")
}

fn unknown() -> Result<(), CommitFailure> {
    Err(CommitFailure::Unknown("a fault was injected: the connection is lost".to_owned()))
}

#[async_trait]
impl Session for FaultySession {
    fn backend(&self) -> Backend {
        self.backend
    }

    async fn begin(&mut self, batch: BatchId, footprint: &Footprint) -> Result<Locked, StoreError> {
        let fault = self.draw(batch);
        if let Some(Fault::FailBegin(kind)) = fault {
            return Err(self.fail(kind).await);
        }
        let locked = self.inner.as_mut().ok_or_else(lost)?.begin(batch, footprint).await?;
        self.open = Some((batch, fault));
        Ok(locked)
    }

    async fn persist(&mut self, effects: &Effects) -> Result<(), StoreError> {
        // A batch that was begun ahead fails with what its beginning would have failed with.
        if let Some((_, Some(Fault::FailBegin(kind) | Fault::FailPersist(kind)))) = self.open {
            return Err(self.fail(kind).await);
        }
        self.inner.as_mut().ok_or_else(lost)?.persist(effects).await
    }

    async fn commit(&mut self) -> Result<(), CommitFailure> {
        self.commit_looking_ahead(LookAhead::nothing()).await
    }

    async fn commit_looking_ahead(&mut self, look: LookAhead<'_>) -> Result<(), CommitFailure> {
        let (batch, fault) = self.open.take().unzip();
        match fault.flatten() {
            None | Some(Fault::FailBegin(_) | Fault::FailPersist(_)) => self.commit_inner(look).await,
            Some(Fault::FailCommit(kind)) => Err(self.fail(kind).await.into()),
            Some(Fault::Stall(time)) => {
                tokio::time::sleep(time).await;
                self.commit_inner(look).await
            }
            Some(Fault::UnknownNotCommitted) => {
                self.inner = None;
                unknown()
            }
            Some(Fault::UnknownCommitted) => {
                // Whatever the store says: the answer is lost.
                let _ = self.inner.take().ok_or_else(lost)?.commit_looking_ahead(look).await;
                unknown()
            }
            Some(Fault::UnknownCommittedLate(after)) => {
                let inner = self.inner.take().ok_or_else(lost)?;
                if let Some(batch) = batch {
                    self.shared.commit_later(batch, inner, after);
                }
                unknown()
            }
        }
    }

    async fn rollback(&mut self) -> Result<(), StoreError> {
        self.open = None;
        self.inner.as_mut().ok_or_else(lost)?.rollback().await
    }
}
