//! Places orders, each under a key of its own, and cancels some.

use std::time::{Duration, Instant};

use rand::RngExt as _;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Client, PRODUCTS};
use crate::http::{Request, Told};
use std::sync::atomic::Ordering;

/// How often it tries at once.
const TRIES_MAX: u32 = 6;
/// How long after its placement an order is cancelled, if it is.
const CANCEL_AFTER: Duration = Duration::from_millis(700);

/// An order that was wished for.
#[derive(Clone, Debug)]
pub(crate) struct Placement {
    /// `Idempotency-Key`.
    pub(crate) key: String,
    /// Whose.
    pub(crate) user: String,
    /// Sorted, each product once.
    pub(crate) lines: Vec<(i64, i32)>,
    /// How it is paid for.
    pub(crate) method: String,
    /// Once a 202 said so.
    pub(crate) order: Option<Uuid>,
    /// Refused for good: no order of it may be sold.
    pub(crate) is_refused: bool,
    /// Answers that no contract has.
    pub(crate) contradictions: Vec<String>,
}

impl Placement {
    /// Whether nobody knows yet what became of it.
    pub(crate) fn is_open(&self) -> bool {
        self.order.is_none() && !self.is_refused && self.contradictions.is_empty()
    }

    fn request(&self) -> Request {
        let items: Vec<Value> = self
            .lines
            .iter()
            .map(|(id, units)| json!({"productId": id, "quantity": units, "unitPrice": "1.25"}))
            .collect();
        let body = json!({"userId": self.user, "items": items, "paymentMethod": self.method});
        Request { key: Some(self.key.clone()), ..Request::post("/api/v1/orders", body) }
    }
}

/// Until it is called home.
pub(crate) async fn place(mut client: Client) -> Vec<Placement> {
    let mut placements = Vec::new();
    while !client.is_called() {
        let mut placement = wish(&mut client);
        ask(&mut client, &mut placement).await;
        if let Some(order) = placement.order
            && client.random.random_range(0..10) == 0
        {
            tokio::time::sleep(CANCEL_AFTER).await;
            // Whether it is cancelled or shipped first is for the audit across the services to judge.
            let cancel = Request::post(format!("/api/v1/orders/{order}/cancel"), json!({"reason": "chaos"}));
            client.ask_orders(&cancel).await;
        }
        placements.push(placement);
        client.rest(60, 250).await;
    }
    placements
}

fn wish(client: &mut Client) -> Placement {
    let method = match client.random.random_range(0..100) {
        0..60 => "approve",
        60..80 => "decline",
        80..90 => "flaky:30",
        90..95 => "duplicate",
        _ => "slow:300",
    };
    let (first, second) =
        (client.random.random_range(1..=PRODUCTS), client.random.random_range(1..=PRODUCTS));
    let mut lines = vec![(first, client.random.random_range(1..=2))];
    if second != first {
        lines.push((second, 1));
    }
    lines.sort_unstable();
    Placement {
        key: Uuid::now_v7().to_string(),
        user: format!("buyer-{}", client.number),
        lines,
        method: method.to_owned(),
        order: None,
        is_refused: false,
        contradictions: Vec::new(),
    }
}

/// Asks until it is known what became of the wish.
pub(crate) async fn settle(client: &mut Client, placement: &mut Placement, deadline: Instant) {
    while placement.is_open() && Instant::now() < deadline {
        ask(client, placement).await;
    }
}

/// Asks a second time for what was placed: the same order must be the answer (I7).
pub(crate) async fn repeat(client: &mut Client, placement: &mut Placement) {
    let before = placement.order;
    ask(client, placement).await;
    if placement.order != before {
        let why =
            format!("I7: the key {} named order {before:?} and then {:?}", placement.key, placement.order);
        placement.contradictions.push(why);
    }
}

async fn ask(client: &mut Client, placement: &mut Placement) {
    for _ in 0..TRIES_MAX {
        let told = client.ask_orders(&placement.request()).await;
        match (told.status(), order_of(&told)) {
            (202, Some(order)) => {
                client.tally().placed.fetch_add(1, Ordering::Relaxed);
                placement.order = Some(order);
                return;
            }
            (409, _) => {
                placement.is_refused = true;
                return;
            }
            // Also where inventory was away: the key may be used again.
            (0 | 503, _) => client.rest(100, 600).await,
            _ => {
                placement.contradictions.push(format!("placement {} was answered {told:?}", placement.key));
                return;
            }
        }
    }
}

fn order_of(told: &Told) -> Option<Uuid> {
    told.body()?["orderId"].as_str()?.parse().ok()
}
