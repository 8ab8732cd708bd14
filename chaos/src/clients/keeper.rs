//! Fills scarce shelves up, by keyed adjustments.

use std::time::Instant;

use rand::RngExt as _;
use serde_json::json;

use super::{Client, PRODUCTS, SCARCE};
use crate::http::Request;

/// What its adjustments are called.
pub(crate) const PREFIX: &str = "chaos-";
/// How often it tries at once.
const TRIES_MAX: u32 = 10;

/// A change of stock that was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Adjustment {
    pub(crate) id: String,
    pub(crate) product: i64,
    pub(crate) delta: i64,
    pub(crate) is_acknowledged: bool,
    /// Answers that no contract has.
    pub(crate) contradictions: Vec<String>,
}

/// Until it is called home.
pub(crate) async fn fill_up(mut client: Client) -> Vec<Adjustment> {
    let mut adjustments = Vec::new();
    for number in 0.. {
        if client.is_called() {
            break;
        }
        let product = PRODUCTS - i64::from(number) % SCARCE;
        let mut adjustment = Adjustment {
            id: format!("{PREFIX}{}", uuid::Uuid::now_v7()),
            product,
            delta: client.random.random_range(5..=25),
            is_acknowledged: false,
            contradictions: Vec::new(),
        };
        ask(&mut client, &mut adjustment).await;
        adjustments.push(adjustment);
        client.rest(300, 900).await;
    }
    adjustments
}

/// Asks until it is acknowledged.
pub(crate) async fn settle(client: &mut Client, adjustment: &mut Adjustment, deadline: Instant) {
    while !adjustment.is_acknowledged && adjustment.contradictions.is_empty() && Instant::now() < deadline {
        ask(client, adjustment).await;
    }
}

async fn ask(client: &mut Client, adjustment: &mut Adjustment) {
    let body = json!({"adjustmentId": adjustment.id, "delta": adjustment.delta, "reason": "filled up"});
    let request = Request::post(format!("/api/v1/inventory/{}/adjust", adjustment.product), body);
    for _ in 0..TRIES_MAX {
        let told = client.ask_inventory(&request).await;
        match told.status() {
            200 => {
                adjustment.is_acknowledged = true;
                return;
            }
            0 | 503 => client.rest(100, 500).await,
            _ => {
                adjustment.contradictions.push(format!("adjustment {} was answered {told:?}", adjustment.id));
                return;
            }
        }
    }
}
