//! What a change to orders is: what it has to see, and what it decides on it.

use tokio::sync::oneshot;
use uuid::Uuid;

use super::facts::Facts;
use super::writes::Writes;
use crate::store::{ApplyError, StoreOptions};

/// Something to be done to one order, decided on rows that are locked and written together with other orders' changes.
pub(in crate::store) trait Change: Send + Sync + 'static {
    /// What the caller is told once everything is durable.
    type Answer: Send + Sync + 'static;

    /// What has to be locked and read for it.
    fn need(&self) -> Need;

    /// Decides; nothing else. An error leaves this change out, and the others go on without it. It may be asked again, on newer facts.
    fn decide(
        &self,
        facts: &Facts,
        options: &StoreOptions,
        writes: &mut Writes,
    ) -> Result<Self::Answer, ApplyError>;
}

/// What a change has to see.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(in crate::store) struct Need {
    /// The order's row, locked.
    pub(in crate::store) order: Option<Uuid>,
    /// Who holds the leases of its calls, locked.
    pub(in crate::store) leases: bool,
    /// Its timer.
    pub(in crate::store) timer: bool,
    /// A key, to be taken for a new order.
    pub(in crate::store) key: Option<Key>,
    /// An order whose key is to be given back.
    pub(in crate::store) given_back: Option<Uuid>,
    /// A message, to be taken note of.
    pub(in crate::store) message: Option<Message>,
}

/// A caller's key, and the order it is to stand for.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub(in crate::store) struct Key {
    pub(in crate::store) user: String,
    pub(in crate::store) key: String,
    pub(in crate::store) fingerprint: String,
    pub(in crate::store) order: Uuid,
}

/// An event's delivery, and the money fact that it tells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::store) struct Message {
    pub(in crate::store) id: String,
    pub(in crate::store) money: Option<Money>,
}

impl Key {
    /// The user's and the key's own.
    pub(in crate::store) fn name(&self) -> (String, String) {
        (self.user.clone(), self.key.clone())
    }
}

/// An outcome of a payment: it counts once, under whatever event's id it comes.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub(in crate::store) struct Money {
    pub(in crate::store) payment: Uuid,
    pub(in crate::store) outcome: String,
    pub(in crate::store) event: String,
}

impl Need {
    /// Whether looking at its facts writes something: a change that fails afterwards has to be rolled back.
    pub(super) fn takes_something(&self) -> bool {
        self.key.is_some() || self.given_back.is_some() || self.message.is_some()
    }

    /// Whether both cannot stand in one batch: the second has to be decided on what the first has written.
    pub(super) fn meets(&self, other: &Self) -> bool {
        let same_key = || match (&self.key, &other.key) {
            (Some(one), Some(two)) => one.user == two.user && one.key == two.key,
            _ => false,
        };
        let same = |one: Option<Uuid>, two| one.is_some() && one == two;
        same(self.order, other.order) || same(self.given_back, other.given_back) || same_key()
    }
}

/// A change and whoever waits for its answer, without their types.
pub(super) trait Job: Send + Sync {
    fn need(&self) -> &Need;

    /// Decides and keeps the answer. False: it failed, and nothing may be written for it.
    fn decide(&mut self, facts: &Facts, options: &StoreOptions, writes: &mut Writes) -> bool;

    /// Tells what was decided.
    fn tell(self: Box<Self>);

    /// Tells why nothing came of it.
    fn fail(self: Box<Self>, error: ApplyError);
}

/// See [`Job`].
pub(super) struct Waiting<C: Change> {
    change: C,
    need: Need,
    answer: Option<Result<C::Answer, ApplyError>>,
    caller: oneshot::Sender<Result<C::Answer, ApplyError>>,
}

impl<C: Change> Waiting<C> {
    pub(super) fn new(change: C) -> (Self, oneshot::Receiver<Result<C::Answer, ApplyError>>) {
        let (caller, told) = oneshot::channel();
        (Self { need: change.need(), change, answer: None, caller }, told)
    }
}

impl<C: Change> Job for Waiting<C> {
    fn need(&self) -> &Need {
        &self.need
    }

    fn decide(&mut self, facts: &Facts, options: &StoreOptions, writes: &mut Writes) -> bool {
        let mut own = Writes::default();
        let answer = self.change.decide(facts, options, &mut own);
        let is_ok = answer.is_ok();
        if is_ok {
            writes.append(own);
        }
        self.answer = Some(answer);
        is_ok
    }

    // A caller that went away is told nothing; what was decided stands.
    fn tell(self: Box<Self>) {
        let answer = self.answer.unwrap_or(Err(ApplyError::Sql(sqlx::Error::WorkerCrashed)));
        let _ = self.caller.send(answer);
    }

    fn fail(self: Box<Self>, error: ApplyError) {
        let _ = self.caller.send(Err(error));
    }
}
