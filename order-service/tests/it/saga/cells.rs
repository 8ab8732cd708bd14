//! Rules about every cell, proved by trying all: each reachable saga with each input.

use order_service::saga::{
    Action, Cell, DEFINITION, Effect, Input, PaymentStatus, Phase, Saga, StockStatus, check, plan, reachable,
    samples, step,
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
fn what_is_no_longer_wanted_may_fail_without_an_alarm() {
    for saga in reachable() {
        for action in Action::ALL.into_iter().filter(|action| !saga.outstanding.contains(action)) {
            let input = Input::ActionFailing { action, attempts: 10, error: "503".to_owned() };
            assert_eq!(step(&saga, &input).cell, Cell::Duplicate, "{saga:?} × {action:?}");
        }
    }
}

#[test]
fn check_sees_every_field_that_is_broken() {
    let [mut stock, mut payment, mut phases, mut actions] = [0; 4];
    let is_broken = |saga: Saga| usize::from(check(&saga).is_err());
    for saga in reachable() {
        if !matches!(saga.phase, Phase::Compensating | Phase::Ended) {
            for other in
                [StockStatus::Requested, StockStatus::Held, StockStatus::Released, StockStatus::Committed]
            {
                let is_same = other == saga.stock;
                assert!(
                    is_same || is_broken(Saga { stock: other, ..saga.clone() }) == 1,
                    "{saga:?} with {other:?}"
                );
                stock += usize::from(!is_same);
            }
        }
        for other in [PaymentStatus::Paid, PaymentStatus::Refunding] {
            let may_be = saga.payment == other
                || matches!(saga.phase, Phase::Reserving | Phase::Shipped | Phase::Delivered);
            if !may_be || other == PaymentStatus::Refunding && saga.payment != other {
                assert_eq!(is_broken(Saga { payment: other, ..saga.clone() }), 1, "{saga:?} with {other:?}");
                payment += 1;
            }
        }
        for other in [Phase::Reserving, Phase::Paying, Phase::Committing, Phase::Confirmed, Phase::Ended] {
            let is_same = other == saga.phase;
            assert!(
                is_same || is_broken(Saga { phase: other, ..saga.clone() }) == 1,
                "{saga:?} as {other:?}"
            );
            phases += usize::from(!is_same);
        }
        for action in Action::ALL {
            let mut outstanding = saga.outstanding.clone();
            let is_optional = saga.phase == Phase::Paying;
            if !outstanding.remove(&action) {
                outstanding.insert(action);
            }
            if !is_optional {
                assert_eq!(
                    is_broken(Saga { outstanding, ..saga.clone() }),
                    1,
                    "{saga:?} with or without {action:?}"
                );
                actions += 1;
            }
        }
    }
    assert!(
        [stock, payment, phases, actions].iter().all(|tried| *tried > 50),
        "{stock} {payment} {phases} {actions}"
    );
}

#[test]
fn check_demands_all_of_committed_paid_undone_and_a_deadline() {
    let find = |is_wanted: fn(&Saga) -> bool| reachable().into_iter().find(is_wanted).expect("reachable");
    let confirmed = find(|saga| saga.phase == Phase::Confirmed);
    let rule = |saga: Saga| check(&saga).expect_err("broken");
    let uncommitted = Saga { stock: StockStatus::Held, ..confirmed.clone() };
    assert_eq!(rule(uncommitted), "CONFIRMED means committed");
    assert_eq!(rule(Saga { payment: PaymentStatus::Failed, ..confirmed }), "CONFIRMED means paid");
    let ended = find(|saga| saga.phase == Phase::Ended);
    let undone = "ended means that all is undone";
    assert_eq!(rule(Saga { stock: StockStatus::Held, ..ended.clone() }), undone);
    assert_eq!(rule(Saga { payment: PaymentStatus::Paid, ..ended.clone() }), undone);
    assert_eq!(rule(Saga { phase: Phase::Compensating, ..ended }), undone);
    let paying = find(|saga| saga.phase == Phase::Paying && saga.payment_timer.is_some());
    let deadline = "exactly what waits for an event has a deadline";
    assert_eq!(rule(Saga { payment_timer: None, ..paying }), deadline);
}

#[test]
fn exactly_release_restock_and_refund_compensate() {
    let undo = Action::ALL.into_iter().filter(|action| action.is_compensating()).map(Action::name);
    assert_eq!(undo.collect::<Vec<_>>(), ["RELEASE_INVENTORY", "RESTOCK_INVENTORY", "REFUND_PAYMENT"]);
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

#[test]
fn a_plan_expects_the_money_of_an_overdue_order_and_none_of_an_ended_one() {
    let ask = Action::AskPayment;
    for saga in reachable().into_iter().filter(|saga| saga.outstanding.contains(&ask)) {
        let last = plan(&saga).pop().unwrap_or_default();
        assert_eq!(last.starts_with("rests as Confirmed"), saga.phase == Phase::Paying, "{saga:?}: {last}");
    }
}
