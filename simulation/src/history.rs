//! What callers asked for and what they heard.

use std::sync::Arc;

use inventory_core::command::{Adjust, SetStock};
use inventory_core::engine::{Engine, ReserveRequest};
use inventory_core::error::{
    AdjustError, CommitError, ExtendError, Failure, ReleaseError, ReserveError, SetError,
};
use inventory_core::ids::{Delivery, OrderId};
use inventory_core::lines::Lines;
use inventory_core::outcome::{Adjusted, Reserved, StockSet};
use inventory_core::reservation::Reservation;
use parking_lot::Mutex;
use tokio::time::Instant;

/// A request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Asked {
    /// [`Engine::reserve`].
    Reserve(ReserveRequest),
    /// [`Engine::commit`].
    Commit(OrderId, Option<Lines>),
    /// [`Engine::release`].
    Release(OrderId, Option<Lines>, Option<Delivery>),
    /// [`Engine::extend`].
    Extend(OrderId, std::time::Duration),
    /// [`Engine::adjust`].
    Adjust(Adjust),
    /// [`Engine::set`].
    Set(SetStock),
}

/// What was heard.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Heard {
    /// To a reserve.
    Reserve(Result<Reserved, ReserveError>),
    /// To a commit.
    Commit(Result<Reservation, CommitError>),
    /// To a release.
    Release(Result<Reservation, ReleaseError>),
    /// To an extend.
    Extend(Result<Reservation, ExtendError>),
    /// To an adjust.
    Adjust(Result<Adjusted, AdjustError>),
    /// To a set.
    Set(Result<StockSet, SetError>),
    /// Nothing: the caller went away, or the engine died.
    Nothing,
}

/// How a request ended for its caller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// It took effect, now or before.
    Yes,
    /// It had no effect and never will.
    No,
    /// Either.
    Unknown,
}

impl Asked {
    /// Asks an engine.
    pub(crate) async fn of(self, engine: Engine) -> Heard {
        match self {
            Self::Reserve(request) => Heard::Reserve(engine.reserve(request).await),
            Self::Commit(order, items) => Heard::Commit(engine.commit(order, items, None).await),
            Self::Release(order, items, delivery) => {
                Heard::Release(engine.release(order, items, None, delivery).await)
            }
            Self::Extend(order, ttl) => Heard::Extend(engine.extend(order, ttl).await),
            Self::Adjust(adjust) => Heard::Adjust(engine.adjust(adjust).await),
            Self::Set(set) => Heard::Set(engine.set(set).await),
        }
    }

    /// The order concerned, if any.
    pub fn order(&self) -> Option<OrderId> {
        match self {
            Self::Reserve(request) => Some(request.order),
            Self::Commit(order, _) | Self::Release(order, ..) | Self::Extend(order, _) => Some(*order),
            Self::Adjust(_) | Self::Set(_) => None,
        }
    }
}

impl Heard {
    /// Why the engine could not say yes or no, if so.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Reserve(Err(ReserveError::Failed(failure)))
            | Self::Commit(Err(CommitError::Failed(failure)))
            | Self::Release(Err(ReleaseError::Failed(failure)))
            | Self::Extend(Err(ExtendError::Failed(failure)))
            | Self::Adjust(Err(AdjustError::Failed(failure)))
            | Self::Set(Err(SetError::Failed(failure))) => Some(failure),
            _ => None,
        }
    }

    /// How it ended.
    pub fn ending(&self) -> Ending {
        let is_yes = match self {
            Self::Nothing => return Ending::Unknown,
            _ if self.failure() == Some(&Failure::OutcomeUnknown) => return Ending::Unknown,
            Self::Reserve(said) => said.is_ok(),
            Self::Commit(said) => said.is_ok(),
            Self::Release(said) => said.is_ok(),
            Self::Extend(said) => said.is_ok(),
            Self::Adjust(said) => said.is_ok(),
            Self::Set(said) => said.is_ok(),
        };
        if is_yes { Ending::Yes } else { Ending::No }
    }

    /// Whether asking again may help.
    pub fn is_worth_repeating(&self) -> bool {
        *self == Self::Nothing
            || self.failure().is_some_and(|failure| failure.is_transient() || *failure == Failure::Stopped)
    }
}

/// One request from the call to the answer.
#[derive(Clone, Debug)]
pub struct Op {
    /// Who asked.
    pub caller: u32,
    /// Whom.
    pub process: u32,
    /// When.
    pub begun: Instant,
    /// When the answer came, or the caller gave up.
    pub ended: Instant,
    /// What.
    pub asked: Asked,
    /// The answer.
    pub heard: Heard,
    /// Whether the engine made somebody wait for takes in flight meanwhile.
    pub waited: bool,
}

/// All requests, in the order in which they ended. Cheap to clone; clones are the same history.
#[derive(Clone, Debug, Default)]
pub struct History(Arc<Mutex<Vec<Op>>>);

impl History {
    /// Adds one.
    pub fn note(&self, op: Op) {
        self.0.lock().push(op);
    }

    /// All so far.
    pub fn ops(&self) -> Vec<Op> {
        self.0.lock().clone()
    }
}
