//! Where nobody leads: the same ends, by events alone.

use super::apart::{Fleet, on_every_kafka};
use super::market::{Market, order_id};
use crate::shop::{StoreKind, eventually};

async fn market(kind: StoreKind) -> Market {
    println!("on {kind:?}");
    let market = Market::open(kind, &[("SAGA_MODE", "choreography")]).await;
    market.inventory.stock(1, 10).await;
    market
}

#[tokio::test]
async fn what_is_reserved_and_paid_for_is_confirmed_and_what_is_declined_is_given_back() {
    for kind in [StoreKind::Sqlite, StoreKind::Postgres] {
        let market = market(kind).await;
        let paid = order_id(&market.orders.place("k-1", 3, "approve").await.is(202));
        let declined = order_id(&market.orders.place("k-2", 2, "decline").await.is(202));
        market.orders.becomes(paid, "CONFIRMED", "PAID").await;
        market.orders.becomes(declined, "PAYMENT_FAILED", "FAILED").await;
        eventually("the stock agrees", async || market.inventory.counts(1).await == (7, 0, 7)).await;
        assert_eq!(market.inventory.status(paid).await, "COMMITTED");
        market.checkout_agrees(2).await;
    }
}

#[tokio::test]
async fn refused_stock_dominates_and_what_was_paid_is_refunded() {
    for kind in [StoreKind::Sqlite, StoreKind::Postgres] {
        let market = market(kind).await;
        let order = order_id(&market.orders.place("k-1", 11, "approve").await.is(202));
        eventually("the order is cancelled and owes nothing", async || {
            let body = market.orders.order(order).await;
            let money = body["paymentStatus"].as_str().unwrap_or_default();
            body["status"] == "CANCELLED" && ["REFUNDED", "FAILED", "NONE"].contains(&money)
        })
        .await;
        eventually("nothing is held", async || market.inventory.counts(1).await == (10, 0, 10)).await;
        market.checkout_agrees(1).await;
    }
}

#[tokio::test]
async fn the_three_services_apart_need_nothing_but_events() {
    on_every_kafka("orders by events alone", async |brokers| {
        let fleet = Fleet::with(brokers, &[("SAGA_MODE", "choreography")]).await;
        let (inventory, orders) = (fleet.inventory(), fleet.orders());
        inventory.stock(1, 10).await;
        let paid = order_id(&orders.place("k-1", 3, "approve").await.is(202));
        let declined = order_id(&orders.place("k-2", 2, "decline").await.is(202));
        orders.becomes(paid, "CONFIRMED", "PAID").await;
        orders.becomes(declined, "PAYMENT_FAILED", "FAILED").await;
        eventually("the stock agrees", async || inventory.counts(1).await == (7, 0, 7)).await;
        fleet.checkout_agrees(2).await;
    })
    .await;
}
