//! Random worlds: whatever is lost, doubled, delayed or reordered, an order ends confirmed or fully compensated.

use order_service::saga::{Action, Cell, Input, Mode};
use proptest::prelude::{ProptestConfig, any, proptest};
use proptest::strategy::{Just, Strategy};
use proptest::{collection, prop_oneof};

use super::fakes::Method;
use super::world::World;

/// What fate does next. The number picks one of what there is.
#[derive(Clone, Copy, Debug)]
enum Move {
    /// A worker sends the request of something outstanding.
    Send(usize),
    /// A request is executed and its answer is on its way.
    Execute(usize),
    /// A request is executed and its answer is lost.
    ExecuteMutely(usize),
    /// A request is executed, and stays in the network to be executed again.
    ExecuteTwice(usize),
    /// A request is lost.
    LoseRequest(usize),
    /// An answer arrives, whether anybody still wants it or not.
    Answer(usize),
    /// An event arrives, in any order.
    Event(usize),
    /// An event arrives, and will arrive again.
    EventTwice(usize),
    /// Another service consumes what the order told.
    Consume(usize),
    /// …and will again.
    ConsumeTwice(usize),
    Decide,
    Expire(bool),
    Timer(usize),
    StaleTimer,
    Crash,
    GiveUpReserve,
    Failing(usize),
    Cancel,
    Ship,
    Deliver,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        8 => any::<usize>().prop_map(Move::Send),
        6 => any::<usize>().prop_map(Move::Execute),
        2 => any::<usize>().prop_map(Move::ExecuteMutely),
        2 => any::<usize>().prop_map(Move::ExecuteTwice),
        1 => any::<usize>().prop_map(Move::LoseRequest),
        6 => any::<usize>().prop_map(Move::Answer),
        5 => any::<usize>().prop_map(Move::Event),
        2 => any::<usize>().prop_map(Move::EventTwice),
        4 => any::<usize>().prop_map(Move::Consume),
        2 => any::<usize>().prop_map(Move::ConsumeTwice),
        6 => Just(Move::Decide),
        1 => any::<bool>().prop_map(Move::Expire),
        1 => any::<usize>().prop_map(Move::Timer),
        1 => Just(Move::StaleTimer),
        2 => Just(Move::Crash),
        1 => Just(Move::GiveUpReserve),
        1 => any::<usize>().prop_map(Move::Failing),
        1 => Just(Move::Cancel),
        1 => Just(Move::Ship),
        1 => Just(Move::Deliver),
    ];
    collection::vec(one, 0..60)
}

fn methods() -> impl Strategy<Value = Method> {
    prop_oneof![
        3 => Just(Method::Approve),
        1 => Just(Method::Decline),
        1 => Just(Method::Silent),
        1 => Just(Method::DeclineThenApprove),
    ]
}

fn modes() -> impl Strategy<Value = Mode> {
    prop_oneof![Just(Mode::Orchestration), Just(Mode::Choreography)]
}

impl World {
    fn befall(&mut self, fate: Move) {
        match fate {
            Move::Send(pick) => {
                let outstanding: Vec<Action> = self.saga.outstanding.iter().copied().collect();
                self.requests.extend(nth(&outstanding, pick));
            }
            Move::Execute(pick) => {
                if let Some(action) = take(&mut self.requests, pick) {
                    let answer = self.execute(action);
                    self.answers.extend(answer);
                }
            }
            Move::ExecuteMutely(pick) => {
                if let Some(action) = take(&mut self.requests, pick) {
                    self.execute(action);
                }
            }
            Move::ExecuteTwice(pick) => {
                if let Some(action) = nth(&self.requests, pick) {
                    let answer = self.execute(action);
                    self.answers.extend(answer);
                }
            }
            Move::LoseRequest(pick) => {
                take(&mut self.requests, pick);
            }
            Move::Answer(pick) => {
                if let Some(answer) = take(&mut self.answers, pick) {
                    self.apply(answer);
                }
            }
            Move::Event(pick) => {
                if let Some(event) = take(&mut self.events, pick) {
                    self.apply(event);
                }
            }
            Move::EventTwice(pick) => {
                if let Some(event) = nth(&self.events, pick) {
                    self.apply(event);
                }
            }
            Move::Consume(pick) => {
                if let Some(told) = take(&mut self.told, pick) {
                    self.consume(told);
                }
            }
            Move::ConsumeTwice(pick) => {
                if let Some(told) = nth(&self.told, pick) {
                    self.consume(told);
                }
            }
            Move::Decide => self.decide(),
            Move::Expire(stays_available) => self.expire(stays_available),
            Move::Timer(pick) => {
                if let Some(set_at_version) = take(&mut self.timers, pick) {
                    self.apply(Input::PaymentDeadline { set_at_version });
                }
            }
            Move::StaleTimer => {
                let set_at_version = self.saga.version + 1;
                assert_eq!(self.apply(Input::PaymentDeadline { set_at_version }).cell, Cell::Duplicate);
            }
            Move::Crash => self.crash(),
            Move::GiveUpReserve => {
                if self.saga.outstanding.contains(&Action::ReserveInventory) {
                    self.apply(Input::ReserveGaveUp { reason: "timeout".to_owned() });
                }
            }
            Move::Failing(pick) => {
                if let Some(action) = nth(&Action::ALL, pick) {
                    self.apply(Input::ActionFailing { action, attempts: 10, error: "503".to_owned() });
                }
            }
            Move::Cancel => {
                self.apply(Input::Cancel { reason: None });
            }
            Move::Ship => {
                self.apply(Input::Ship { tracking_number: "parcel".to_owned() });
            }
            Move::Deliver => {
                self.apply(Input::Deliver);
            }
        }
    }

    /// Alarms are for contradictions and for calls that keep failing. A world that only loses, doubles and delays has no contradictions.
    fn assert_no_false_alarm(&self) {
        let is_false = |(input, cell): &&(Input, Cell)| {
            *cell == Cell::Alarm && !matches!(input, Input::ActionFailing { .. })
        };
        assert_eq!(self.log.iter().find(is_false), None, "{self:#?}");
    }
}

fn nth<T: Clone>(all: &[T], pick: usize) -> Option<T> {
    if all.is_empty() { None } else { all.get(pick % all.len()).cloned() }
}

fn take<T>(all: &mut Vec<T>, pick: usize) -> Option<T> {
    if all.is_empty() { None } else { Some(all.remove(pick % all.len())) }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn i13_every_order_ends_confirmed_or_fully_compensated(
        mode in modes(), method in methods(), is_available in any::<bool>(), fates in moves(),
    ) {
        let mut world = World::new(mode, method, is_available);
        for fate in fates {
            world.befall(fate);
        }
        let world = world.ends_well();
        world.assert_no_false_alarm();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn i13_an_order_recovers_from_every_prefix_of_its_log(
        mode in modes(), method in methods(), is_available in any::<bool>(), fates in moves(),
    ) {
        let mut world = World::new(mode, method, is_available);
        for fate in fates {
            world.befall(fate);
            let mut survivor = world.clone();
            survivor.crash();
            survivor.ends_well();
        }
    }
}
