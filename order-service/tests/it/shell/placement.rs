//! Placing orders: keys, refusals, an inventory that does not answer.

use std::time::Duration;

use order_service::saga::{OrderStatus, PaymentStatus};
use order_service::store::Placed;
use serde_json::json;
use uuid::Uuid;

use super::batches::placement;
use super::fakes::{Act, Hold};
use super::world::{cart, on_both, on_both_with, quick};

#[tokio::test]
async fn the_same_key_and_body_answer_the_order_as_it_is_now() {
    on_both(async |mut world| {
        let first = world.place_with("k", &cart()).await;
        let again = world.place_with("k", &cart()).await;
        assert_eq!((again.status.as_u16(), again.order_id()), (202, first.order_id()));
        world.work();
        world.paid(&world.order(first.order_id()).await).await.unwrap();
        world.rests(first.order_id(), "CONFIRMED").await;
        // The same order, written another way.
        let mut body = cart();
        body["paymentMethod"] = json!("approve");
        body["items"][0]["unitPrice"] = json!("12.3");
        let later = world.place_with("k", &body).await;
        assert_eq!((later.status.as_u16(), &later.json()["status"]), (202, &json!("CONFIRMED")));
        assert_eq!(world.number("SELECT count(*) FROM orders").await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_key_counts_for_its_user_and_its_body() {
    on_both(async |world| {
        let first = world.place_with("k", &cart()).await;
        for (field, other) in [("paymentMethod", json!("decline")), ("items", json!([cart()["items"][0]]))] {
            let mut body = cart();
            body[field] = other;
            let answer = world.place_with("k", &body).await;
            assert_eq!(answer.brief(), (422, "idempotency_conflict".to_owned()));
            assert_eq!(answer.order_id(), first.order_id());
        }
        let mut body = cart();
        body["userId"] = json!("bob");
        let other = world.place_with("k", &body).await;
        assert_eq!(other.status, 202);
        assert_ne!(other.order_id(), first.order_id());
        assert_eq!(
            world.post("/api/v1/orders", &cart()).await.brief(),
            (400, "idempotency_key_missing".to_owned())
        );
        assert_eq!(world.place_with("", &cart()).await.brief(), (400, "idempotency_key_missing".to_owned()));
        assert_eq!(
            world.place_with(&"k".repeat(256), &cart()).await.brief(),
            (422, "invalid_request".to_owned())
        );
    })
    .await;
}

#[tokio::test]
async fn race_37_two_at_once_with_one_key_are_one_order() {
    on_both(async |world| {
        let cart = cart();
        // The first is held at inventory, so all others come while its order is not reserved yet.
        world.inventory.stage.next("reserve", [Act::Wait]);
        let first = world.place_with("k", &cart);
        let others = async {
            world.inventory.stage.arrived.notified().await;
            let others = futures::future::join_all((0..8).map(|_| world.place_with("k", &cart))).await;
            assert!(others.iter().all(|answer| answer.json()["status"] == "PENDING"), "they came in between");
            world.inventory.stage.gate.notify_one();
            others
        };
        let (first, others) = tokio::join!(first, others);
        assert!(others.iter().all(|answer| answer.order_id() == first.order_id()));
        // And without any order between them.
        let twin = world.twin(*world.store.options());
        let instances = [&world, &twin];
        let at_once = (0..8).map(|nth| instances[nth % 2].place_with("k2", &cart));
        let at_once = futures::future::join_all(at_once).await;
        let id = at_once[0].order_id();
        assert!(at_once.iter().all(|answer| answer.status == 202 && answer.order_id() == id));
        assert_eq!(world.inventory.stage.calls("reserve", id), 1);
        assert_eq!(world.number("SELECT count(*) FROM orders").await, 2);
    })
    .await;
}

#[tokio::test]
async fn short_stock_is_told_with_the_order_which_is_kept_as_cancelled() {
    on_both(async |mut world| {
        world.work();
        world.inventory.short.lock().unwrap().push(1);
        let answer = world.place_with("k", &cart()).await;
        assert_eq!(answer.brief(), (409, "insufficient_stock".to_owned()));
        assert_eq!(answer.json()["items"], json!([{"productId": 1}]));
        let order = world.rests(answer.order_id(), "CANCELLED").await;
        assert_eq!(order.saga.payment, PaymentStatus::None);
        assert!(order.saga.reason.unwrap().starts_with("insufficient_stock"));
        assert_eq!(world.told(order.id).await, ["order.created", "order.cancelled"]);
        assert_eq!(world.payments.stage.calls("process", order.id), 0);
        // The key stands for that order.
        let again = world.place_with("k", &cart()).await;
        assert_eq!((again.status.as_u16(), again.order_id()), (202, order.id));
    })
    .await;
}

#[tokio::test]
async fn an_inventory_without_an_answer_is_503_and_nothing_is_half_made() {
    on_both(async |mut world| {
        world.work();
        world.inventory.stage.next("reserve", [Act::Fail]);
        let answer = world.place_with("k", &cart()).await;
        assert_eq!(answer.brief(), (503, "inventory_unavailable".to_owned()));
        assert_eq!(answer.headers["retry-after"], "1");
        let gone = world.rests(answer.order_id(), "CANCELLED").await;
        assert_eq!(world.payments.stage.calls("process", gone.id), 0);
        assert_eq!(world.inventory.hold(gone.id), Some(Hold::Released));
        // The key is free again.
        let again = world.place_with("k", &cart()).await;
        assert_eq!(again.status, 202);
        assert_ne!(again.order_id(), gone.id);
    })
    .await;
}

#[tokio::test]
async fn i7_a_key_that_a_repeat_was_told_an_order_for_is_not_given_back() {
    on_both(async |mut world| {
        let cart = cart();
        world.inventory.stage.next("reserve", [Act::WaitAndFail]);
        let repeat = async {
            world.inventory.stage.arrived.notified().await;
            let repeat = world.place_with("k", &cart).await;
            world.inventory.stage.gate.notify_one();
            repeat
        };
        let (first, repeat) = tokio::join!(world.place_with("k", &cart), repeat);
        assert_eq!((repeat.status.as_u16(), &repeat.json()["status"]), (202, &json!("PENDING")));
        // The first hears of the same order, which came to nothing; and so does whoever comes later.
        assert_eq!((first.status.as_u16(), &first.json()["status"]), (202, &json!("CANCELLED")));
        assert_eq!(first.order_id(), repeat.order_id());
        world.work();
        world.rests(first.order_id(), "CANCELLED").await;
        let later = world.place_with("k", &cart).await;
        assert_eq!((later.status.as_u16(), later.order_id()), (202, first.order_id()));
    })
    .await;
}

#[tokio::test]
async fn i7_a_key_stands_when_a_worker_gives_the_reserve_up() {
    on_both(async |mut world| {
        // Its instance died after the placement; whether its caller was told of the order, nobody knows.
        let wanted = placement("u", "k");
        let Placed::New { order, token: Some(_) } = world.store.place(&wanted).await.unwrap() else {
            panic!("it is new")
        };
        world.expire_leases().await;
        world.inventory.stage.always("reserve", Act::Fail);
        world.work();
        world.rests(order.id, "CANCELLED").await;
        assert_eq!(world.store.place(&wanted).await.unwrap(), Placed::Replayed(order.id));
    })
    .await;
}

#[tokio::test]
async fn i7_a_key_is_given_back_once_and_only_its_own() {
    on_both(async |world| {
        let (one, other) = (placement("u", "one"), placement("u", "other"));
        let placed = [world.store.place(&one).await.unwrap(), world.store.place(&other).await.unwrap()];
        let [Placed::New { order: first, .. }, Placed::New { order: second, .. }] = placed else {
            panic!("both are new")
        };
        let back = [first.id, first.id].map(|id| world.store.give_key_back(id));
        let back = futures::future::try_join_all(back).await.unwrap();
        assert_eq!(back.iter().filter(|back| **back).count(), 1, "{back:?}");
        assert!(matches!(world.store.place(&one).await.unwrap(), Placed::New { .. }));
        assert_eq!(world.store.place(&other).await.unwrap(), Placed::Replayed(second.id));
        assert!(!world.store.give_key_back(second.id).await.unwrap(), "a repeat was told of it");
        // The key's second order is not the first.
        assert!(!world.store.give_key_back(first.id).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn race_06_a_reserve_that_timed_out_but_succeeded_is_released() {
    on_both(async |mut world| {
        world.inventory.stage.next("reserve", [Act::DoAndFail]);
        let answer = world.place_with("k", &cart()).await;
        assert_eq!(answer.brief(), (503, "inventory_unavailable".to_owned()));
        let id = answer.order_id();
        assert_eq!(world.inventory.hold(id), Some(Hold::Held), "inventory did it");
        world.work();
        world.rests(id, "CANCELLED").await;
        assert_eq!(world.inventory.hold(id), Some(Hold::Released));
    })
    .await;
}

#[tokio::test]
async fn race_06_a_reserve_that_is_repeated_after_a_crash_finds_its_hold() {
    let (store, worker) = quick();
    on_both_with((store, worker), async |mut world| {
        // Inventory did it, and the instance died before the answer: here, a request whose work never ends.
        world.inventory.stage.next("reserve", [Act::DoAndWait]);
        let cart = cart();
        let placing = world.place_with("k", &cart);
        let cut = async {
            world.inventory.stage.arrived.notified().await;
        };
        // The client goes away; the lease stays with the request's own task.
        tokio::select! { biased; _ = placing => panic!("the call waits"), () = cut => {} }
        let id = world.only_order().await;
        assert_eq!(world.inventory.hold(id), Some(Hold::Held));
        world.expire_leases().await;
        world.work();
        let order = world
            .until(async || {
                let order = world.order(id).await;
                (order.saga.status == OrderStatus::AwaitingPayment).then_some(order)
            })
            .await;
        assert_eq!(world.inventory.stage.calls("reserve", order.id), 2);
        world.inventory.stage.gate.notify_one();
    })
    .await;
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_a_whole_order_behind() {
    on_both(async |mut world| {
        world.work();
        world.inventory.stage.next("reserve", [Act::Wait]);
        let cart = cart();
        let placing = world.place_with("k", &cart);
        let cut = world.inventory.stage.arrived.notified();
        tokio::select! { biased; _ = placing => panic!("the call waits"), () = cut => {} }
        world.inventory.stage.gate.notify_one();
        let id = world.only_order().await;
        world.until(async || (world.payments.stage.calls("process", id) == 1).then_some(())).await;
    })
    .await;
}

#[tokio::test]
async fn an_inventory_that_hangs_is_given_up_at_the_deadline() {
    let (store, mut worker) = quick();
    worker.call_deadline = Duration::from_millis(50);
    on_both_with((store, worker), async |world| {
        world.inventory.stage.next("reserve", [Act::Wait]);
        let answer = world.place_with(&Uuid::new_v4().to_string(), &cart()).await;
        assert_eq!(answer.brief(), (503, "inventory_unavailable".to_owned()));
    })
    .await;
}
