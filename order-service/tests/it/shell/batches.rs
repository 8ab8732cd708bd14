//! Many orders in one transaction: what one of them does to the others.

use event_contracts::{payments, topics};
use futures::future::join_all;
use order_service::saga::{Cell, Input};
use order_service::store::{ApplyError, Cause, Placed, Placement};
use service_kit::events::{HandleError, Handled, Handler};
use service_kit::sql::Dialect;
use uuid::Uuid;

use super::world::{incoming, money, on_both, success};

pub(super) fn placement(user: &str, key: &str) -> Placement {
    Placement {
        user_id: user.to_owned(),
        key: key.to_owned(),
        fingerprint: "f".to_owned(),
        items: Vec::new(),
        total: money("1.00"),
        payment_method: "card".to_owned(),
        request_id: None,
        traceparent: None,
    }
}

#[tokio::test]
async fn what_comes_in_at_once_is_written_together_and_each_caller_gets_its_own_answer() {
    on_both(async |world| {
        let wanted: Vec<_> = (0..40).map(|nth| placement(&format!("user {nth}"), "k")).collect();
        let placed = join_all(wanted.iter().map(|placement| world.store.place(placement))).await;
        for (placement, placed) in wanted.iter().zip(placed) {
            let Ok(Placed::New { order, token: Some(_) }) = placed else { panic!("{placed:?}") };
            assert_eq!(order.user_id, placement.user_id);
            assert_eq!(world.order(order.id).await, *order);
        }
        // Nobody else was there: one transaction placed the first, a second one whoever came meanwhile. A transaction's rows
        // have one time.
        let times = world.number("SELECT count(DISTINCT created_at) FROM orders").await;
        assert!(times <= 2, "{times} transactions");
    })
    .await;
}

#[tokio::test]
async fn inputs_of_one_order_that_come_at_once_are_decided_one_after_the_other() {
    on_both(async |world| {
        let id = world.place().await;
        let (input, cause) = (Input::Cancel { reason: None }, Cause::default());
        let answers = join_all((0..3).map(|_| world.store.apply(id, &input, &cause))).await;
        let changed: Vec<bool> = answers.iter().map(|answer| answer.as_ref().unwrap().changed).collect();
        assert_eq!(changed, [true, false, false], "the first cancels, the others find it so");
        assert_ne!(answers[2].as_ref().unwrap().cell, Cell::Apply);
    })
    .await;
}

#[tokio::test]
async fn a_key_that_comes_twice_at_once_places_one_order() {
    on_both(async |world| {
        let (first, same) = (placement("u", "k"), placement("u", "k"));
        let other = Placement { fingerprint: "g".to_owned(), ..placement("u", "k") };
        let placed = join_all([&first, &same, &other].map(|placement| world.store.place(placement))).await;
        let Ok(Placed::New { order, .. }) = &placed[0] else { panic!("{placed:?}") };
        assert_eq!(*placed[1].as_ref().unwrap(), Placed::Replayed(order.id));
        assert_eq!(*placed[2].as_ref().unwrap(), Placed::Conflict(order.id));
        assert_eq!(world.number("SELECT count(*) FROM orders").await, 1);
    })
    .await;
}

#[tokio::test]
async fn an_event_that_is_refused_leaves_nothing_behind_and_the_others_of_its_batch_are_heard() {
    on_both(async |world| {
        let mut events = Vec::new();
        for _ in 0..5 {
            let id = world.place().await;
            events.push(success(&world.order(id).await, Uuid::now_v7()));
        }
        let id = world.place().await;
        let payload = payments::PaymentSuccessful {
            payment_id: world.order(id).await.payment_id,
            order_id: id,
            amount: money("0.01"),
        };
        events.insert(2, incoming(topics::PAYMENT_SUCCESSFUL, Uuid::now_v7(), id, payload));
        let unknown = Uuid::now_v7();
        let handled = join_all(events.iter().map(|event| world.events.handle(event))).await;
        for (nth, handled) in handled.iter().enumerate() {
            match nth {
                2 => assert!(matches!(handled, Err(HandleError::Permanent(_))), "{handled:?}"),
                _ => assert_eq!(*handled, Ok(Handled::Done)),
            }
        }
        assert_eq!(world.number("SELECT count(*) FROM inbox").await, 5);
        assert_eq!(world.number("SELECT count(*) FROM payments_seen").await, 5);
        // Not a duplicate: it never counted.
        let again = world.events.handle(&events[2]).await;
        assert!(matches!(again, Err(HandleError::Permanent(_))), "{again:?}");
        let missing = world.store.apply(unknown, &Input::Deliver, &Cause::default()).await;
        assert!(matches!(missing, Err(ApplyError::Unknown(id)) if id == unknown), "{missing:?}");
    })
    .await;
}

#[tokio::test]
async fn what_the_database_refuses_fails_alone() {
    on_both(async |world| {
        // No line of an order may have less than one piece: the database's own check says so.
        let mut broken = placement("broken", "k");
        broken.items = vec![event_contracts::orders::PricedItem {
            product_id: 1,
            quantity: 0,
            unit_price: money("1.00"),
        }];
        let mut wanted: Vec<_> = (0..8).map(|nth| placement(&format!("user {nth}"), "k")).collect();
        wanted.insert(4, broken);
        let placed = join_all(wanted.iter().map(|placement| world.store.place(placement))).await;
        for (placement, placed) in wanted.iter().zip(placed) {
            match placement.user_id.as_str() {
                "broken" => assert!(matches!(placed, Err(ApplyError::Sql(_))), "{placed:?}"),
                _ => assert!(matches!(placed, Ok(Placed::New { .. })), "{placed:?}"),
            }
        }
        assert_eq!(world.number("SELECT count(*) FROM orders").await, 8);
        assert_eq!(world.number("SELECT count(*) FROM idempotency_keys").await, 8);
    })
    .await;
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_its_change_to_the_batch() {
    on_both(async |world| {
        let wanted = placement("u", "k");
        // Polled once, it is under way.
        let mut placing = Box::pin(world.store.place(&wanted));
        assert!(futures::poll!(placing.as_mut()).is_pending());
        drop(placing);
        world.until(async || (world.number("SELECT count(*) FROM orders").await == 1).then_some(())).await;
        let again = world.store.place(&wanted).await.unwrap();
        assert!(matches!(again, Placed::Replayed(_)), "{again:?}");
    })
    .await;
}

#[tokio::test]
async fn a_history_does_not_go_backwards_when_the_clock_does() {
    on_both(async |world| {
        let id = world.place().await;
        world
            .sql(match world.store.database().dialect() {
                Dialect::Postgres => "UPDATE orders SET updated_at = updated_at + interval '1 hour'",
                Dialect::Sqlite => "UPDATE orders SET updated_at = updated_at + 3600000000",
            })
            .await;
        let before = world.order(id).await.updated_at;
        world.store.apply(id, &Input::Cancel { reason: None }, &Cause::default()).await.unwrap();
        assert_eq!(world.order(id).await.updated_at, before);
        assert_eq!(world.timeline(id).await.last().unwrap().at, before);
    })
    .await;
}
