//! Recovery: the loop of another instance finds what a crash left.

use std::time::Duration;

use order_service::store::StoreOptions;
use serde_json::json;

use super::fakes::{Act, Hold};
use super::world::{on_both_with, quick};

fn short_lease() -> (StoreOptions, order_service::WorkerOptions) {
    let (store, worker) = quick();
    (StoreOptions { lease: Duration::from_millis(100), ..store }, worker)
}

#[tokio::test]
async fn a_crash_between_intent_and_effect_leaves_the_call_to_others() {
    on_both_with(short_lease(), async |mut world| {
        let id = world.place().await;
        // The dying one claims the call and never makes it.
        world.payments.stage.next("process", [Act::Wait]);
        world.work();
        world.until(async || (world.payments.stage.calls("process", id) == 1).then_some(())).await;
        world.crash().await;
        let mut twin = world.twin(*world.store.options());
        twin.work();
        world.until(async || (world.payments.stage.calls("process", id) == 2).then_some(())).await;
        assert_eq!(world.payments.stage.calls("ask", id), 1, "it asks first");
        world.paid(&world.order(id).await).await.unwrap();
        world.rests(id, "CONFIRMED").await;
    })
    .await;
}

#[tokio::test]
async fn a_crash_between_effect_and_answer_does_not_do_it_twice() {
    on_both_with(short_lease(), async |mut world| {
        let id = world.place().await;
        world.payments.stage.next("process", [Act::DoAndWait]);
        world.work();
        world.until(async || (world.payments.stage.calls("process", id) == 1).then_some(())).await;
        world.crash().await;
        let mut twin = world.twin(*world.store.options());
        twin.work();
        world.until(async || world.order(id).await.saga.outstanding.is_empty().then_some(())).await;
        assert_eq!(world.payments.stage.calls("process", id), 1);
        // More often where this machine took longer than the short lease.
        assert!(world.payments.stage.calls("ask", id) >= 1);
        // The same for the commit, which is keyed and simply made again.
        world.inventory.stage.next("commit", [Act::DoAndWait]);
        world.paid(&world.order(id).await).await.unwrap();
        world.until(async || (world.inventory.stage.calls("commit", id) == 1).then_some(())).await;
        twin.crash().await;
        let mut third = world.twin(*world.store.options());
        third.work();
        world.rests(id, "CONFIRMED").await;
        assert!(world.inventory.stage.calls("commit", id) >= 2);
        assert_eq!(world.inventory.hold(id), Some(Hold::Committed));
        assert_eq!(world.told(id).await, ["order.created", "order.confirmed"]);
    })
    .await;
}

#[tokio::test]
async fn two_instances_share_the_work_and_do_nothing_twice() {
    on_both_with(quick(), async |mut world| {
        let mut twin = world.twin(*world.store.options());
        world.work();
        twin.work();
        let mut orders = Vec::new();
        for n in 0..10 {
            let placed = if n % 2 == 0 { world.place().await } else { twin.place().await };
            orders.push(placed);
        }
        for id in &orders {
            world.paid(&world.order(*id).await).await.unwrap();
        }
        for id in &orders {
            world.rests(*id, "CONFIRMED").await;
            for (name, stage) in [("process", &world.payments.stage), ("commit", &world.inventory.stage)] {
                assert_eq!(stage.calls(name, *id), 1, "{name}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn what_an_order_went_through_stands_in_its_timeline() {
    on_both_with(quick(), async |mut world| {
        world.work();
        let id = world.place().await;
        world.paid(&world.order(id).await).await.unwrap();
        world.rests(id, "CONFIRMED").await;
        let timeline = world.get(&format!("/api/v1/orders/{id}/timeline")).await.json();
        let items = timeline["items"].as_array().unwrap();
        let has = |name: &str, status: &str| {
            items
                .iter()
                .position(|item| item["name"] == name && item["status"] == status)
                .unwrap_or(usize::MAX)
        };
        let way = [
            has("RESERVE_INVENTORY", "STARTED"),
            has("RESERVE_INVENTORY", "COMPLETED"),
            has("PROCESS_PAYMENT", "STARTED"),
            has("PAYMENT_SUCCEEDED", "COMPLETED"),
            has("COMMIT_INVENTORY", "STARTED"),
            has("COMMIT_INVENTORY", "COMPLETED"),
            has("order.confirmed", "COMPLETED"),
        ];
        assert!(way.is_sorted() && way[6] != usize::MAX, "{way:?} in {timeline:#}");
        let event = |name: &str| items.iter().find(|item| item["name"] == name).unwrap();
        assert_eq!(event("order.created")["delivered"], json!(false));
        // The relay took the first one.
        world.sql("DELETE FROM outbox WHERE type = 'order.created'").await;
        let timeline = world.get(&format!("/api/v1/orders/{id}/timeline")).await.json();
        let items = timeline["items"].as_array().unwrap();
        let event = |name: &str| items.iter().find(|item| item["name"] == name).unwrap();
        assert_eq!(event("order.created")["delivered"], json!(true));
        assert_eq!(event("order.confirmed")["delivered"], json!(false));
    })
    .await;
}
