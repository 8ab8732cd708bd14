//! Hearing what others tell.

use event_contracts::{inventory, payments, topics};
use service_kit::events::{HandleError, Handled, Handler};
use uuid::Uuid;

use super::world::{decline, incoming, money, on_both, success};

#[tokio::test]
async fn race_03_the_same_payment_event_again_is_a_duplicate() {
    on_both(async |world| {
        let id = world.place().await;
        let event = success(&world.order(id).await, Uuid::now_v7());
        assert_eq!(world.events.handle(&event).await, Ok(Handled::Done));
        let after = world.order(id).await;
        assert_eq!(world.events.handle(&event).await, Ok(Handled::Duplicate));
        assert_eq!(world.order(id).await, after);
    })
    .await;
}

#[tokio::test]
async fn race_20_the_same_event_handled_at_once_counts_once() {
    on_both(async |world| {
        let id = world.place().await;
        let event = success(&world.order(id).await, Uuid::now_v7());
        // Two instances: one of them would handle the two one after the other.
        let twin = world.twin(*world.store.options());
        let both = tokio::join!(world.events.handle(&event), twin.events.handle(&event));
        let done = [both.0, both.1].into_iter().filter(|handled| *handled == Ok(Handled::Done)).count();
        assert_eq!(done, 1);
        assert_eq!(
            world.number("SELECT count(*) FROM saga_state_log WHERE step_name = 'PAYMENT_SUCCEEDED'").await,
            1
        );
    })
    .await;
}

#[tokio::test]
async fn race_04_the_same_outcome_under_another_id_is_a_duplicate() {
    on_both(async |world| {
        let id = world.place().await;
        let order = world.order(id).await;
        assert_eq!(world.paid(&order).await, Ok(Handled::Done));
        let after = world.order(id).await;
        let other = success(&order, Uuid::now_v7());
        assert_eq!(world.events.handle(&other).await, Ok(Handled::Duplicate));
        // Taken note of, too: its second delivery is known by its own id.
        assert_eq!(world.number("SELECT count(*) FROM inbox").await, 2);
        assert_eq!(world.order(id).await, after);
    })
    .await;
}

#[tokio::test]
async fn race_05_a_success_dominates_a_failure_in_either_order() {
    on_both(async |mut world| {
        world.work();
        let (first, second) = (world.place().await, world.place().await);
        let order = world.order(first).await;
        world.paid(&order).await.unwrap();
        assert_eq!(world.events.handle(&decline(&order, Uuid::now_v7())).await, Ok(Handled::Done));
        world.rests(first, "CONFIRMED").await;
        let order = world.order(second).await;
        world.declined(&order).await.unwrap();
        world.paid(&order).await.unwrap();
        // Failed first: the stock is gone, so the money goes back.
        let order = world.rests(second, "PAYMENT_FAILED").await;
        assert_eq!(order.saga.payment, order_service::saga::PaymentStatus::Refunded);
    })
    .await;
}

#[tokio::test]
async fn money_that_is_not_this_orders_never_moves_it() {
    on_both(async |world| {
        let id = world.place().await;
        let order = world.order(id).await;
        let paid = |payment_id, amount| {
            let payload = payments::PaymentSuccessful { payment_id, order_id: id, amount };
            incoming(topics::PAYMENT_SUCCESSFUL, Uuid::now_v7(), id, payload)
        };
        for wrong in [paid(Uuid::now_v7(), order.total), paid(order.payment_id, money("0.01"))] {
            let handled = world.events.handle(&wrong).await;
            assert!(matches!(handled, Err(HandleError::Permanent(_))), "{handled:?}");
        }
        assert_eq!(world.order(id).await, order);
        assert_eq!(world.number("SELECT count(*) FROM inbox").await, 0);
        assert_eq!(world.events.handle(&paid(order.payment_id, order.total)).await, Ok(Handled::Done));
    })
    .await;
}

#[tokio::test]
async fn events_that_cannot_be_understood_are_told_apart() {
    on_both(async |world| {
        let id = world.place().await;
        let good = success(&world.order(id).await, Uuid::now_v7());
        let mut newer = good.clone();
        newer.version = 2;
        let mut garbled = good.clone();
        garbled.payload = b"{".to_vec();
        for wrong in [&newer, &garbled] {
            let handled = world.events.handle(wrong).await;
            assert!(matches!(handled, Err(HandleError::Permanent(_))), "{handled:?}");
        }
        let mut other = good.clone();
        other.event_type = "inventory.stock.low".to_owned();
        assert_eq!(world.events.handle(&other).await, Ok(Handled::Ignored));
        let stranger = Uuid::now_v7();
        let payload = inventory::StockCommitted { order_id: stranger, items: Vec::new() };
        let event = incoming(topics::STOCK_COMMITTED, Uuid::now_v7(), stranger, payload);
        assert_eq!(world.events.handle(&event).await, Ok(Handled::Ignored));
    })
    .await;
}

#[tokio::test]
async fn what_inventory_tells_reaches_the_saga() {
    on_both(async |mut world| {
        world.work();
        let id = world.place().await;
        let at = world.order(id).await.created_at;
        let (items, customer_id) = (Vec::new(), None);
        let expired = inventory::ReservationExpired {
            order_id: id,
            customer_id: customer_id.clone(),
            items: items.clone(),
            created_at: at,
            expires_at: at,
        };
        let event = incoming(topics::RESERVATION_EXPIRED, Uuid::now_v7(), id, expired);
        assert_eq!(world.events.handle(&event).await, Ok(Handled::Done));
        // Even where the saga would not mind, a second delivery is known by its id.
        assert_eq!(world.events.handle(&event).await, Ok(Handled::Duplicate));
        let reason = "reservation_expired".to_owned();
        let lost = inventory::CommitFailed {
            order_id: id,
            customer_id,
            items,
            reason,
            created_at: at,
            expires_at: at,
        };
        let event = incoming(topics::COMMIT_FAILED, Uuid::now_v7(), id, lost);
        assert_eq!(world.events.handle(&event).await, Ok(Handled::Done));
        world.rests(id, "CANCELLED").await;
    })
    .await;
}
