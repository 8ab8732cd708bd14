//! The races about how an order goes on and ends, each by its number in the design.

use order_service::saga::{Action, Cell, Effect, EventKind, Input, Mode, OrderStatus, PaymentStatus, Phase};

use super::fakes::{Method, Money};
use super::world::World;

fn confirmed() -> World {
    let world = World::new(Mode::Orchestration, Method::Approve, true).ends_well();
    assert_eq!(world.saga.status, OrderStatus::Confirmed);
    world
}

fn ship() -> Input {
    Input::Ship { tracking_number: "parcel".to_owned() }
}

fn failing(action: Action, attempts: u32) -> Input {
    Input::ActionFailing { action, attempts, error: "503".to_owned() }
}

#[test]
fn race_17_a_failing_compensation_is_stuck_and_alarmed_and_heals_when_it_succeeds() {
    let mut world = confirmed();
    world.apply(Input::Cancel { reason: None });
    for attempts in [10, 20] {
        let stuck = world.apply(failing(Action::RefundPayment, attempts));
        assert_eq!(stuck.cell, Cell::Alarm);
        let words = format!("REFUND_PAYMENT failed {attempts} times and is still tried: 503");
        assert_eq!(stuck.effects, [Effect::Alarm(words)]);
    }
    world.call(Action::RestockInventory);
    assert!(world.saga.is_stuck, "the refund still fails");
    world.call(Action::RefundPayment);
    assert!(!world.saga.is_stuck);
    world.ends_well();
}

#[test]
fn race_17_only_an_operator_ends_it_otherwise_with_a_reason() {
    let mut world = confirmed();
    world.apply(Input::Cancel { reason: None });
    world.apply(failing(Action::RefundPayment, 10));
    let mut abandoned = world.clone();
    let skipped =
        world.apply(Input::Skip { action: Action::RefundPayment, reason: "by bank transfer".to_owned() });
    let details = Some("by bank transfer".to_owned());
    let finish = Effect::Finish { action: Action::RefundPayment, succeeded: true, details };
    assert_eq!((skipped.saga.payment, skipped.effects), (PaymentStatus::Refunded, vec![finish]));
    assert!(world.saga.outstanding.contains(&Action::RestockInventory), "the rest goes on");

    let answer = abandoned.apply(Input::Abandon { reason: "closed account".to_owned() });
    assert_eq!((answer.saga.phase, answer.saga.payment), (Phase::Ended, PaymentStatus::Abandoned));
    assert!(answer.effects.iter().all(|it| matches!(it, Effect::Finish { succeeded: false, details: Some(words), .. } if words == "closed account")));
    assert_eq!(abandoned.apply(Input::PaymentRefunded).saga.payment, PaymentStatus::Refunded);
    assert_eq!(abandoned.saga.phase, Phase::Ended);
}

#[test]
fn abandoning_a_question_still_refunds_money_that_comes() {
    let mut world = World::new(Mode::Orchestration, Method::Approve, true);
    world.call(Action::ReserveInventory);
    world.call(Action::ProcessPayment);
    world.apply(Input::Cancel { reason: None });
    world.call(Action::ReleaseInventory);
    world.apply(Input::Abandon { reason: "enough".to_owned() });
    assert_eq!((world.saga.phase, world.saga.payment), (Phase::Ended, PaymentStatus::Failed));
    assert_eq!(world.ends_well().provider.money, Money::Refunded);
}

#[test]
fn race_33_cancel_first_the_ship_is_refused() {
    let mut world = confirmed();
    assert_eq!(world.apply(Input::Cancel { reason: None }).cell, Cell::Compensate);
    assert_eq!(world.apply(ship()).cell, Cell::Refuse);
    let world = world.ends_well();
    assert!(!world.published.iter().any(|it| matches!(it, EventKind::Shipped { .. })));
}

#[test]
fn race_33_ship_first_the_cancel_is_refused() {
    let mut world = confirmed();
    let shipped = world.apply(ship());
    let told = Effect::Publish(EventKind::Shipped { tracking_number: "parcel".to_owned() });
    assert_eq!((shipped.saga.status, shipped.effects), (OrderStatus::Shipped, vec![told]));
    assert_eq!(world.apply(Input::Cancel { reason: None }).cell, Cell::Refuse);
    assert_eq!(world.apply(ship()).cell, Cell::Duplicate);
    let other = Input::Ship { tracking_number: "another".to_owned() };
    assert_eq!(world.apply(other).cell, Cell::Refuse);
    assert_eq!(world.apply(Input::Deliver).saga.status, OrderStatus::Delivered);
    assert_eq!(world.apply(Input::Cancel { reason: None }).cell, Cell::Refuse);
    world.ends_well();
}

#[test]
fn race_40_nothing_is_shipped_before_its_stock_is_committed() {
    for mode in [Mode::Orchestration, Mode::Choreography] {
        let mut world = World::new(mode, Method::Approve, true);
        let mut refused = 0;
        while world.saga.phase != Phase::Confirmed {
            assert_eq!(world.apply(ship()).cell, Cell::Refuse);
            assert_eq!(world.apply(Input::Deliver).cell, Cell::Refuse);
            refused += 1;
            assert!(world.round(), "{world:#?}");
        }
        assert!(refused > 3, "only {refused} points before the commit");
        assert_eq!(world.apply(ship()).cell, Cell::Apply);
    }
}

#[test]
fn money_that_went_back_before_the_goods_left_cancels_the_order_and_after_it_is_an_alarm() {
    let mut world = confirmed();
    let mut shipped = world.clone();
    world.provider.refund();
    assert_eq!(world.apply(Input::PaymentRefunded).saga.status, OrderStatus::Cancelled);
    world.ends_well();

    shipped.apply(ship());
    let answer = shipped.apply(Input::PaymentRefunded);
    assert_eq!((answer.cell, answer.saga.payment), (Cell::Alarm, PaymentStatus::Refunded));
    assert_eq!(answer.saga.status, OrderStatus::Shipped);
}

#[test]
fn a_cancel_twice_is_known_and_a_cancel_after_a_failed_payment_is_refused() {
    let mut world = confirmed();
    world.apply(Input::Cancel { reason: None });
    assert_eq!(world.apply(Input::Cancel { reason: None }).cell, Cell::Duplicate);
    let mut failed = World::new(Mode::Orchestration, Method::Decline, true).ends_well();
    assert_eq!(failed.saga.status, OrderStatus::PaymentFailed);
    assert_eq!(failed.apply(Input::Cancel { reason: None }).cell, Cell::Refuse);
}
