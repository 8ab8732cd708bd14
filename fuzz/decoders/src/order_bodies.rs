//! Bodies of the orders' calls: the same bytes as each of them.

use order_service::wire::requests::{AbandonWire, CancelWire, PlaceOrder, PlaceWire, ShipWire, SkipWire};
use serde_json::json;

use crate::promises;

/// Reads `bytes` as every body.
pub fn run(bytes: &[u8]) {
    if let Some(order) = promises::body::<PlaceWire>(bytes) {
        check_order(&order);
    }
    promises::body::<CancelWire>(bytes).flatten().iter().for_each(|reason| promises::text(reason));
    promises::body::<ShipWire>(bytes).iter().for_each(|number| promises::text(number));
    promises::body::<AbandonWire>(bytes).iter().for_each(|reason| promises::text(reason));
    promises::body::<SkipWire>(bytes).iter().for_each(|(_, reason)| promises::text(reason));
}

fn check_order(order: &PlaceOrder) {
    promises::text(&order.user_id);
    promises::text(&order.payment_method);
    assert!((1..=256).contains(&order.items.len()), "{order:?}");
    let mut total = 0;
    for item in &order.items {
        assert!((1..=i32::MAX.cast_unsigned()).contains(&item.quantity), "{item:?}");
        total += item.unit_price.cents() * i64::from(item.quantity);
    }
    assert_eq!(order.total.cents(), total, "{order:?}");
    // The same order, however it is written, is the same order under its Idempotency-Key.
    let items: Vec<_> = order
        .items
        .iter()
        .map(|item| json!({"unitPrice": item.unit_price, "quantity": item.quantity, "productId": item.product_id}))
        .collect();
    let written = json!({"paymentMethod": order.payment_method, "items": items, "userId": order.user_id});
    let read = promises::body::<PlaceWire>(written.to_string().as_bytes()).expect("an order can be written");
    assert_eq!(read.fingerprint(), order.fingerprint(), "{written}");
    assert_eq!(&read, order, "{written}");
}
