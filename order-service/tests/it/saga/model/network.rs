//! What can happen next, and what it leads to: the model that stateright explores.

use order_service::saga::{Action, Mode, Saga};
use stateright::{Model, Property};

use super::automaton::{Automaton, Rules};
use super::bits::Bits;
use super::outside::Money;
use super::said::{Fact, Said};
use super::state::{Past, Quiet, State};
use super::{goals, rules};
use crate::saga::fakes::Hold;
use crate::saga::world::Told;

/// What fate, time or people do next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Move {
    /// A call reaches the other side, whether anybody waits for its answer or not.
    Execute {
        call: Action,
        is_free: bool,
    },
    /// An answer is heard, or an event again.
    Hear(Fact),
    /// An event is heard for the first time.
    HearEvent(Fact),
    /// Another service consumes what the order told.
    Consume {
        told: Told,
        is_free: bool,
    },
    Approve,
    Decline,
    Refunded {
        is_told: bool,
    },
    /// The provider gives the money back without being asked.
    ChargeBack,
    Expire,
    /// The services are started again with the other `SAGA_MODE`; orders keep theirs.
    Switch,
    /// Time or somebody says it.
    Say(Said),
    /// An operator did by hand what this action was for, and says so.
    ByHand(Action),
    /// From now on nothing is lost, doubled or overtaken.
    BeQuiet {
        is_silent: bool,
    },
    /// In quiet time: a call and its answer.
    Call {
        action: Action,
        is_free: bool,
    },
}

/// The model of one order.
#[derive(Debug)]
pub(super) struct Order {
    mode: Mode,
    /// The services may be started again with the other `SAGA_MODE`.
    switches: bool,
    automaton: Automaton,
}

impl Order {
    pub(super) fn new(rules: &Rules, mode: Mode) -> Self {
        Self { mode, switches: false, automaton: Automaton::of(rules, mode) }
    }

    pub(super) fn with_switches(self, switches: bool) -> Self {
        Self { switches, ..self }
    }

    pub(super) fn saga(&self, state: &State) -> &Saga {
        self.automaton.saga(state.saga)
    }

    pub(super) fn automaton(&self) -> &Automaton {
        &self.automaton
    }

    pub(super) fn outstanding(&self, state: &State) -> Bits<Action> {
        self.automaton.outstanding(state.saga)
    }

    /// Nothing moves any more by itself.
    pub(super) fn is_at_rest(&self, state: &State) -> bool {
        if state.quiet.is_none() {
            return false;
        }
        let mut moves = Vec::new();
        self.actions(state, &mut moves);
        moves.into_iter().all(|step| self.next_state(state, step).is_none())
    }

    fn noisy_moves(&self, state: &State, moves: &mut Vec<Move>) {
        for call in state.calls.iter() {
            moves.extend(luck(state, call).map(|is_free| Move::Execute { call, is_free }));
        }
        moves.extend(state.said.iter().map(Move::Hear));
        for told in state.told.iter().filter(|told| state.is_consumed(*told)) {
            moves.extend(luck_of(state, told).map(|is_free| Move::Consume { told, is_free }));
        }
        match state.money {
            // A provider may think better of it.
            Money::Declined => moves.push(Move::Approve),
            Money::Charged => moves.push(Move::ChargeBack),
            Money::Unknown | Money::Pending | Money::Refunding | Money::Refunded => {}
        }
        if state.stock.hold == Hold::Held {
            moves.push(Move::Expire);
        }
        let outstanding = self.outstanding(state);
        if outstanding.has(Action::ReserveInventory) {
            moves.push(Move::Say(Said::ReserveGaveUp));
        }
        moves.extend([Said::Cancel, Said::Ship, Said::Deliver, Said::Abandon].map(Move::Say));
        for action in outstanding.iter() {
            moves.extend([Move::Say(Said::Failing(action)), Move::ByHand(action)]);
        }
        if self.switches {
            moves.push(Move::Switch);
        }
        moves.extend([true, false].map(|is_silent| Move::BeQuiet { is_silent }));
    }

    fn quiet_moves(&self, state: &State, moves: &mut Vec<Move>) {
        for action in self.outstanding(state).iter() {
            moves.extend(luck(state, action).map(|is_free| Move::Call { action, is_free }));
        }
        for told in state.due.iter() {
            moves.extend(luck_of(state, told).map(|is_free| Move::Consume { told, is_free }));
        }
    }

    /// What happens by itself, sooner or later, at any time.
    fn own_moves(&self, state: &State, moves: &mut Vec<Move>) {
        moves.extend(state.owed.iter().map(Move::HearEvent));
        let is_silent = state.quiet.is_some_and(|quiet| quiet.is_silent);
        match state.money {
            Money::Pending if !is_silent => moves.extend([Move::Approve, Move::Decline]),
            Money::Refunding => moves.extend([true, false].map(|is_told| Move::Refunded { is_told })),
            Money::Unknown | Money::Pending | Money::Declined | Money::Charged | Money::Refunded => {}
        }
        moves.push(Move::Say(Said::Deadline));
    }

    fn after(&self, before: &State, step: Move) -> Option<State> {
        let mut state = *before;
        match step {
            Move::Execute { call, is_free } => {
                state.execute(call, is_free).into_iter().for_each(|fact| state.said.insert(fact));
            }
            Move::Hear(fact) => state = self.hear(state, Said::Fact(fact)),
            Move::HearEvent(fact) => {
                state.owed.remove(fact);
                state = self.hear(state, Said::Fact(fact));
            }
            Move::Consume { told, is_free } => {
                state.due.remove(told);
                state.consume(told, is_free);
            }
            Move::Approve => state.approve(),
            Move::Decline => state.decline(),
            Move::Refunded { is_told } => state.refunded(is_told),
            Move::ChargeBack => {
                state.past.insert(Past::ChargedBack);
                state.refunded(true);
            }
            Move::Expire => state.expire(),
            Move::Switch => state.is_unled = !state.is_unled,
            Move::Say(said) => state = self.hear(state, said),
            Move::ByHand(action) => state = self.hear(state.by_hand(action)?, Said::Skip(action)),
            Move::BeQuiet { is_silent } => {
                state.quiet = Some(Quiet { is_silent, steps: 0 });
            }
            Move::Call { action, is_free } => {
                let answer = state.execute(action, is_free)?;
                state = self.hear(state, Said::Fact(answer));
            }
        }
        self.forget(&mut state);
        Some(state)
    }

    /// What can make no difference any more is not kept apart (`what_is_forgotten_changes_nothing_now_or_later`).
    fn forget(&self, state: &mut State) {
        let alive = self.automaton.alive(state.saga);
        state.owed = state.owed.and(alive);
        state.said = state.said.and(alive);
        if state.quiet.is_some() {
            (state.calls, state.said, state.told) = (Bits::NONE, Bits::NONE, Bits::NONE);
            state.due = state.due.iter().filter(|told| state.is_consumed(*told)).collect();
        }
    }
}

/// Whether there is stock, where that is asked.
fn luck(state: &State, call: Action) -> impl Iterator<Item = bool> + use<> {
    let is_asked = match call {
        Action::ReserveInventory => state.stock.hold == Hold::Unknown,
        Action::CommitInventory => state.stock.hold == Hold::Expired,
        Action::ReleaseInventory
        | Action::RestockInventory
        | Action::ProcessPayment
        | Action::AskPayment
        | Action::RefundPayment => false,
    };
    [false, true].into_iter().take(1 + usize::from(is_asked))
}

fn luck_of(state: &State, told: Told) -> impl Iterator<Item = bool> + use<> {
    let is_asked = match told {
        Told::CreatedToInventory => true,
        Told::ConfirmedToInventory => state.stock.hold == Hold::Expired,
        Told::CreatedToPayment | Told::EndedToInventory => false,
    };
    [false, true].into_iter().take(1 + usize::from(is_asked))
}

impl Model for Order {
    type State = State;
    type Action = Move;

    fn init_states(&self) -> Vec<State> {
        let mut state = State::blank();
        let first = self.automaton.first;
        state.saga = first.to;
        self.carry_out(&mut state, first.starts, first.publishes);
        state.told = [Told::CreatedToInventory, Told::CreatedToPayment].into_iter().collect();
        state.due = state.told;
        if self.mode == Mode::Choreography {
            state.is_unled = true;
            state.past.insert(Past::Asked);
        }
        vec![state]
    }

    fn actions(&self, state: &State, moves: &mut Vec<Move>) {
        if state.blame.is_some() {
            return;
        }
        self.own_moves(state, moves);
        if state.quiet.is_some() {
            self.quiet_moves(state, moves);
        } else {
            self.noisy_moves(state, moves);
        }
    }

    fn next_state(&self, before: &State, step: Move) -> Option<State> {
        let mut after = self.after(before, step)?;
        if after == *before {
            return None;
        }
        if let (Some(_), Some(quiet)) = (before.quiet, after.quiet.as_mut()) {
            quiet.steps += 1;
        }
        Some(after)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        rules::all().into_iter().chain(goals::all(self.mode)).collect()
    }
}
