//! The saga broken on purpose, one rule at a time: each is caught, and by the property that is about it.

use std::collections::BTreeSet;

use order_service::saga::{
    Action, Cell, Effect, EventKind, Input, Mode, OrderStatus, PaymentStatus, Phase, Saga, Step, StockStatus,
    step,
};
use stateright::{Checker as _, HasDiscoveries, Model as _};

use super::automaton::Rules;
use super::network::Order;
use super::rules;

/// Demands that the property is broken, and shows how.
fn catch(property: &'static str, rules: &Rules) {
    for mode in [Mode::Orchestration, Mode::Choreography] {
        let found = HasDiscoveries::AllOf(BTreeSet::from([property]));
        let checker = Order::new(rules, mode).checker().finish_when(found).spawn_bfs().join();
        let path =
            checker.discovery(property).unwrap_or_else(|| panic!("{mode:?}: not caught by: {property}"));
        println!("{mode:?}: {property}\n{}", checker.model().tale(path));
    }
}

/// The step without an action that it begins.
fn without(mut step: Step, action: Action) -> Step {
    step.saga.outstanding.remove(&action);
    step.effects.retain(|effect| *effect != Effect::Start(action));
    step
}

fn is_undoing(saga: &Saga) -> bool {
    matches!(saga.phase, Phase::Compensating | Phase::Ended)
}

#[test]
fn i13_a_late_success_that_is_ignored_is_caught() {
    catch(rules::NO_MONEY_AT_END, &|saga, input| match input {
        Input::PaymentSucceeded if is_undoing(saga) => step(saga, &Input::PaymentUnknown),
        _ => step(saga, input),
    });
}

#[test]
fn i13_a_lost_commit_that_is_taken_for_a_commit_is_caught() {
    catch(rules::CONFIRMED, &|saga, input| match input {
        Input::CommitLost if saga.phase == Phase::Committing => step(saga, &Input::StockCommitted),
        _ => step(saga, input),
    });
}

#[test]
fn i13_a_confirmation_before_the_commit_is_caught() {
    catch(rules::CONFIRMED, &|saga, input| {
        let first = step(saga, input);
        if first.saga.phase != Phase::Committing || saga.phase == Phase::Committing {
            return first;
        }
        let mut both = step(&first.saga, &Input::StockCommitted);
        both.effects.extend(first.effects);
        both
    });
}

#[test]
fn i13_a_refused_release_that_is_taken_for_a_release_is_caught() {
    catch(rules::NO_STOCK_AT_END, &|saga, input| match input {
        Input::StockCommitted if saga.stock == StockStatus::Releasing => step(saga, &Input::StockReleased),
        _ => step(saga, input),
    });
}

#[test]
fn i13_a_cancel_that_does_not_find_out_about_the_commit_is_caught() {
    catch(rules::NO_STOCK_AT_END, &|saga, input| {
        let mut done = step(saga, input);
        if saga.phase == Phase::Committing && matches!(input, Input::Cancel { .. }) {
            done = without(done, Action::ReleaseInventory);
            done.saga.stock = StockStatus::Released;
        }
        done
    });
}

#[test]
fn i13_a_cancel_that_keeps_what_was_sold_is_caught() {
    catch(rules::NO_STOCK_AT_END, &|saga, input| {
        let mut done = step(saga, input);
        if saga.phase == Phase::Confirmed && matches!(input, Input::Cancel { .. }) {
            done = without(done, Action::RestockInventory);
            done.saga.stock = StockStatus::Restocked;
        }
        done
    });
}

#[test]
fn i13_a_cancel_while_paying_that_refunds_before_the_outcome_is_known_is_caught() {
    catch(rules::REFUND_OF_SOMETHING, &|saga, input| {
        let mut done = step(saga, input);
        if saga.phase == Phase::Paying && matches!(input, Input::Cancel { .. }) {
            done = without(done, Action::AskPayment);
            done.saga.outstanding.insert(Action::RefundPayment);
            done.saga.payment = PaymentStatus::Refunding;
            done.effects.push(Effect::Start(Action::RefundPayment));
        }
        done
    });
}

#[test]
fn i13_a_decline_that_dominates_a_success_is_caught() {
    catch(rules::NO_MONEY_AT_END, &|saga, input| match input {
        Input::PaymentDeclined { .. } if saga.phase == Phase::Committing => {
            let mut done = without(step(saga, &Input::Cancel { reason: None }), Action::RefundPayment);
            done.saga.payment = PaymentStatus::Failed;
            done
        }
        _ => step(saga, input),
    });
}

#[test]
fn i13_a_refund_that_is_taken_as_done_when_it_is_accepted_is_caught() {
    catch(rules::REFUNDED_IS_REFUNDED, &|saga, input| match input {
        Input::PaymentSucceeded if saga.payment == PaymentStatus::Refunding => {
            step(saga, &Input::PaymentRefunded)
        }
        _ => step(saga, input),
    });
}

#[test]
fn i13_a_deadline_after_which_nobody_asks_is_caught() {
    catch(rules::RESTS_SETTLED, &|saga, input| match input {
        Input::PaymentDeadline { .. } => without(step(saga, input), Action::AskPayment),
        _ => step(saga, input),
    });
}

#[test]
fn i13_an_undoing_that_forgets_the_refund_is_caught() {
    catch(rules::RESTS_SETTLED, &|saga, input| without(step(saga, input), Action::RefundPayment));
}

#[test]
fn i13_a_second_charge_is_caught() {
    let property = rules::ASKED_ONCE;
    let again = |saga: &Saga, input: &Input| {
        let mut done = step(saga, input);
        if saga.phase == Phase::Paying && matches!(input, Input::ActionFailing { .. }) {
            done.saga = saga.clone();
            done.effects = vec![Effect::Start(Action::ProcessPayment)];
        }
        done
    };
    catch(property, &again);
}

#[test]
fn i13_a_commit_before_the_payment_is_caught() {
    catch(rules::COMMIT_OF_PAID, &|saga, input| match input {
        Input::PaymentAccepted if saga.phase == Phase::Paying => step(saga, &Input::PaymentSucceeded),
        _ => step(saga, input),
    });
}

#[test]
fn i13_an_order_that_ends_twice_is_caught() {
    catch(rules::ENDED_ONCE, &|saga, input| {
        let mut done = step(saga, input);
        if saga.status == OrderStatus::PaymentFailed && matches!(input, Input::Cancel { .. }) {
            done.effects.push(Effect::Publish(EventKind::Cancelled));
        }
        done
    });
}

#[test]
fn i13_an_order_that_is_confirmed_twice_is_caught() {
    catch(rules::CONFIRMED_ONCE, &|saga, input| {
        let mut done = step(saga, input);
        if saga.phase == Phase::Confirmed && *input == Input::StockCommitted {
            done.effects.push(Effect::Publish(EventKind::Confirmed));
        }
        done
    });
}

#[test]
fn i13_a_commit_that_revives_a_cancelled_order_is_caught() {
    catch(rules::NEVER_BOTH, &|saga, input| {
        let mut done = step(saga, input);
        if saga.stock == StockStatus::Releasing && *input == Input::StockCommitted {
            done.effects.push(Effect::Publish(EventKind::Confirmed));
        }
        done
    });
}

#[test]
fn i13_a_shipped_order_that_is_cancelled_is_caught() {
    catch(rules::NO_TURNING_BACK, &|saga, input| match input {
        Input::Cancel { .. } if saga.phase == Phase::Shipped => {
            let (phase, status) = (Phase::Confirmed, OrderStatus::Confirmed);
            step(&Saga { phase, status, tracking_number: None, ..saga.clone() }, input)
        }
        _ => step(saga, input),
    });
}

#[test]
fn i13_an_alarm_without_a_contradiction_is_caught() {
    catch(rules::NO_FALSE_ALARM, &|saga, input| {
        let mut done = step(saga, input);
        if *input == Input::ReservationExpired {
            done.cell = Cell::Alarm;
        }
        done
    });
}
