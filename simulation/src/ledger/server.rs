//! One server process: takes messages in order, works on one at a time, and ends when its client is gone, when it idles inside a
//! transaction, or when it is killed.

use std::sync::Arc;

use inventory_core::clock::Timestamp;
use inventory_core::ids::BatchId;
use inventory_core::store::{Effects, Footprint, Locked, StoreError};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::locks::Pid;
use super::presumption::Presumption;
use super::state::Reservations;
use super::{IDLE_TIMEOUT, Shared};
use crate::goals::Goal;

/// What a client sends. A client that is gone hears no answer; the work is done all the same.
#[derive(Debug)]
pub(super) enum Message {
    Begin {
        batch: BatchId,
        footprint: Footprint,
        remembered: Reservations,
        answer: oneshot::Sender<Result<Locked, StoreError>>,
    },
    Persist {
        effects: Box<Effects>,
        answer: oneshot::Sender<Result<(), StoreError>>,
    },
    Commit {
        answer: oneshot::Sender<Result<(), StoreError>>,
    },
    Rollback {
        answer: oneshot::Sender<Result<(), StoreError>>,
    },
    /// Answered by the ledger's time when it came.
    Whole {
        presumption: Box<Presumption>,
        effects: Box<Effects>,
        answer: oneshot::Sender<Result<Timestamp, StoreError>>,
    },
}

pub(super) struct Server {
    pub(super) shared: Arc<Shared>,
    pub(super) pid: Pid,
    pub(super) kill: CancellationToken,
    pub(super) inbox: mpsc::UnboundedReceiver<Message>,
}

impl Server {
    /// Runs until its end.
    pub(super) async fn run(mut self) {
        loop {
            let kill = self.kill.clone();
            let next = tokio::select! {
                biased;
                () = kill.cancelled() => break,
                message = self.next() => message,
            };
            let Some(message) = next else { break };
            tokio::select! {
                biased;
                () = kill.cancelled() => break,
                () = self.work(message) => {}
            }
        }
        self.shared.end_process(self.pid);
    }

    /// The next message; none when the client is gone, or has idled too long inside a transaction.
    async fn next(&mut self) -> Option<Message> {
        let is_open =
            self.shared.state.lock().processes.get(&self.pid).is_some_and(|process| process.open.is_some());
        if !is_open {
            return self.inbox.recv().await;
        }
        match tokio::time::timeout(IDLE_TIMEOUT, self.inbox.recv()).await {
            Ok(message) => message,
            Err(_) => {
                self.shared.world.goals.count(Goal::IdleEnded);
                None
            }
        }
    }

    async fn work(&self, message: Message) {
        self.shared.step().await;
        match message {
            Message::Begin { batch, footprint, remembered, answer } => {
                let begun = self.shared.begin(self.pid, batch, &footprint, remembered).await;
                let _gone = answer.send(begun);
            }
            Message::Persist { effects, answer } => {
                let written = self.shared.persist(self.pid, *effects).await;
                let _gone = answer.send(written);
            }
            Message::Commit { answer } => {
                let is_late = answer.is_closed();
                let committed = self.shared.commit(self.pid);
                if is_late && committed.is_ok() {
                    self.shared.world.goals.count(Goal::LateCommitApplied);
                }
                let _gone = answer.send(committed);
            }
            Message::Whole { presumption, effects, answer } => {
                let committed = self.shared.whole(self.pid, &presumption, *effects).await;
                let _gone = answer.send(committed);
            }
            Message::Rollback { answer } => {
                self.shared.state.lock().roll_back(self.pid);
                let _gone = answer.send(Ok(()));
            }
        }
    }
}
