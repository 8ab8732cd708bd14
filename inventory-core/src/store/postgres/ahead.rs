//! The next batch, begun and made ready while the connection is busy with the COMMIT of the one before it: on what the session remembers, and on
//! what that one is to leave. It is sent once that one has succeeded; only then is it known which version of the rows it rests on.

use std::pin::Pin;
use std::task::Poll;

use super::persist::Alone;
use super::presumed::{Left, Presumption, Products};
use super::recent::{Recent, Written};
use super::seen::{Recalled, Versions};
use crate::ids::BatchId;
use crate::store::{Ahead, Effects, Footprint, Locked, LookAhead, StoreError};

/// What a transaction has written and the session remembers with its COMMIT.
pub(super) struct Fresh {
    pub(super) written: Written,
    pub(super) left: Left,
}

impl Fresh {
    pub(super) fn of(effects: &Effects) -> Self {
        Self { written: Written::of(effects), left: Left::by(effects) }
    }
}

/// A batch that is decided, and sent as one message when it is to be committed.
pub(super) struct Ready {
    pub(super) alone: Alone,
    pub(super) fresh: Fresh,
}

/// A batch that has begun on what is remembered; nothing was sent.
pub(super) struct Begun {
    pub(super) presumption: Presumption,
    /// Of the reservations that it was told.
    pub(super) versions: Versions,
    pub(super) ready: Option<Box<Ready>>,
}

impl Begun {
    pub(super) fn new(presumption: Presumption, versions: Versions) -> Box<Self> {
        Box::new(Self { presumption, versions, ready: None })
    }

    /// If it is one message.
    pub(super) fn make_ready(&mut self, effects: &Effects) -> Result<(), StoreError> {
        let alone = Alone::of(effects, &self.presumption, &self.versions)?;
        self.ready = alone.map(|alone| Box::new(Ready { alone, fresh: Fresh::of(effects) }));
        Ok(())
    }
}

/// A session whose connection is busy.
pub(super) struct Busy<'s> {
    recent: &'s mut Recent,
    products: &'s mut Products,
    /// To be left by the batch under way.
    left: &'s Left,
    /// For a batch that cannot be begun yet.
    recalled: &'s mut Recalled,
    begun: Option<Box<Begun>>,
}

impl<'s> Busy<'s> {
    pub(super) fn new(
        recent: &'s mut Recent,
        products: &'s mut Products,
        left: &'s Left,
        recalled: &'s mut Recalled,
    ) -> Self {
        Self { recent, products, left, recalled, begun: None }
    }

    /// The batch that was begun, if one was.
    pub(super) async fn look(mut self, look: LookAhead<'_>) -> Option<Box<Begun>> {
        look.when.await;
        (look.what)(&mut self);
        self.begun
    }
}

impl Ahead for Busy<'_> {
    fn begin(&mut self, batch: BatchId, footprint: &Footprint) -> Option<Locked> {
        let recalled = Recalled::of(footprint.orders.clone(), self.recent);
        let Some((mut locked, presumption)) =
            self.products.presume_after(self.left, batch, footprint, &recalled)
        else {
            *self.recalled = recalled;
            return None;
        };
        locked.reservations = recalled.seen.reservations;
        self.begun = Some(Begun::new(presumption, recalled.seen.versions));
        Some(locked)
    }

    fn prepare(&mut self, effects: &Effects) {
        let Some(begun) = &mut self.begun else { return };
        if begun.presumption.batch == effects.journal.batch {
            // What cannot be sent says so when it is to be.
            let _later = begun.make_ready(effects);
        }
    }
}

/// Drives to its end what was polled `first` to be sent; `ahead`, too, as far as it comes meanwhile.
pub(super) async fn meanwhile<T, U>(
    first: Poll<T>,
    sent: Pin<&mut impl Future<Output = T>>,
    ahead: impl Future<Output = Option<U>>,
) -> (T, Option<U>) {
    let mut sent = match first {
        Poll::Ready(answer) => return (answer, None),
        Poll::Pending => sent,
    };
    tokio::select! {
        biased;
        answer = sent.as_mut() => (answer, None),
        done = ahead => (sent.await, done),
    }
}
