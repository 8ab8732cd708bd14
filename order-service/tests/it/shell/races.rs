//! Rows of the race table that are about rows: locks, leases, timers.

use std::time::Duration;

use order_service::saga::{Action, Input, PaymentStatus, Phase};
use order_service::store::{Cause, Retry, Settled, StoreOptions};
use order_service::worker::PaymentState;
use serde_json::json;
use service_kit::events::Handler;

use super::fakes::{Act, Hold};
use super::world::{on_both, on_both_with, quick};

fn again() -> Retry {
    Retry { after: Duration::ZERO, error: "again".to_owned(), tell: false }
}

#[tokio::test]
async fn race_14_a_payment_request_that_timed_out_is_asked_about_before_it_is_sent_again() {
    on_both(async |mut world| {
        world.payments.stage.next("process", [Act::DoAndFail]);
        world.work();
        let id = world.place().await;
        world.until(async || (world.payments.stage.calls("ask", id) == 1).then_some(())).await;
        let order = world
            .until(async || {
                let order = world.order(id).await;
                order.saga.outstanding.is_empty().then_some(order)
            })
            .await;
        assert_eq!(world.payments.stage.calls("process", id), 1, "it was accepted, so it is not sent again");
        assert_eq!(order.saga.payment, PaymentStatus::Requested);
    })
    .await;
}

#[tokio::test]
async fn race_14_a_payment_request_that_never_arrived_is_sent_again_with_the_same_id() {
    on_both(async |mut world| {
        world.payments.stage.next("process", [Act::Fail, Act::Fail]);
        world.work();
        let id = world.place().await;
        world.until(async || (world.payments.stage.calls("process", id) == 3).then_some(())).await;
        assert_eq!(world.payments.stage.calls("ask", id), 2);
        assert_eq!(world.payments.state(world.order(id).await.payment_id), PaymentState::Pending);
    })
    .await;
}

#[tokio::test]
async fn race_15_a_silent_payment_is_asked_about_at_the_deadline_and_the_order_fails() {
    let (store, worker) = quick();
    let store = StoreOptions { payment_deadline: Duration::from_millis(30), ..store };
    on_both_with((store, worker), async |mut world| {
        world.work();
        let id = world.place().await;
        let order = world.rests(id, "PAYMENT_FAILED").await;
        assert_eq!(world.payments.stage.calls("ask", id), 1);
        assert_eq!(world.inventory.hold(id), Some(Hold::Released));
        assert_eq!(order.saga.payment, PaymentStatus::Failed);
    })
    .await;
}

#[tokio::test]
async fn race_15_a_payment_whose_event_is_lost_is_found_by_asking() {
    let (store, worker) = quick();
    let store = StoreOptions { payment_deadline: Duration::from_millis(30), ..store };
    on_both_with((store, worker), async |mut world| {
        let id = world.place().await;
        world.payments.set(world.order(id).await.payment_id, PaymentState::Succeeded);
        world.work();
        world.rests(id, "CONFIRMED").await;
    })
    .await;
}

#[tokio::test]
async fn race_16_a_timer_that_was_found_due_before_the_success_does_nothing_after_it() {
    let (store, worker) = quick();
    let store = StoreOptions { payment_deadline: Duration::ZERO, ..store };
    on_both_with((store, worker), async |world| {
        let id = world.place().await;
        let due = world.until(async || world.store.due_timers(10).await.unwrap().first().copied()).await;
        assert_eq!(due.order, id, "the timer was found due");
        world.paid(&world.order(id).await).await.unwrap();
        let paid = world.order(id).await;
        assert_eq!(world.store.fire(&due).await.unwrap(), None);
        // Even one that was not cleared is known to be stale.
        let stale = Input::PaymentDeadline { set_at_version: due.version };
        let applied = world.store.apply(id, &stale, &Cause::default()).await.unwrap();
        assert!(!applied.changed);
        assert_eq!(world.order(id).await, paid);
        assert_eq!(paid.saga.phase, Phase::Committing);
    })
    .await;
}

#[tokio::test]
async fn race_19_whoever_lost_its_lease_writes_nothing() {
    on_both(async |world| {
        let id = world.place().await;
        let zombie = world.store.claim_actions(10).await.unwrap();
        assert_eq!((zombie.len(), zombie[0].order, zombie[0].action), (1, id, Action::ProcessPayment));
        assert_eq!(world.store.claim_actions(10).await.unwrap(), [], "leased means leased");
        world.expire_leases().await;
        let heir = world.store.claim_actions(10).await.unwrap();
        assert_eq!((heir.len(), heir[0].attempts), (1, zombie[0].attempts + 1), "the lease was taken over");
        let before = world.order(id).await;
        let (input, cause) = (Input::PaymentAccepted, Cause::default());
        let late = world.store.settle(&zombie[0], &input, &again(), &cause).await.unwrap();
        assert_eq!(late, Settled::LeaseLost);
        assert_eq!(world.store.retry(&zombie[0], &again()).await.unwrap(), Settled::LeaseLost);
        world.store.forget(&zombie[0]).await.unwrap();
        world.store.set_aside(&zombie[0], &again()).await.unwrap();
        assert_eq!(world.order(id).await, before);
        assert_eq!(world.store.claim_actions(10).await.unwrap(), [], "the heir's lease stands");
        let settled = world.store.settle(&heir[0], &input, &again(), &cause).await.unwrap();
        assert!(matches!(settled, Settled::Applied(applied) if applied.changed));
    })
    .await;
}

#[tokio::test]
async fn race_33_ship_and_cancel_at_once_leave_one_winner() {
    on_both(async |mut world| {
        world.work();
        let twin = world.twin(*world.store.options());
        for _ in 0..4 {
            let id = world.place().await;
            world.paid(&world.order(id).await).await.unwrap();
            world.rests(id, "CONFIRMED").await;
            let (ship, cancel) = (format!("/api/v1/orders/{id}/ship"), format!("/api/v1/orders/{id}/cancel"));
            let (number, nothing) = (json!({"trackingNumber": "T"}), json!(null));
            let (shipped, cancelled) = tokio::join!(world.post(&ship, &number), twin.post(&cancel, &nothing));
            let statuses = (shipped.status.as_u16(), cancelled.status.as_u16());
            assert!(matches!(statuses, (200, 409) | (409, 200)), "{statuses:?}");
            let told = world.told(id).await;
            assert_eq!(told.contains(&"order.shipped".to_owned()), statuses.0 == 200);
            assert_eq!(told.contains(&"order.cancelled".to_owned()), statuses.1 == 200);
        }
    })
    .await;
}

#[tokio::test]
async fn race_36_a_broken_saga_does_not_stop_the_rest() {
    on_both(async |mut world| {
        let broken = world.place().await;
        let newer = world.place().await;
        world.set_saga(broken, "'{\"definition\": 1}'", 1).await;
        world.set_saga(newer, "'{\"definition\": 2, \"what\": \"ever\"}'", 2).await;
        world.work();
        let well = world.place().await;
        world.paid(&world.order(well).await).await.unwrap();
        world.rests(well, "CONFIRMED").await;
        // Both were met, and were put off more than once.
        world
            .until(async || {
                let met = "SELECT count(*) FROM saga_actions WHERE attempts > 2 AND last_error IS NOT NULL";
                (world.number(met).await == 2).then_some(())
            })
            .await;
        for id in [broken, newer] {
            assert_eq!(
                world.payments.stage.calls("process", id),
                0,
                "nothing is called for what is not understood"
            );
            assert_eq!(world.get(&format!("/api/v1/orders/{id}")).await.status.as_u16(), 500);
        }
    })
    .await;
}

#[tokio::test]
async fn race_35_a_saga_of_a_newer_definition_is_left_for_newer_code() {
    use service_kit::events::HandleError;
    on_both(async |world| {
        let id = world.place().await;
        let order = world.order(id).await;
        world.set_saga(id, "'{\"definition\": 2}'", 2).await;
        let heard = world.paid(&order).await;
        assert!(matches!(heard, Err(HandleError::Transient(_))), "{heard:?}");
        assert_eq!(world.number("SELECT count(*) FROM inbox").await, 0, "it is not taken note of");
    })
    .await;
}

#[tokio::test]
async fn race_13_a_payment_that_overtakes_its_order_is_noted_and_counts() {
    on_both(async |mut world| {
        world.work();
        world.inventory.stage.next("reserve", [Act::Wait]);
        let cart = super::world::cart();
        let placing = world.place_with("k", &cart);
        let overtaking = async {
            world.inventory.stage.arrived.notified().await;
            let id = world.only_order().await;
            let order = world.order(id).await;
            assert_eq!(order.saga.phase, Phase::Reserving, "the payment came first");
            world.paid(&order).await.unwrap();
            world.inventory.stage.gate.notify_one();
            id
        };
        let (placed, id) = tokio::join!(placing, overtaking);
        assert_eq!(placed.order_id(), id);
        world.rests(id, "CONFIRMED").await;
        assert_eq!(world.payments.stage.calls("process", id), 0, "what is paid is not asked for");
    })
    .await;
}

#[tokio::test]
async fn race_40_paid_is_not_confirmed_and_not_shipped_before_the_stock_is_committed() {
    on_both(async |mut world| {
        world.work();
        let id = world.place().await;
        world.inventory.stage.next("commit", [Act::Wait]);
        world.paid(&world.order(id).await).await.unwrap();
        world.until(async || (world.inventory.stage.calls("commit", id) == 1).then_some(())).await;
        let (path, body) = (format!("/api/v1/orders/{id}/ship"), json!({"trackingNumber": "T"}));
        assert_eq!(world.post(&path, &body).await.brief(), (409, "invalid_state".to_owned()));
        world.inventory.stage.gate.notify_one();
        world.rests(id, "CONFIRMED").await;
        assert_eq!(world.post(&path, &body).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn a_refund_that_takes_its_time_is_no_alarm() {
    on_both(async |mut world| {
        world.work();
        let id = world.place().await;
        let order = world.order(id).await;
        world.paid(&order).await.unwrap();
        world.rests(id, "CONFIRMED").await;
        // The provider says again and again that it still has the money.
        world.payments.stage.always("refund", Act::Unchanged);
        world.payments.set(order.payment_id, PaymentState::Succeeded);
        world.post(&format!("/api/v1/orders/{id}/cancel"), &json!(null)).await;
        world.until(async || (world.payments.stage.calls("refund", id) > 12).then_some(())).await;
        let order = world.order(id).await;
        assert!(!order.saga.is_stuck && order.saga.outstanding.contains(&Action::RefundPayment));
        world.events.handle(&super::world::refund(&order, uuid::Uuid::now_v7())).await.unwrap();
        world.rests(id, "CANCELLED").await;
    })
    .await;
}
