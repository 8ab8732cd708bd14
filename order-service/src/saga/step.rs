//! The two functions that everything else is behind.

use std::collections::BTreeSet;

use super::change::Change;
use super::{
    Action, Cell, DEFINITION, EventKind, Input, Mode, OrderStatus, PaymentStatus, Phase, Saga, Step,
    StockStatus,
};
use super::{committing, fulfilled, paying, reserving, undoing};

/// A new order: PENDING. Orchestrated, the reserve is the first call; choreographed, `order.created` sets off reservation and payment
/// beside each other, and the deadline runs from now.
pub fn begin(mode: Mode) -> Step {
    let blank = Saga {
        definition: DEFINITION,
        mode,
        version: 0,
        phase: Phase::Reserving,
        status: OrderStatus::Pending,
        stock: StockStatus::Requested,
        payment: PaymentStatus::None,
        outstanding: BTreeSet::new(),
        payment_timer: None,
        tracking_number: None,
        reason: None,
        is_stuck: false,
    };
    let created = Change::of(&blank).publish(EventKind::Created);
    match mode {
        Mode::Orchestration => {
            created.start(Action::ReserveInventory).end(Cell::Apply, "placed; the stock is asked for")
        }
        Mode::Choreography => created
            .payment(PaymentStatus::Requested)
            .start_timer()
            .end(Cell::Apply, "placed; stock and money are asked for by the event"),
    }
}

/// What an input means to a saga. Pure and total: the same two always give the same answer, and every two give one.
pub fn step(saga: &Saga, input: &Input) -> Step {
    if saga.definition > DEFINITION {
        return Change::of(saga)
            .end(Cell::Newer, "a newer definition wrote this saga; newer code must go on with it");
    }
    match saga.phase {
        Phase::Reserving => reserving::step(saga, input),
        Phase::Paying => paying::step(saga, input),
        Phase::Committing => committing::step(saga, input),
        Phase::Confirmed => fulfilled::confirmed(saga, input),
        Phase::Shipped => fulfilled::shipped(saga, input),
        Phase::Delivered => fulfilled::settled(saga, input),
        Phase::Compensating | Phase::Ended => undoing::step(saga, input),
    }
}
