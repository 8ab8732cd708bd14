//! The saga with one ear closed: in one phase it does not hear one kind of fact, as if that cell had been forgotten.

use order_service::saga::{Cell, Input, Mode, Phase, Saga, Step, step};
use stateright::{Checker as _, HasDiscoveries, Model as _};

use super::network::Order;
use super::said::{Fact, Said};

/// What no phase may miss: wherever it is not heard, a rule is broken. What is not here is a wish, or is made up for by something else (a
/// call by the event that says the same, a release by `order.cancelled`), or is never heard in that phase.
const NEEDED: [(Phase, &[Said]); 6] = [
    (
        Phase::Reserving,
        &[
            Said::Fact(Fact::Reserved),
            Said::Fact(Fact::ReserveRefused),
            Said::Fact(Fact::PaymentSucceeded),
            Said::Fact(Fact::PaymentRefunded),
            Said::Deadline,
        ],
    ),
    (
        Phase::Paying,
        &[
            Said::Fact(Fact::PaymentAccepted),
            Said::Fact(Fact::PaymentSucceeded),
            Said::Fact(Fact::PaymentDeclined),
            Said::Fact(Fact::PaymentUnknown),
            Said::Fact(Fact::PaymentRefunded),
            Said::Deadline,
        ],
    ),
    (
        Phase::Committing,
        &[Said::Fact(Fact::StockCommitted), Said::Fact(Fact::CommitLost), Said::Fact(Fact::PaymentRefunded)],
    ),
    (Phase::Confirmed, &[Said::Fact(Fact::PaymentRefunded)]),
    (
        Phase::Compensating,
        &[
            Said::Fact(Fact::StockCommitted),
            Said::Fact(Fact::StockReleased),
            Said::Fact(Fact::Restocked),
            Said::Fact(Fact::PaymentAccepted),
            Said::Fact(Fact::PaymentSucceeded),
            Said::Fact(Fact::PaymentDeclined),
            Said::Fact(Fact::PaymentUnknown),
            Said::Fact(Fact::PaymentRefunded),
        ],
    ),
    (Phase::Ended, &[Said::Fact(Fact::PaymentSucceeded)]),
];

/// Where it is looked for, from small to large.
fn places() -> impl Iterator<Item = (Mode, bool)> {
    [false, true].into_iter().flat_map(|switches| {
        [Mode::Choreography, Mode::Orchestration].into_iter().map(move |mode| (mode, switches))
    })
}

/// The rules that are broken first, if any is.
fn broken(phase: Phase, said: Said, (mode, switches): (Mode, bool)) -> Vec<&'static str> {
    let deaf = move |saga: &Saga, input: &Input| {
        if saga.phase == phase && *input == said.input(saga) {
            return Step { saga: saga.clone(), effects: Vec::new(), cell: Cell::Duplicate, because: "deaf" };
        }
        step(saga, input)
    };
    let order = Order::new(&deaf, mode).with_switches(switches);
    let checker = order.checker().threads(2).finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    let found = checker.discoveries();
    let failures =
        checker.model().properties().into_iter().filter(|it| it.expectation.discovery_is_failure());
    failures.map(|it| it.name).filter(|name| found.contains_key(name)).collect()
}

#[test]
fn i13_a_phase_that_does_not_hear_what_it_must_is_caught() {
    for (phase, facts) in NEEDED {
        for said in facts {
            let broken = places().map(|place| broken(phase, *said, place)).find(|broken| !broken.is_empty());
            println!("{phase:?} deaf to {said:?}: {broken:?}");
            assert!(broken.is_some(), "{phase:?} is deaf to {said:?}, and no rule notices");
        }
    }
}
