//! The three loops every saga must pass: each action twice, failure at every node, undo twice. And recovery at every step.

use order_service::saga::{Action, Cell, Input, Mode, OrderStatus};

use super::fakes::Method;
use super::world::World;

const MODES: [Mode; 2] = [Mode::Orchestration, Mode::Choreography];
const METHODS: [Method; 4] = [Method::Approve, Method::Decline, Method::Silent, Method::DeclineThenApprove];

/// Every kind of order, freshly placed.
fn orders() -> impl Iterator<Item = World> {
    MODES.into_iter().flat_map(|mode| {
        METHODS.into_iter().flat_map(move |method| {
            [true, false].into_iter().map(move |is_available| World::new(mode, method, is_available))
        })
    })
}

/// The order at every point of its life, each of which a crash or a wish can hit.
fn lives() -> Vec<World> {
    let mut all = Vec::new();
    for mut world in orders() {
        all.push(world.clone());
        while world.round() {
            all.push(world.clone());
        }
        all.push(world);
    }
    assert!(all.len() > 80, "only {} points", all.len());
    all
}

fn ends(world: &World) -> (OrderStatus, i64, i64) {
    (world.saga.status, world.inventory.sold(), world.provider.kept())
}

#[test]
fn each_action_twice_is_each_action_once() {
    for world in orders() {
        let once = world.clone().ends_well();
        let mut twice = world;
        let mut repeated = 0;
        loop {
            if let Some(action) = twice.saga.outstanding.first().copied() {
                let answers: Vec<Input> =
                    [twice.execute(action), twice.execute(action)].into_iter().flatten().collect();
                for answer in answers {
                    twice.apply(answer.clone());
                    twice.apply(answer);
                }
                repeated += 1;
            } else if !twice.round() {
                break;
            }
        }
        assert!(repeated > 0 || twice.saga.mode == Mode::Choreography);
        assert_eq!(ends(&twice.ends_well()), ends(&once));
    }
}

#[test]
fn each_event_twice_is_each_event_once() {
    for world in orders() {
        let once = world.clone().ends_well();
        let mut twice = world;
        loop {
            if let Some(event) = twice.events.first().cloned() {
                twice.apply(event);
            } else if !twice.told.is_empty() {
                let told = twice.told.remove(0);
                twice.consume(told);
                twice.consume(told);
            }
            if !twice.round() {
                break;
            }
        }
        assert_eq!(ends(&twice.ends_well()), ends(&once));
    }
}

#[test]
fn failure_at_every_node_ends_well() {
    let mut nodes = 0;
    for world in lives() {
        for action in world.saga.outstanding.clone() {
            nodes += 1;
            let mut unheard = world.clone();
            unheard.apply(Input::ActionFailing { action, attempts: 10, error: "503".to_owned() });
            unheard.ends_well();

            let mut mute = world.clone();
            mute.execute(action);
            mute.crash();
            mute.ends_well();

            let mut late = world.clone();
            late.requests.push(action);
            late.apply(Input::ActionFailing { action, attempts: 10, error: "timeout".to_owned() });
            late.apply(Input::Cancel { reason: None });
            late.ends_well();

            if action == Action::ReserveInventory {
                let mut given_up = world.clone();
                given_up.requests.push(action);
                given_up.apply(Input::ReserveGaveUp { reason: "timeout".to_owned() });
                assert_eq!(given_up.ends_well().saga.status, OrderStatus::Cancelled);
            }
        }
    }
    assert!(nodes > 40, "only {nodes} nodes");
}

#[test]
fn undo_twice_is_undo_once_at_every_point() {
    for world in lives() {
        let mut once = world.clone();
        let first = once.apply(Input::Cancel { reason: None });
        let mut twice = once.clone();
        if first.cell != Cell::Refuse {
            assert_eq!(twice.apply(Input::Cancel { reason: None }).cell, Cell::Duplicate);
        }
        // A release may turn out to be a restock, so there are more rounds than actions.
        for _ in 0..4 {
            for action in twice.saga.outstanding.clone() {
                let answers = [twice.execute(action), twice.execute(action)];
                for answer in answers.into_iter().flatten() {
                    twice.apply(answer.clone());
                    twice.apply(answer);
                }
            }
        }
        assert_eq!(ends(&twice.ends_well()), ends(&once.ends_well()));
    }
}

#[test]
fn a_crash_at_every_point_changes_no_end() {
    for world in lives() {
        let undisturbed = world.clone().ends_well();
        let mut crashed = world;
        crashed.crash();
        assert_eq!(ends(&crashed.ends_well()), ends(&undisturbed));
    }
}

#[test]
fn an_operator_who_abandons_at_every_point_leaves_nothing_running() {
    let mut abandoned = 0;
    for mut world in lives() {
        world.apply(Input::Cancel { reason: None });
        let answer = world.apply(Input::Abandon { reason: "by hand".to_owned() });
        if answer.cell == Cell::Apply {
            abandoned += 1;
            assert!(world.saga.outstanding.is_empty());
        }
    }
    assert!(abandoned > 20, "only {abandoned}");
}
