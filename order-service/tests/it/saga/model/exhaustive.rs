//! The saga as it is: every state there is.

use order_service::saga::{Mode, step};
use stateright::{Checker as _, Expectation, Model as _};

use super::network::Order;

/// Explores everything, and demands of every property what it says.
fn explore(mode: Mode) {
    let checker = Order::new(&step, mode).with_switches(true).checker().threads(2).spawn_bfs().join();
    let order = checker.model();
    println!(
        "{mode:?}: {} sagas, {} states, {} moves, {} deep",
        order.automaton().len(),
        checker.unique_state_count(),
        checker.state_count(),
        checker.max_depth(),
    );
    let mut found = checker.discoveries();
    for property in order.properties() {
        match (property.expectation, found.remove(property.name)) {
            (Expectation::Sometimes, None) => panic!("never: {}", property.name),
            (Expectation::Always | Expectation::Eventually, Some(path)) => {
                panic!("broken: {}\n{}", property.name, order.tale(path))
            }
            (Expectation::Sometimes, Some(_)) | (Expectation::Always | Expectation::Eventually, None) => {}
        }
    }
}

#[test]
fn i13_every_interleaving_of_an_orchestrated_order_ends_in_one_of_two_ways() {
    explore(Mode::Orchestration);
}

#[test]
fn i13_every_interleaving_of_a_choreographed_order_ends_in_one_of_two_ways() {
    explore(Mode::Choreography);
}
