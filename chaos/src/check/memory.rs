//! I3: at rest every instance admits exactly what the store has. Shown through the API: all that is left can be held, and not one more.

use anyhow::Result;
use serde_json::json;
use uuid::Uuid;

use super::{Check, Ledger, Scene};
use crate::http::Request;

/// What is promised.
pub(crate) const PROMISE: &str = "every instance admits exactly what the store has";

/// Asks each instance for everything that is left of each product, gives it back, and asks for one more.
pub(crate) async fn equals_the_store(scene: &Scene<'_>, ledger: &Ledger) -> Result<Check> {
    let (mut findings, mut looked_at) = (Vec::new(), 0);
    let mut products: Vec<_> = ledger.products.iter().collect();
    products.sort_unstable();
    for url in scene.stage.inventories() {
        for (product, (on_hand, held)) in &products {
            looked_at += 1;
            if let Some(finding) = look(scene, &url, **product, on_hand - held).await {
                findings.push(format!("{url}, product {product}: {finding}"));
            }
        }
    }
    Ok(Check::new(PROMISE, looked_at, findings))
}

async fn look(scene: &Scene<'_>, url: &str, product: i64, available: i64) -> Option<String> {
    let read = scene.asker.ask(url, &Request::get(format!("/api/v1/inventory/{product}"))).await;
    if read.body().and_then(|body| body["available"].as_i64()) != Some(available) {
        return Some(format!("{available} are available, and it says {read:?}"));
    }
    let order = Uuid::now_v7();
    if available > 0 {
        let all = scene.asker.ask(url, &reserve(order, product, available)).await;
        if all.status() != 201 {
            return Some(format!("all {available} cannot be held: {all:?}"));
        }
        let back = scene
            .asker
            .ask(url, &Request::post("/api/v1/inventory/release", json!({"orderId": order})))
            .await;
        if back.status() != 200 {
            return Some(format!("what was held cannot be given back: {back:?}"));
        }
    }
    let more = scene.asker.ask(url, &reserve(Uuid::now_v7(), product, available + 1)).await;
    let said = more.body().and_then(|body| body["items"][0]["available"].as_i64());
    (more.status() != 409 || said != Some(available))
        .then(|| format!("one more than {available} should be refused: {more:?}"))
}

fn reserve(order: Uuid, product: i64, quantity: i64) -> Request {
    let items = json!([{"productId": product, "quantity": quantity}]);
    Request::post("/api/v1/inventory/reserve", json!({"orderId": order, "items": items, "ttlSeconds": 60}))
}
