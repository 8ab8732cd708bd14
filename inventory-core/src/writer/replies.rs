//! The callers of the batch under way. They are kept apart from their commands so that a caller whose deadline passes while the
//! store is silent can be told `OutcomeUnknown`, whatever the writer is waiting for.

use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::error::Failure;
use crate::outcome::Answer;
use crate::store::IdMap;

/// Names one waiting caller.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct ReplyKey(u64);

#[derive(Debug, Default)]
pub(crate) struct Replies {
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    next_key: u64,
    callers: IdMap<u64, (Instant, oneshot::Sender<Answer>)>,
}

impl Replies {
    /// Takes in a batch's callers; their keys, in order.
    pub(crate) fn insert(
        &self,
        callers: impl ExactSizeIterator<Item = (Instant, oneshot::Sender<Answer>)>,
    ) -> Vec<ReplyKey> {
        let mut waiting = self.waiting.lock();
        waiting.callers.reserve(callers.len());
        callers
            .map(|caller| {
                let key = waiting.next_key;
                waiting.next_key += 1;
                waiting.callers.insert(key, caller);
                ReplyKey(key)
            })
            .collect()
    }

    /// Answers callers; those that were told `OutcomeUnknown` meanwhile, or went away, are passed over.
    pub(crate) fn answer(&self, answers: impl Iterator<Item = (ReplyKey, Answer)>) {
        let mut ready = Vec::with_capacity(answers.size_hint().0);
        {
            let mut waiting = self.waiting.lock();
            for (key, answer) in answers {
                if let Some((_, caller)) = waiting.callers.remove(&key.0) {
                    ready.push((caller, answer));
                }
            }
        }
        for (caller, answer) in ready {
            let _gone = caller.send(answer);
        }
    }

    /// Takes a caller out, unanswered. None: it was told already.
    pub(crate) fn remove(&self, key: ReplyKey) -> Option<oneshot::Sender<Answer>> {
        self.waiting.lock().callers.remove(&key.0).map(|(_, caller)| caller)
    }

    /// Tells everyone whose deadline has passed that the outcome is not known yet.
    pub(crate) fn time_out(&self, now: Instant) {
        let overdue: Vec<_> =
            self.waiting.lock().callers.extract_if(|_, (deadline, _)| *deadline <= now).collect();
        for (_, (_, caller)) in overdue {
            let _gone = caller.send(Err(Failure::OutcomeUnknown));
        }
    }

    /// Tells everyone that the outcome will not be known here any more: the writer is gone.
    pub(crate) fn abandon(&self) {
        let callers = std::mem::take(&mut self.waiting.lock().callers);
        for (_, (_, caller)) in callers {
            let _gone = caller.send(Err(Failure::OutcomeUnknown));
        }
    }
}
