//! What a saga makes of what it hears, what that sets off, and steps that must never be taken.

use order_service::saga::{Action, OrderStatus};

use super::bits::Bits;
use super::network::Order;
use super::said::{Fact, Said};
use super::state::{Blame, Past, State};
use crate::saga::world::Told;

impl Order {
    /// The shell's one way to change an order.
    pub(super) fn hear(&self, mut state: State, said: Said) -> State {
        let consequence = self.automaton().hear(state.saga, said);
        let before = self.saga(&state).status;
        state.saga = consequence.to;
        let after = self.saga(&state).status;
        state.blame = state
            .blame
            .or_else(|| blame_for_actions(&state, consequence.starts))
            .or_else(|| blame_for_words(&state, consequence.publishes))
            .or_else(|| is_turned_back(before, after).then_some(Blame::TurnedBack))
            .or_else(|| is_false_alarm(&state, said, consequence.alarms).then_some(Blame::FalseAlarm));
        self.carry_out(&mut state, consequence.starts, consequence.publishes);
        state
    }

    pub(super) fn carry_out(&self, state: &mut State, starts: Bits<Action>, publishes: Bits<Past>) {
        state.calls = state.calls.or(starts);
        state.past = state.past.or(publishes);
        if starts.has(Action::ProcessPayment) {
            state.past.insert(Past::Asked);
        }
        let told: Bits<Told> = publishes
            .iter()
            .filter_map(|word| match word {
                Past::Confirmed => Some(Told::ConfirmedToInventory),
                Past::Ended => Some(Told::EndedToInventory),
                Past::Shipped | Past::Asked | Past::ChargedBack => None,
            })
            .collect();
        state.told = state.told.or(told);
        state.due = state.due.or(told);
    }
}

fn blame_for_actions(state: &State, starts: Bits<Action>) -> Option<Blame> {
    if starts.has(Action::ProcessPayment) && state.past.has(Past::Asked) {
        return Some(Blame::AskedTwice);
    }
    if starts.has(Action::CommitInventory) && !state.was_paid() {
        return Some(Blame::CommittedUnpaid);
    }
    (starts.has(Action::RefundPayment) && !state.was_paid()).then_some(Blame::RefundedNothing)
}

fn blame_for_words(state: &State, publishes: Bits<Past>) -> Option<Blame> {
    let (was_ended, was_confirmed) = (state.past.has(Past::Ended), state.past.has(Past::Confirmed));
    if publishes.has(Past::Ended) && was_ended {
        return Some(Blame::EndedTwice);
    }
    if publishes.has(Past::Confirmed) && was_confirmed {
        return Some(Blame::ConfirmedTwice);
    }
    let goes_on = publishes.has(Past::Confirmed) || publishes.has(Past::Shipped);
    (goes_on && was_ended).then_some(Blame::ConfirmedAfterItsEnd)
}

/// An end is an end, and what left does not come back.
fn is_turned_back(before: OrderStatus, after: OrderStatus) -> bool {
    match before {
        OrderStatus::Cancelled | OrderStatus::PaymentFailed | OrderStatus::Delivered => after != before,
        OrderStatus::Shipped => !matches!(after, OrderStatus::Shipped | OrderStatus::Delivered),
        OrderStatus::Confirmed => matches!(after, OrderStatus::Pending | OrderStatus::AwaitingPayment),
        OrderStatus::AwaitingPayment => after == OrderStatus::Pending,
        OrderStatus::Pending => false,
    }
}

/// Alarms are for calls that keep failing, for money that is charged back after the goods left, and for contradictions. Nobody here
/// contradicts themselves.
fn is_false_alarm(state: &State, said: Said, alarms: bool) -> bool {
    let is_told = matches!(said, Said::Failing(_));
    let is_charged_back = state.past.has(Past::ChargedBack) && state.past.has(Past::Shipped);
    alarms && !is_told && !(is_charged_back && said == Said::Fact(Fact::PaymentRefunded))
}
