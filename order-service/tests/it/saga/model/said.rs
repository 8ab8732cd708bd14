//! The saga's inputs without their words: a number each, so that a state of the model stays small.

use std::mem::discriminant;

use order_service::saga::{Action, Input, Saga};

use super::bits::Element;

/// What another service says to an order, by an answer or by an event.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Fact {
    Reserved,
    ReserveRefused,
    StockCommitted,
    CommitLost,
    StockReleased,
    ReservationExpired,
    Restocked,
    PaymentAccepted,
    PaymentSucceeded,
    PaymentDeclined,
    PaymentUnknown,
    PaymentRefunded,
}

impl Element for Fact {
    const ALL: &'static [Self] = &[
        Self::Reserved,
        Self::ReserveRefused,
        Self::StockCommitted,
        Self::CommitLost,
        Self::StockReleased,
        Self::ReservationExpired,
        Self::Restocked,
        Self::PaymentAccepted,
        Self::PaymentSucceeded,
        Self::PaymentDeclined,
        Self::PaymentUnknown,
        Self::PaymentRefunded,
    ];

    fn place(self) -> usize {
        self as usize
    }
}

impl Fact {
    fn input(self) -> Input {
        let reason = || "why".to_owned();
        match self {
            Self::Reserved => Input::Reserved,
            Self::ReserveRefused => Input::ReserveRefused { reason: reason() },
            Self::StockCommitted => Input::StockCommitted,
            Self::CommitLost => Input::CommitLost,
            Self::StockReleased => Input::StockReleased,
            Self::ReservationExpired => Input::ReservationExpired,
            Self::Restocked => Input::Restocked,
            Self::PaymentAccepted => Input::PaymentAccepted,
            Self::PaymentSucceeded => Input::PaymentSucceeded,
            Self::PaymentDeclined => Input::PaymentDeclined { reason: reason() },
            Self::PaymentUnknown => Input::PaymentUnknown,
            Self::PaymentRefunded => Input::PaymentRefunded,
        }
    }

    /// What the fake said.
    pub(super) fn of(input: &Input) -> Self {
        let is_meant = |fact: &&Self| discriminant(&fact.input()) == discriminant(input);
        *Self::ALL.iter().find(is_meant).expect("the other services say nothing but facts")
    }
}

/// Everything that an order can hear.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Said {
    Fact(Fact),
    ReserveGaveUp,
    Deadline,
    Cancel,
    Ship,
    Deliver,
    Abandon,
    Failing(Action),
    Skip(Action),
}

/// How many there are.
pub(super) const KINDS: usize = 18 + 2 * Action::ALL.len();

impl Said {
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let facts = Fact::ALL.iter().copied().map(Self::Fact);
        let others =
            [Self::ReserveGaveUp, Self::Deadline, Self::Cancel, Self::Ship, Self::Deliver, Self::Abandon];
        let of_actions = |of: fn(Action) -> Self| Action::ALL.into_iter().map(of);
        facts.chain(others).chain(of_actions(Self::Failing)).chain(of_actions(Self::Skip))
    }

    /// Its place in `all`.
    pub(super) fn place(self) -> usize {
        let actions = Action::ALL.len();
        match self {
            Self::Fact(fact) => fact.place(),
            Self::ReserveGaveUp => 12,
            Self::Deadline => 13,
            Self::Cancel => 14,
            Self::Ship => 15,
            Self::Deliver => 16,
            Self::Abandon => 17,
            Self::Failing(action) => 18 + action.place(),
            Self::Skip(action) => 18 + actions + action.place(),
        }
    }

    /// As this saga hears it. A deadline that no longer runs is heard as a stale one.
    pub(super) fn input(self, saga: &Saga) -> Input {
        let reason = || "why".to_owned();
        match self {
            Self::Fact(fact) => fact.input(),
            Self::ReserveGaveUp => Input::ReserveGaveUp { reason: reason() },
            Self::Deadline => {
                Input::PaymentDeadline { set_at_version: saga.payment_timer.unwrap_or(saga.version) }
            }
            Self::Cancel => Input::Cancel { reason: None },
            Self::Ship => Input::Ship { tracking_number: "parcel".to_owned() },
            Self::Deliver => Input::Deliver,
            Self::Abandon => Input::Abandon { reason: reason() },
            Self::Failing(action) => Input::ActionFailing { action, attempts: 10, error: reason() },
            Self::Skip(action) => Input::Skip { action, reason: reason() },
        }
    }
}

#[test]
fn every_kind_of_input_has_its_place() {
    let places: Vec<usize> = Said::all().map(Said::place).collect();
    assert_eq!(places, (0..KINDS).collect::<Vec<_>>());
}
