//! A closed load of orders: each placer places one, waits until it is CONFIRMED, places the next. That it is confirmed is learnt
//! as others learn it: from `order.confirmed`, by one reader for all, so that waiting costs the order service nothing.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use event_contracts::topics;
use hdrhistogram::Histogram;
use serde::Deserialize;
use service_kit::events::Transport as _;
use service_kit::events::kafka::{KafkaOptions, KafkaTransport};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::connection::{Connection, JSON};

const PATH: &str = "/api/v1/orders";
/// Reads beside the services, as a group of its own.
const GROUP: &str = "bench-orders";
/// An order that takes longer is lost.
const CONFIRMED_WITHIN: Duration = Duration::from_secs(60);

/// What a load came to.
#[derive(Debug)]
pub struct Outcome {
    /// Orders that became CONFIRMED.
    pub orders: u64,
    /// From the first POST to the last confirmation.
    pub elapsed: Duration,
    /// From each POST to its confirmation, in microseconds.
    pub latency_us: Histogram<u64>,
}

impl Outcome {
    /// Orders per second.
    pub fn rate(&self) -> f64 {
        self.orders as f64 / self.elapsed.as_secs_f64()
    }
}

/// Which orders are confirmed, for those who wait. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Confirmations(Arc<Mutex<HashMap<Uuid, Told>>>);

/// Confirmation and question may come in either order.
#[derive(Debug)]
enum Told {
    Asked(oneshot::Sender<Instant>),
    Confirmed(Instant),
}

impl Confirmations {
    /// Reads confirmations until that fails: run it beside the placers.
    pub async fn follow(&self, brokers: String) -> Result<Infallible> {
        let kafka = KafkaTransport::new(KafkaOptions::new(brokers, GROUP))?;
        let mut subscription = kafka.subscribe(GROUP, &[topics::ORDER_CONFIRMED]).await?;
        loop {
            let received = subscription.next().await?;
            let now = Instant::now();
            for one in &received {
                self.tell(one.record.key.parse()?, now);
            }
            subscription.done(&received).await?;
        }
    }

    fn tell(&self, order: Uuid, at: Instant) {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match told.remove(&order) {
            // A placer that gave up does not hear it any more.
            Some(Told::Asked(placer)) => drop(placer.send(at)),
            Some(Told::Confirmed(_)) | None => drop(told.insert(order, Told::Confirmed(at))),
        }
    }

    /// When it was confirmed.
    async fn wait(&self, order: Uuid) -> Result<Instant> {
        let answer = {
            let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(Told::Confirmed(at)) = told.remove(&order) {
                return Ok(at);
            }
            let (ask, answer) = oneshot::channel();
            told.insert(order, Told::Asked(ask));
            answer
        };
        let told = tokio::time::timeout(CONFIRMED_WITHIN, answer).await;
        told.with_context(|| format!("order {order} is not confirmed after {CONFIRMED_WITHIN:?}"))?
            .context("the reader of confirmations ended")
    }
}

/// Runs so many placers on products `1..=products` for `length`; what is under way then is waited for, and counts.
pub async fn run(
    addr: SocketAddr,
    confirmations: &Confirmations,
    placers: usize,
    products: i64,
    length: Duration,
) -> Result<Outcome> {
    let started = Instant::now();
    let until = started + length;
    let mut tasks = JoinSet::new();
    for number in (0..products).cycle().take(placers) {
        let confirmations = confirmations.clone();
        tasks.spawn(async move { placer(addr, &confirmations, number, products, until).await });
    }
    let mut total = Outcome { orders: 0, elapsed: Duration::ZERO, latency_us: Histogram::new(3)? };
    while let Some(done) = tasks.join_next().await {
        total.latency_us.add(done??)?;
    }
    (total.orders, total.elapsed) = (total.latency_us.len(), started.elapsed());
    Ok(total)
}

/// The naive buyers' walk over the products.
async fn placer(
    addr: SocketAddr,
    confirmations: &Confirmations,
    mut at: i64,
    products: i64,
    until: Instant,
) -> Result<Histogram<u64>> {
    let mut connection = Connection::open(addr).await?;
    let mut latency_us = Histogram::new(3)?;
    while Instant::now() < until {
        at = (at + 7_919) % products;
        let placed = Instant::now();
        let order = place(&mut connection, at + 1).await?;
        let confirmed = confirmations.wait(order).await?;
        latency_us.record(u64::try_from((confirmed - placed).as_micros())?)?;
    }
    Ok(latency_us)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Placed {
    order_id: Uuid,
}

async fn place(connection: &mut Connection, product: i64) -> Result<Uuid> {
    let headers = format!("{JSON}idempotency-key: {}\r\n", Uuid::now_v7());
    let body = format!(
        r#"{{"userId":"user-{product}","items":[{{"productId":{product},"quantity":1,"unitPrice":"1.50"}}],"paymentMethod":"approve"}}"#
    );
    let status = connection.post(PATH, &headers, &body).await?;
    ensure!(status == 202, "{PATH} answered {status}: {}", String::from_utf8_lossy(connection.answer()));
    let placed: Placed = serde_json::from_slice(connection.answer())?;
    Ok(placed.order_id)
}
