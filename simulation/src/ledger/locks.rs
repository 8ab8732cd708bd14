//! Locks on rows and keys, as Postgres keeps them: held to the end of the transaction, given to who waited longest. Whoever waits for
//! himself through others is told at once that it is a deadlock.

use std::collections::{BTreeMap, VecDeque};

use inventory_core::ids::{AdjustmentId, BatchId, Delivery, OrderId, ProductId};
use tokio::sync::oneshot;

/// A server process of the ledger.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct Pid(pub(super) i32);

/// What can be locked: a row, or the place of a key that is about to be written.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Key {
    Fence(BatchId),
    Product(ProductId),
    Order(OrderId),
    Adjustment(AdjustmentId),
    Delivery(Delivery),
}

/// The answer to a request for a lock.
pub(super) enum Asked {
    Held,
    /// Rings when it is the asker's.
    Wait(oneshot::Receiver<()>),
    Deadlock,
}

#[derive(Debug)]
struct Lock {
    holder: Pid,
    waiting: VecDeque<(Pid, oneshot::Sender<()>)>,
}

/// Every lock that somebody has.
#[derive(Debug, Default)]
pub(super) struct Locks {
    locks: BTreeMap<Key, Lock>,
}

impl Locks {
    /// Takes a lock, or queues for it.
    pub(super) fn ask(&mut self, pid: Pid, key: &Key) -> Asked {
        match self.locks.get(key) {
            None => {
                self.locks.insert(key.clone(), Lock { holder: pid, waiting: VecDeque::new() });
                return Asked::Held;
            }
            Some(lock) if lock.holder == pid => return Asked::Held,
            Some(_) if self.would_wait_for_itself(pid, key) => return Asked::Deadlock,
            Some(_) => {}
        }
        let (ring, rung) = oneshot::channel();
        if let Some(lock) = self.locks.get_mut(key) {
            lock.waiting.push_back((pid, ring));
        }
        Asked::Wait(rung)
    }

    /// Whether somebody else has it.
    pub(super) fn is_taken(&self, pid: Pid, key: &Key) -> bool {
        self.locks.get(key).is_some_and(|lock| lock.holder != pid)
    }

    /// Gives up waiting; true if the lock came in the last moment.
    pub(super) fn leave(&mut self, pid: Pid, key: &Key) -> bool {
        let Some(lock) = self.locks.get_mut(key) else { return false };
        lock.waiting.retain(|(waiting, _)| *waiting != pid);
        lock.holder == pid
    }

    /// Ends all that a process holds and waits for. What it held goes to who waited longest.
    pub(super) fn end(&mut self, pid: Pid) {
        self.locks.retain(|_, lock| {
            lock.waiting.retain(|(waiting, _)| *waiting != pid);
            if lock.holder != pid {
                return true;
            }
            while let Some((next, ring)) = lock.waiting.pop_front() {
                lock.holder = next;
                if ring.send(()).is_ok() {
                    return true;
                }
            }
            false
        });
    }

    /// Follows who waits for whom from the holder of `key`.
    fn would_wait_for_itself(&self, pid: Pid, key: &Key) -> bool {
        let mut at = self.locks.get(key).map(|lock| lock.holder);
        // Nobody waits for two locks, so the chain is a line; its length bounds a ring that `pid` is not part of.
        for _ in 0..=self.locks.len() {
            match at {
                None => return false,
                Some(holder) if holder == pid => return true,
                Some(holder) => at = self.awaited_by(holder),
            }
        }
        false
    }

    fn awaited_by(&self, pid: Pid) -> Option<Pid> {
        let awaits = |lock: &&Lock| lock.waiting.iter().any(|(waiting, _)| *waiting == pid);
        self.locks.values().find(awaits).map(|lock| lock.holder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Pid = Pid(1);
    const B: Pid = Pid(2);
    const C: Pid = Pid(3);

    fn key(id: i64) -> Key {
        Key::Product(ProductId::new(id))
    }

    #[test]
    fn a_lock_goes_to_who_waited_longest() {
        let mut locks = Locks::default();
        assert!(matches!(locks.ask(A, &key(1)), Asked::Held));
        let Asked::Wait(mut b) = locks.ask(B, &key(1)) else { panic!("B must wait") };
        let Asked::Wait(mut c) = locks.ask(C, &key(1)) else { panic!("C must wait") };
        locks.end(A);
        assert!(b.try_recv().is_ok() && c.try_recv().is_err());
        locks.end(B);
        assert!(c.try_recv().is_ok());
        locks.end(C);
        assert!(!locks.is_taken(A, &key(1)));
    }

    #[test]
    fn who_left_is_passed_over() {
        let mut locks = Locks::default();
        assert!(matches!(locks.ask(A, &key(1)), Asked::Held));
        let waits = locks.ask(B, &key(1));
        assert!(!locks.leave(B, &key(1)));
        drop(waits);
        locks.end(A);
        assert!(!locks.is_taken(C, &key(1)));
    }

    #[test]
    fn a_ring_of_waits_is_a_deadlock() {
        let mut locks = Locks::default();
        for (pid, id) in [(A, 1), (B, 2), (C, 3)] {
            assert!(matches!(locks.ask(pid, &key(id)), Asked::Held));
        }
        let _a = locks.ask(A, &key(2));
        let _b = locks.ask(B, &key(3));
        assert!(matches!(locks.ask(C, &key(1)), Asked::Deadlock));
    }
}
