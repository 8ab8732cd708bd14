//! The races about stock, each by its number in the design.

use order_service::saga::{
    Action, Cell, Effect, EventKind, Input, Mode, OrderStatus, PaymentStatus, Phase, StockStatus,
};

use super::fakes::{Hold, Method, Money};
use super::world::World;

fn orchestrated() -> World {
    World::new(Mode::Orchestration, Method::Approve, true)
}

#[test]
fn race_01_paid_after_the_hold_expired_a_late_commit_gets_free_stock_back() {
    let mut world = orchestrated();
    world.call(Action::ReserveInventory);
    world.call(Action::ProcessPayment);
    world.expire(true);
    assert_eq!(world.inventory.hold, Hold::Expired);
    assert_eq!(world.apply(Input::ReservationExpired).cell, Cell::Defer);
    assert_eq!(world.ends_well().saga.status, OrderStatus::Confirmed);
}

#[test]
fn race_01_paid_after_the_hold_expired_and_the_stock_is_gone_the_order_is_cancelled_and_refunded() {
    let mut world = orchestrated();
    world.call(Action::ReserveInventory);
    world.call(Action::ProcessPayment);
    world.expire(false);
    world.apply(Input::ReservationExpired);
    world.decide();
    let paid = world.apply(Input::PaymentSucceeded);
    assert!(!paid.effects.contains(&Effect::Publish(EventKind::Confirmed)), "paid is not confirmed");
    world.call(Action::CommitInventory);
    assert_eq!((world.saga.stock, world.saga.payment), (StockStatus::Lost, PaymentStatus::Refunding));
    let world = world.ends_well();
    assert_eq!((world.saga.status, world.provider.money), (OrderStatus::Cancelled, Money::Refunded));
    assert_eq!(world.saga.reason.as_deref(), Some("the stock was gone when the payment came"));
}

#[test]
fn race_06_a_reserve_that_timed_out_but_succeeded_is_released_on_giving_up_and_never_charged() {
    let mut world = orchestrated();
    world.execute(Action::ReserveInventory);
    assert_eq!(world.inventory.hold, Hold::Held, "it succeeded, and nobody knows");
    let given_up = world.apply(Input::ReserveGaveUp { reason: "timeout".to_owned() });
    assert!(given_up.effects.contains(&Effect::Start(Action::ReleaseInventory)));
    assert_eq!(given_up.saga.status, OrderStatus::Cancelled);
    assert_eq!(world.apply(Input::Reserved).cell, Cell::Duplicate);
    let world = world.ends_well();
    assert_eq!((world.inventory.hold, world.provider.money), (Hold::Released, Money::Unknown));
}

#[test]
fn race_06_a_try_that_went_through_after_another_was_refused_is_released() {
    let mut world = orchestrated();
    world.inventory.is_available = false;
    world.call(Action::ReserveInventory);
    assert_eq!((world.saga.phase, world.saga.stock), (Phase::Ended, StockStatus::Refused));
    world.inventory.is_available = true;
    let late = world.execute(Action::ReserveInventory).expect("an answer");
    assert_eq!((&late, world.inventory.hold), (&Input::Reserved, Hold::Held));
    assert_eq!(world.apply(late).saga.stock, StockStatus::Releasing);
    assert_eq!(world.ends_well().inventory.hold, Hold::Released);
}

#[test]
fn a_refused_reserve_ends_the_order_at_once_with_the_reason() {
    let mut world = World::new(Mode::Orchestration, Method::Approve, false);
    world.call(Action::ReserveInventory);
    assert_eq!((world.saga.phase, world.saga.status), (Phase::Ended, OrderStatus::Cancelled));
    assert_eq!(world.saga.reason.as_deref(), Some("insufficient_stock"));
    assert_eq!(world.ends_well().provider.money, Money::Unknown);
}

#[test]
fn race_18_a_line_that_was_released_already_is_a_success() {
    let mut world = orchestrated();
    world.call(Action::ReserveInventory);
    world.execute(Action::ReleaseInventory);
    assert_eq!(world.inventory.hold, Hold::Released, "somebody was faster");
    world.apply(Input::Cancel { reason: None });
    world.call(Action::ReleaseInventory);
    assert_eq!(world.saga.stock, StockStatus::Released);
    assert_eq!(world.apply(Input::StockReleased).cell, Cell::Duplicate);
    world.ends_well();
}

#[test]
fn a_hold_that_is_over_for_good_ends_an_unpaid_order_before_it_is_charged() {
    for gone in [Input::StockReleased, Input::CommitLost] {
        let mut world = orchestrated();
        world.call(Action::ReserveInventory);
        world.inventory.release();
        let answer = world.apply(gone);
        assert_eq!((answer.cell, answer.saga.status), (Cell::Compensate, OrderStatus::Cancelled));
        assert!(!answer.saga.outstanding.contains(&Action::ProcessPayment));
        assert_eq!(world.ends_well().provider.money, Money::Unknown);
    }
}

#[test]
fn only_inventorys_yes_confirms_and_it_is_told_once() {
    let mut world = orchestrated();
    world.call(Action::ReserveInventory);
    world.call(Action::ProcessPayment);
    world.decide();
    let paid = world.apply(Input::PaymentSucceeded);
    let intent = [Effect::Start(Action::CommitInventory)];
    assert_eq!((paid.saga.payment, paid.effects.as_slice()), (PaymentStatus::Paid, intent.as_slice()));
    assert_eq!(paid.saga.status, OrderStatus::AwaitingPayment);
    world.call(Action::CommitInventory);
    world.apply(Input::StockCommitted);
    let told = world.published.iter().filter(|it| **it == EventKind::Confirmed).count();
    assert_eq!((world.saga.status, told), (OrderStatus::Confirmed, 1));
}
