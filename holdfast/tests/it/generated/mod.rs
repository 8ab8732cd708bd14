//! Requests made from the documents that the services serve: right ones, ones at a bound, and wrong ones, for every operation. The
//! document is believed in both directions: what it allows is not refused for its form, and what it forbids is. Every answer must be
//! one that the document promises.

mod document;
mod judge;
mod known;
mod plan;
mod schema;
mod spoil;
mod values;

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand::rngs::StdRng;
use test_support::service::Port;

use self::document::{Document, Operation};
use self::known::Known;
use self::plan::{Plan, Planner};
use crate::answers::Answer;
use crate::checkout::market::{Market, order_id};
use crate::shop::{Caller, StoreKind};

/// Requests to each operation.
const ROUNDS: usize = 60;
/// Rounds in which every bound of every body is crossed, one at a time. Bodies differ in which of their members they have.
const ROUNDS_BEYOND: usize = 6;
/// Another seed, other requests. One that found something is added and stays.
const SEEDS: [u64; 2] = [20_261_123, 7];

/// Operations that only an order in one certain state grants; whether one is met is chance.
const GRANTED_BY_CHANCE: [&str; 4] = ["ship", "deliver", "skip", "abandon"];

#[tokio::test]
async fn inventory_answers_whatever_its_document_allows_and_forbids_as_the_document_says() {
    let market = stocked(StoreKind::Sqlite).await;
    believe(&market, Port::Inventory, "/api/v1/inventory").await;
    market.inventory.audit_is_ok().await;
}

#[tokio::test]
async fn orders_answers_whatever_its_document_allows_and_forbids_as_the_document_says() {
    for kind in [StoreKind::Sqlite, StoreKind::Postgres] {
        println!("on {kind:?}");
        let market = stocked(kind).await;
        believe(&market, Port::Orders, "/api/v1/orders").await;
        market.inventory.audit_is_ok().await;
    }
}

#[tokio::test]
async fn payments_answers_whatever_its_document_allows_and_forbids_as_the_document_says() {
    let market = stocked(StoreKind::Sqlite).await;
    believe(&market, Port::Payments, "/api/v1/payments").await;
}

/// Everything in one process, with the products that requests ask for.
async fn stocked(kind: StoreKind) -> Market {
    let market = Market::open(kind, &[("RUST_LOG", "warn")]).await;
    for product in known::PRODUCTS {
        market.inventory.stock(product, 1_000_000).await;
    }
    let limited = serde_json::json!({"onHand": 1_000_000, "perCustomerLimit": 3});
    market.inventory.put(known::LIMITED, &limited).await.is(200);
    market
}

async fn believe(market: &Market, port: Port, root: &str) {
    let service = Caller::new(&market.process.url_of(port));
    let document = Document::read(&service).await;
    let operations = document.operations();
    assert!(
        operations.iter().any(|operation| operation.path.starts_with(root)),
        "not the document of {root}"
    );
    let mut known = Known::default();
    for n in 0..8 {
        let placed = market.orders.place(&format!("known-{n}"), 1, "approve").await;
        let order = order_id(&placed.is(202));
        market.orders.becomes(order, "CONFIRMED", "PAID").await;
        known.learn(&market.orders.order(order).await);
    }
    let mut tally = Tally::default();
    for seed in SEEDS {
        println!("seed {seed}");
        let mut planner = Planner::new(&document, StdRng::seed_from_u64(seed), &mut known);
        for _ in 0..ROUNDS {
            for operation in &operations {
                let plan = planner.plan(operation);
                let answer = plan.send(&service).await;
                judge::answer(&document, operation, &plan, &answer);
                planner.known.learn_from(&answer);
                tally.count(operation, &plan, &answer);
            }
        }
        // By chance of its own: what the rounds above come to does not depend on it.
        let mut planner = Planner::new(&document, StdRng::seed_from_u64(!seed), &mut known);
        for operation in operations.iter().cycle().take(operations.len() * ROUNDS_BEYOND) {
            for plan in planner.beyond(operation) {
                let answer = plan.send(&service).await;
                judge::answer(&document, operation, &plan, &answer);
            }
        }
    }
    tally.insist(&operations);
    let log = market.process.log();
    assert!(!log.contains("panicked") && !log.contains("internal_error"), "{log}");
    assert!(market.process.is_ready().await, "the process is no longer ready");
}

/// What was answered, by operation.
#[derive(Default)]
struct Tally(BTreeMap<String, BTreeMap<u16, usize>>);

impl Tally {
    fn count(&mut self, operation: &Operation, plan: &Plan, answer: &Answer) {
        // A wrong method meets no operation.
        if plan.method == operation.method {
            *self.0.entry(operation.name.clone()).or_default().entry(answer.status).or_default() += 1;
        }
    }

    /// A proof that only ever met refusals, or none, proves nothing.
    fn insist(&self, operations: &[Operation]) {
        println!("{:#?}", self.0);
        for operation in operations {
            let met = &self.0[&operation.name];
            let granted = met.keys().any(|status| *status < 300);
            assert!(
                granted || GRANTED_BY_CHANCE.iter().any(|verb| operation.path.ends_with(verb)),
                "{} never succeeded: {met:?}",
                operation.name
            );
            let refuses = operation.answers.contains_key(&422);
            assert!(!refuses || met.contains_key(&422), "{} never refused a form: {met:?}", operation.name);
        }
    }
}
