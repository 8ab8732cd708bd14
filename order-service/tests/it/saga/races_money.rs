//! The races about money, each by its number in the design.

use order_service::saga::{
    Action, Cell, Effect, EventKind, Input, Mode, OrderStatus, PaymentStatus, Phase, Saga,
};

use super::fakes::{Hold, Method, Money};
use super::world::World;

/// Orchestrated: the stock is held and the payment is asked for.
fn paying(method: Method) -> World {
    let mut world = World::new(Mode::Orchestration, method, true);
    world.call(Action::ReserveInventory);
    assert_eq!((world.saga.phase, world.inventory.hold), (Phase::Paying, Hold::Held));
    world
}

fn deadline(saga: &Saga) -> Input {
    Input::PaymentDeadline { set_at_version: saga.payment_timer.expect("a timer runs") }
}

fn declined() -> Input {
    Input::PaymentDeclined { reason: "declined".to_owned() }
}

#[test]
fn race_02_cancel_first_the_later_success_is_recorded_and_refunded() {
    let mut world = paying(Method::Approve);
    world.call(Action::ProcessPayment);
    let cancelled = world.apply(Input::Cancel { reason: Some("changed my mind".to_owned()) });
    assert!(cancelled.effects.contains(&Effect::Publish(EventKind::Cancelled)));
    world.call(Action::AskPayment);
    world.call(Action::ReleaseInventory);
    assert_eq!((world.saga.phase, world.saga.payment), (Phase::Ended, PaymentStatus::Failed));

    world.decide();
    assert_eq!(world.provider.money, Money::Charged);
    let late = world.apply(Input::PaymentSucceeded);
    assert_eq!((late.cell, late.saga.payment), (Cell::Compensate, PaymentStatus::Refunding));
    assert!(late.effects.contains(&Effect::Start(Action::RefundPayment)));
    let world = world.ends_well();
    assert_eq!((world.saga.status, world.provider.money), (OrderStatus::Cancelled, Money::Refunded));
    assert_eq!(world.saga.reason.as_deref(), Some("changed my mind"));
}

#[test]
fn race_02_payment_first_the_cancel_refunds_and_restocks() {
    let mut world = paying(Method::Approve);
    world.drain();
    assert_eq!(world.saga.phase, Phase::Confirmed);
    let cancelled = world.apply(Input::Cancel { reason: None });
    let starts = [Action::RestockInventory, Action::RefundPayment].map(Effect::Start);
    assert!(starts.iter().all(|start| cancelled.effects.contains(start)), "{cancelled:?}");
    let world = world.ends_well();
    assert_eq!((world.inventory.restocks, world.provider.money), (1, Money::Refunded));
}

#[test]
fn race_02_cancel_meets_a_commit_under_way_and_finds_out_which_was_first() {
    for is_commit_first in [true, false] {
        let mut world = paying(Method::Approve);
        world.call(Action::ProcessPayment);
        world.apply(Input::PaymentSucceeded);
        world.provider.money = Money::Charged;
        if is_commit_first {
            world.execute(Action::CommitInventory);
        } else {
            world.requests.push(Action::CommitInventory);
        }
        world.apply(Input::Cancel { reason: None });
        assert!(!world.saga.outstanding.contains(&Action::CommitInventory));
        world.call(Action::ReleaseInventory);
        let world = world.ends_well();
        assert_eq!(world.inventory.restocks, u32::from(is_commit_first), "{world:#?}");
        assert_eq!(world.inventory.hold == Hold::Committed, is_commit_first);
    }
}

#[test]
fn race_05_failed_then_successful_the_money_is_recorded_and_refunded() {
    let mut world = paying(Method::DeclineThenApprove);
    world.call(Action::ProcessPayment);
    let failed = world.apply(declined());
    assert_eq!(failed.saga.status, OrderStatus::PaymentFailed);
    assert!(failed.effects.contains(&Effect::Publish(EventKind::Failed)));
    assert!(failed.effects.contains(&Effect::Start(Action::ReleaseInventory)));
    world.provider.money = Money::Charged;
    assert_eq!(world.apply(Input::PaymentSucceeded).saga.payment, PaymentStatus::Refunding);
    assert_eq!(world.apply(declined()).cell, Cell::Duplicate);
    assert_eq!(world.ends_well().provider.money, Money::Refunded);
}

#[test]
fn race_05_successful_then_failed_the_failure_is_ignored() {
    let mut world = paying(Method::Approve);
    world.call(Action::ProcessPayment);
    world.provider.money = Money::Charged;
    world.apply(Input::PaymentSucceeded);
    assert_eq!(world.apply(declined()).cell, Cell::Duplicate);
    world.call(Action::CommitInventory);
    assert_eq!(world.apply(declined()).cell, Cell::Duplicate);
    assert_eq!(world.ends_well().saga.status, OrderStatus::Confirmed);
}

#[test]
fn race_13_a_payment_event_is_accepted_in_pending() {
    for mode in [Mode::Orchestration, Mode::Choreography] {
        let mut world = World::new(mode, Method::Approve, true);
        let early = world.apply(Input::PaymentSucceeded);
        assert_eq!((early.cell, early.saga.payment), (Cell::Defer, PaymentStatus::Paid));
        assert_eq!(early.saga.status, OrderStatus::Pending);
        let reserved = world.apply(Input::Reserved);
        assert_eq!(reserved.saga.phase, Phase::Committing);
        assert!(!reserved.effects.contains(&Effect::Start(Action::ProcessPayment)), "paid once is enough");
    }
}

#[test]
fn race_13_an_early_decline_waits_for_the_stock_and_a_success_after_it_dominates() {
    let mut world = World::new(Mode::Choreography, Method::DeclineThenApprove, true);
    assert_eq!(world.apply(declined()).cell, Cell::Defer);
    assert_eq!(world.saga.status, OrderStatus::Pending);
    let mut is_paid = world.clone();
    let failed = world.apply(Input::Reserved);
    assert_eq!(
        (failed.saga.status, failed.saga.reason.as_deref()),
        (OrderStatus::PaymentFailed, Some("declined"))
    );
    is_paid.apply(Input::PaymentSucceeded);
    let going_on = is_paid.apply(Input::Reserved);
    assert_eq!((going_on.saga.phase, going_on.saga.reason), (Phase::Committing, None));
}

#[test]
fn race_15_overdue_the_provider_is_asked_and_a_success_goes_on() {
    let mut world = paying(Method::Approve);
    world.call(Action::ProcessPayment);
    world.provider.decide();
    assert_eq!(world.provider.money, Money::Charged, "and its event is late");
    let fired = world.apply(deadline(&world.saga.clone()));
    assert_eq!(fired.effects, [Effect::Start(Action::AskPayment)]);
    world.call(Action::AskPayment);
    assert_eq!(world.saga.phase, Phase::Committing);
    assert_eq!(world.ends_well().saga.status, OrderStatus::Confirmed);
}

#[test]
fn race_15_overdue_unknown_or_undecided_the_order_fails_and_a_later_success_is_refunded() {
    for is_asked_for in [true, false] {
        let mut world = paying(Method::Approve);
        if is_asked_for {
            world.call(Action::ProcessPayment);
        } else {
            world.requests.push(Action::ProcessPayment);
        }
        world.apply(deadline(&world.saga.clone()));
        let outstanding: Vec<Action> = world.saga.outstanding.iter().copied().collect();
        assert_eq!(outstanding, [Action::AskPayment], "it is asked about, no longer asked for");
        world.call(Action::AskPayment);
        assert_eq!(world.saga.status, OrderStatus::PaymentFailed);
        assert_eq!(world.saga.reason.as_deref(), Some("the payment did not come in time"));
        assert!(world.published.contains(&EventKind::Failed));
        assert_eq!(world.ends_well().provider.money, Money::Refunded);
    }
}

#[test]
fn race_15_overdue_and_the_provider_is_away_the_order_fails_and_the_question_stays() {
    let mut world = paying(Method::Approve);
    world.call(Action::ProcessPayment);
    world.apply(deadline(&world.saga.clone()));
    let away = Input::ActionFailing { action: Action::AskPayment, attempts: 10, error: "503".to_owned() };
    let failed = world.apply(away);
    assert_eq!((failed.saga.status, failed.cell), (OrderStatus::PaymentFailed, Cell::Compensate));
    assert!(failed.saga.is_stuck && failed.effects.iter().any(|it| matches!(it, Effect::Alarm(_))));
    assert!(failed.saga.outstanding.contains(&Action::AskPayment));
    world.ends_well();
}

#[test]
fn race_15_a_silent_provider_and_a_silent_inventory_are_both_resolved_by_the_deadline() {
    let silent = World::new(Mode::Orchestration, Method::Silent, true).ends_well();
    assert_eq!(silent.saga.status, OrderStatus::PaymentFailed);
    let mut unheard = World::new(Mode::Choreography, Method::Approve, true);
    unheard.apply(deadline(&unheard.saga.clone()));
    assert_eq!((unheard.saga.status, unheard.saga.phase), (OrderStatus::Cancelled, Phase::Compensating));
    unheard.ends_well();
}

#[test]
fn race_16_a_timer_that_fires_after_the_success_or_from_another_life_is_a_duplicate() {
    let mut world = paying(Method::Approve);
    let live = deadline(&world.saga);
    let version = world.saga.payment_timer.expect("a timer runs");
    for stale in [version - 1, version + 1] {
        let answer = world.apply(Input::PaymentDeadline { set_at_version: stale });
        assert_eq!(answer.cell, Cell::Duplicate);
    }
    world.call(Action::ProcessPayment);
    assert!(world.saga.version > version, "the version moved on, and the timer is live nevertheless");
    assert_eq!(order_service::saga::step(&world.saga, &live).cell, Cell::Apply);

    world.apply(Input::PaymentSucceeded);
    assert_eq!(world.apply(live.clone()).cell, Cell::Duplicate);
    world.call(Action::CommitInventory);
    assert_eq!(world.apply(live).cell, Cell::Duplicate);
    assert_eq!(world.saga.status, OrderStatus::Confirmed);
}

#[test]
fn race_14_an_answer_from_before_the_success_come_late_changes_nothing() {
    let mut world = paying(Method::Approve);
    world.apply(Input::Cancel { reason: None });
    let unknown = world.execute(Action::AskPayment).expect("an answer");
    assert_eq!(unknown, Input::PaymentUnknown);
    world.execute(Action::ProcessPayment);
    world.decide();
    world.apply(Input::PaymentSucceeded);
    assert_eq!(world.apply(unknown).cell, Cell::Duplicate);
    assert_eq!(world.ends_well().provider.money, Money::Refunded);
}
