//! What inventory does about the events of orders, on a real engine over the memory store.

use std::sync::Arc;
use std::time::Duration;

use event_contracts::inventory::Item;
use event_contracts::orders::{OrderCancelled, OrderConfirmed, OrderCreated, OrderFailed, PricedItem};
use event_contracts::{Envelope, Metadata, topics};
use inventory_core::command::SetStock;
use inventory_core::engine::{Engine, ReserveRequest};
use inventory_core::error::ReserveError;
use inventory_core::ids::{OrderId, ProductId};
use inventory_core::lines::Lines;
use inventory_core::options::EngineOptions;
use inventory_core::quantity::{Quantity, Units};
use inventory_core::reservation::Status;
use inventory_core::store::memory::MemoryStore;
use inventory_service::{InventoryEvents, OrderEvents};
use serde::Serialize;
use service_kit::events::{HandleError, Handled, Handler, Incoming};
use uuid::Uuid;

const PRODUCT: ProductId = ProductId::new(7);

struct Shop {
    engine: Engine,
    store: Arc<MemoryStore>,
    events: OrderEvents,
}

async fn shop(encoder: InventoryEvents, events: impl FnOnce(Engine) -> OrderEvents) -> Shop {
    let store = Arc::new(MemoryStore::default());
    let options = EngineOptions { housekeeping: false, ..EngineOptions::default() };
    let engine = Engine::open(store.clone(), Arc::new(encoder), options).await.unwrap();
    engine.set(SetStock::level(PRODUCT, Units::level(10).unwrap())).await.unwrap();
    Shop { events: events(engine.clone()), engine, store }
}

async fn led() -> Shop {
    shop(InventoryEvents::default(), OrderEvents::new).await
}

async fn unled() -> Shop {
    shop(InventoryEvents::for_choreography(), OrderEvents::for_choreography).await
}

impl Shop {
    async fn reserve(&self, order: Uuid, quantity: i64) -> Result<(), ReserveError> {
        let lines = Lines::one(PRODUCT, Quantity::new(quantity).unwrap());
        let request = ReserveRequest { order: OrderId::new(order), lines, customer: None, ttl: None };
        self.engine.reserve(request).await.map(drop)
    }

    async fn status(&self, order: Uuid) -> Option<Status> {
        self.engine.reservation(OrderId::new(order)).await.unwrap().1.map(|reservation| reservation.status)
    }

    async fn stock(&self) -> (i64, i64) {
        let product = self.engine.products(&[PRODUCT]).await.unwrap().remove(0);
        (product.on_hand.get(), product.held.get())
    }

    fn told(&self) -> Vec<String> {
        let rows = self.store.outbox().into_iter().map(|row| row.event_type);
        // Levels come when they come; they have a test of their own.
        rows.filter(|kind| kind != topics::STOCK_LEVEL).collect()
    }
}

fn event<P: Serialize>(topic: &str, order: Uuid, payload: P) -> Incoming {
    let id = Uuid::now_v7();
    let envelope = Envelope {
        event_id: id,
        event_type: topic.to_owned(),
        version: 1,
        timestamp: "2026-11-22T10:00:00Z".parse().unwrap(),
        payload,
        metadata: Metadata {
            source_service: "order-service".to_owned(),
            correlation_id: order.to_string(),
            causation_id: None,
            traceparent: None,
        },
        aggregate_id: order.to_string(),
        aggregate_version: 2,
    };
    Incoming {
        id,
        event_type: topic.to_owned(),
        version: 1,
        key: order.to_string(),
        aggregate_version: 2,
        traceparent: None,
        payload: serde_json::to_vec(&envelope).unwrap(),
    }
}

fn confirmed(order: Uuid) -> Incoming {
    let payload = OrderConfirmed {
        order_id: order,
        user_id: "ada".to_owned(),
        items: vec![Item { product_id: PRODUCT.get(), quantity: 2 }],
        total_amount: "3.00".parse().unwrap(),
        payment_id: Uuid::now_v7(),
    };
    event(topics::ORDER_CONFIRMED, order, payload)
}

fn failed(order: Uuid) -> Incoming {
    let reason = "declined".to_owned();
    event(topics::ORDER_FAILED, order, OrderFailed { order_id: order, user_id: "ada".to_owned(), reason })
}

fn cancelled(order: Uuid) -> Incoming {
    // Longer than the journal takes.
    let reason = "x".repeat(300);
    let payload = OrderCancelled { order_id: order, user_id: "ada".to_owned(), reason };
    event(topics::ORDER_CANCELLED, order, payload)
}

fn created(order: Uuid, quantity: u32) -> Incoming {
    let price = "1.50".parse().unwrap();
    let payload = OrderCreated {
        order_id: order,
        user_id: "ada".to_owned(),
        items: vec![PricedItem { product_id: PRODUCT.get(), quantity, unit_price: price }],
        total_amount: price,
        payment_id: Uuid::now_v7(),
        payment_method: "approve".to_owned(),
    };
    event(topics::ORDER_CREATED, order, payload)
}

#[tokio::test]
async fn i12_a_confirmed_order_is_committed_once_however_often_it_is_told() {
    let shop = led().await;
    let order = Uuid::now_v7();
    shop.reserve(order, 2).await.unwrap();
    let told = confirmed(order);
    for message in [&told, &told, &confirmed(order)] {
        assert_eq!(shop.events.handle(message).await, Ok(Handled::Done));
        assert_eq!((shop.status(order).await, shop.stock().await), (Some(Status::Committed), (8, 0)));
    }
}

#[tokio::test]
async fn race_07_a_cancellation_that_overtakes_the_reserve_leaves_a_tombstone() {
    let shop = led().await;
    let order = Uuid::now_v7();
    assert_eq!(shop.events.handle(&cancelled(order)).await, Ok(Handled::Done));
    let refused = shop.reserve(order, 2).await;
    assert_eq!(refused, Err(ReserveError::AlreadyReleased(OrderId::new(order))));
    assert_eq!(shop.stock().await, (10, 0));
}

#[tokio::test]
async fn i12_a_failed_order_gives_its_stock_back_once() {
    let shop = led().await;
    let order = Uuid::now_v7();
    shop.reserve(order, 2).await.unwrap();
    let told = failed(order);
    for _ in 0..2 {
        assert_eq!(shop.events.handle(&told).await, Ok(Handled::Done));
        assert_eq!((shop.status(order).await, shop.stock().await), (Some(Status::Released), (10, 0)));
    }
}

#[tokio::test]
async fn what_was_sold_is_not_given_back_by_an_event() {
    let shop = led().await;
    let order = Uuid::now_v7();
    shop.reserve(order, 2).await.unwrap();
    assert_eq!(shop.events.handle(&confirmed(order)).await, Ok(Handled::Done));
    assert_eq!(shop.events.handle(&cancelled(order)).await, Ok(Handled::Done));
    assert_eq!((shop.status(order).await, shop.stock().await), (Some(Status::Committed), (8, 0)));
    let released = Uuid::now_v7();
    shop.reserve(released, 1).await.unwrap();
    assert_eq!(shop.events.handle(&failed(released)).await, Ok(Handled::Done));
    assert_eq!(shop.events.handle(&confirmed(released)).await, Ok(Handled::Ignored));
    assert_eq!(shop.stock().await, (8, 0));
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_for_good_and_what_cannot_be_done_now_is_not() {
    let shop = led().await;
    let order = Uuid::now_v7();
    let newer = Incoming { version: 2, ..confirmed(order) };
    let broken = Incoming { payload: b"{".to_vec(), ..confirmed(order) };
    for message in [newer, broken] {
        let handled = shop.events.handle(&message).await;
        assert!(matches!(handled, Err(HandleError::Permanent(_))), "{handled:?}");
    }
    assert_eq!(shop.events.handle(&created(order, 2)).await, Ok(Handled::Ignored), "the order service leads");
    shop.engine.shutdown().await;
    let handled = shop.events.handle(&confirmed(order)).await;
    assert!(matches!(handled, Err(HandleError::Transient(_))), "{handled:?}");
}

#[tokio::test]
async fn where_nobody_leads_a_created_order_is_reserved_and_told_once() {
    let shop = unled().await;
    let order = Uuid::now_v7();
    let told = created(order, 4);
    for message in [&told, &told, &created(order, 4)] {
        assert_eq!(shop.events.handle(message).await, Ok(Handled::Done));
    }
    assert_eq!(shop.stock().await, (10, 4));
    assert_eq!(shop.told(), [topics::STOCK_RESERVED]);
    assert_eq!(shop.events.handle(&confirmed(order)).await, Ok(Handled::Done));
    assert_eq!(shop.told(), [topics::STOCK_RESERVED, topics::STOCK_COMMITTED]);
}

#[tokio::test]
async fn where_nobody_leads_a_refused_order_is_refused_for_good_and_told_once() {
    let shop = unled().await;
    let order = Uuid::now_v7();
    let told = created(order, 11);
    for message in [&told, &told] {
        assert_eq!(shop.events.handle(message).await, Ok(Handled::Done));
    }
    assert_eq!(shop.told(), [topics::STOCK_RESERVATION_FAILED]);
    let rows = shop.store.outbox();
    let row = rows.iter().find(|row| row.topic == topics::STOCK_RESERVATION_FAILED).unwrap();
    let envelope: serde_json::Value = serde_json::from_slice(&row.payload).unwrap();
    assert_eq!(envelope["payload"]["reason"], "insufficient_stock");
    // Stock that comes later does not bring it back.
    shop.engine.set(SetStock::level(PRODUCT, Units::level(50).unwrap())).await.unwrap();
    assert_eq!(shop.events.handle(&told).await, Ok(Handled::Done));
    assert_eq!(shop.stock().await, (50, 0));
    // A conflicting repeat is a defect of the sender, not a reservation.
    let other = Uuid::now_v7();
    assert_eq!(shop.events.handle(&created(other, 1)).await, Ok(Handled::Done));
    let conflict = shop.events.handle(&created(other, 2)).await;
    assert!(matches!(conflict, Err(HandleError::Permanent(_))), "{conflict:?}");
    tokio::time::timeout(Duration::from_secs(10), shop.engine.shutdown()).await.unwrap();
}

#[tokio::test]
async fn a_level_is_told_after_many_changes_and_the_last_one_told_is_true() {
    let shop = led().await;
    for _ in 0..5 {
        shop.reserve(Uuid::now_v7(), 1).await.unwrap();
    }
    // Closing tells what is left, whether or not a period has passed before.
    shop.engine.shutdown().await;
    let rows = shop.store.outbox();
    let levels: Vec<_> = rows.iter().filter(|row| row.topic == topics::STOCK_LEVEL).collect();
    assert!((1..=6).contains(&levels.len()), "{} for six changes", levels.len());
    let last: serde_json::Value = serde_json::from_slice(&levels[levels.len() - 1].payload).unwrap();
    assert_eq!(last["payload"], serde_json::json!({"productId": 7, "onHand": 10, "held": 5, "available": 5}));
}
