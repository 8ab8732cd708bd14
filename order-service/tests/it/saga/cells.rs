//! Rules about every cell, proved by trying all: each reachable saga with each input.

use order_service::saga::{
    Action, Cell, DEFINITION, Effect, Input, Phase, Saga, check, plan, reachable, samples, step,
};

fn every_cell(judge: impl Fn(&Saga, &Input, &order_service::saga::Step)) {
    for saga in reachable() {
        for (_, input) in samples(&saga) {
            judge(&saga, &input, &step(&saga, &input));
        }
    }
}

#[test]
fn i13_no_cell_breaks_a_rule_of_the_saga() {
    every_cell(|saga, input, step| {
        assert_eq!(check(saga), Ok(()), "{saga:?}");
        assert_eq!(check(&step.saga), Ok(()), "{saga:?} × {input:?} → {step:?}");
    });
}

#[test]
fn what_changes_nothing_has_no_effect_and_what_changes_something_raises_the_version() {
    every_cell(|saga, input, step| {
        let is_same = step.saga == *saga;
        match step.cell {
            Cell::Duplicate | Cell::Refuse | Cell::Newer => {
                assert!(is_same && step.effects.is_empty(), "{saga:?} × {input:?} → {step:?}");
            }
            Cell::Apply | Cell::Compensate => assert!(!is_same, "{saga:?} × {input:?} → {step:?}"),
            Cell::Defer => assert!(step.effects.is_empty(), "{saga:?} × {input:?} → {step:?}"),
            Cell::Alarm => {
                assert!(step.effects.iter().any(|it| matches!(it, Effect::Alarm(_))), "{saga:?} × {input:?}");
            }
        }
        assert_eq!(step.saga.version, saga.version + u64::from(!is_same), "{saga:?} × {input:?}");
    });
}

#[test]
fn outstanding_is_exactly_what_was_started_and_not_finished() {
    every_cell(|saga, input, step| {
        let mut outstanding = saga.outstanding.clone();
        for effect in &step.effects {
            match effect {
                Effect::Start(action) => {
                    assert!(outstanding.insert(*action), "{saga:?} × {input:?} → {step:?}")
                }
                Effect::Finish { action, .. } => {
                    assert!(outstanding.remove(action), "{saga:?} × {input:?} → {step:?}");
                }
                Effect::Publish(_) | Effect::StartPaymentTimer | Effect::Alarm(_) => {}
            }
        }
        assert_eq!(outstanding, step.saga.outstanding, "{saga:?} × {input:?} → {step:?}");
    });
}

#[test]
fn every_fact_told_twice_is_told_once() {
    every_cell(|saga, input, first| {
        if matches!(input, Input::ActionFailing { .. }) || first.cell == Cell::Alarm {
            return;
        }
        let second = step(&first.saga, input);
        let words = format!("{saga:?} × {input:?} → {first:?} → {second:?}");
        // Once a question is asked, "undecided" is an answer to it: that is another fact in the same words.
        let is_skip = matches!(input, Input::Skip { .. } | Input::Abandon { .. });
        assert!(second.saga == first.saga || is_skip, "{words}");
        assert!(second.effects.is_empty() || second.cell == Cell::Alarm, "{words}");
    });
}

#[test]
fn an_order_that_left_is_never_undone() {
    every_cell(|saga, input, step| {
        if matches!(saga.phase, Phase::Shipped | Phase::Delivered) {
            assert!(matches!(step.saga.phase, Phase::Shipped | Phase::Delivered), "{input:?}");
            assert!(step.effects.iter().all(|it| !matches!(it, Effect::Start(_))), "{input:?}");
        }
    });
}

#[test]
fn i13_an_order_that_ended_never_becomes_a_sale() {
    let is_over = |saga: &Saga| matches!(saga.phase, Phase::Compensating | Phase::Ended);
    every_cell(|saga, input, step| {
        if is_over(saga) {
            assert!(is_over(&step.saga), "{saga:?} × {input:?}");
            assert_eq!(saga.status, step.saga.status, "{saga:?} × {input:?}");
            assert!(step.effects.iter().all(|it| !matches!(it, Effect::Publish(_))), "{saga:?} × {input:?}");
        }
    });
}

#[test]
fn race_17_whatever_keeps_failing_is_stuck_and_stays_outstanding() {
    let mut seen = 0;
    for saga in reachable() {
        for action in &saga.outstanding {
            let input = Input::ActionFailing { action: *action, attempts: 10, error: "503".to_owned() };
            let step = step(&saga, &input);
            assert!(step.saga.is_stuck && step.saga.outstanding.contains(action), "{saga:?} × {action:?}");
            assert!(step.effects.iter().any(|it| matches!(it, Effect::Alarm(_))), "{saga:?} × {action:?}");
            seen += 1;
        }
    }
    assert!(seen > 100, "only {seen} cells were tried");
}

#[test]
fn an_operator_can_skip_exactly_what_is_outstanding_and_abandon_exactly_what_is_undone() {
    for saga in reachable() {
        for action in Action::ALL {
            let answer = step(&saga, &Input::Skip { action, reason: "by hand".to_owned() });
            assert_eq!(
                answer.cell != Cell::Refuse,
                saga.outstanding.contains(&action),
                "{saga:?} × {action:?}"
            );
            assert!(!answer.saga.outstanding.contains(&action) || answer.cell == Cell::Refuse);
        }
        let answer = step(&saga, &Input::Abandon { reason: "by hand".to_owned() });
        assert_eq!(answer.cell != Cell::Refuse, saga.phase == Phase::Compensating, "{saga:?}");
        assert!(answer.cell == Cell::Refuse || answer.saga.phase == Phase::Ended, "{saga:?}");
    }
}

#[test]
fn race_35_a_saga_of_a_newer_definition_is_left_alone_and_its_inputs_are_kept() {
    for saga in reachable() {
        let newer = Saga { definition: DEFINITION + 1, ..saga };
        for (_, input) in samples(&newer) {
            let answer = step(&newer, &input);
            assert_eq!((answer.cell, &answer.saga, answer.effects.len()), (Cell::Newer, &newer, 0));
        }
    }
}

#[test]
fn every_plan_says_where_the_order_comes_to_rest() {
    for saga in reachable() {
        let plan = plan(&saga);
        let last = plan.last().cloned().unwrap_or_default();
        let rests = ["Confirmed", "Shipped", "Delivered", "Cancelled", "PaymentFailed"];
        assert!(
            rests.iter().any(|status| last.starts_with(&format!("rests as {status}"))),
            "{saga:?}: {plan:#?}"
        );
    }
}

#[test]
fn a_plan_names_the_calls_and_the_events() {
    let plan = plan(&order_service::saga::begin(order_service::saga::Mode::Orchestration).saga);
    let expected = [
        "RESERVE_INVENTORY succeeds: the stock is held; the money is asked for → PROCESS_PAYMENT, payment deadline",
        "PROCESS_PAYMENT succeeds: the provider has the request; its answer will come",
        "payment.successful comes: paid; the stock is to be committed → COMMIT_INVENTORY",
        "COMMIT_INVENTORY succeeds: paid and committed → order.confirmed",
        "rests as Confirmed, stock Committed, payment Paid",
    ];
    assert_eq!(plan, expected);
}
