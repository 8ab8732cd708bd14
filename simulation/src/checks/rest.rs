//! I3, I8, I17: at rest nothing is held beyond its time, memory is what the ledger is, and a fresh caller can have the last unit of
//! everything.

use std::time::Duration;

use inventory_core::engine::ReserveRequest;
use inventory_core::error::{ExtendError, ReserveError};
use inventory_core::ids::{CustomerId, OrderId, ProductId};
use inventory_core::lines::Lines;
use inventory_core::product::Product;
use inventory_core::quantity::Quantity;
use inventory_core::reservation::Status;

use super::{Findings, SWEEP_BOUND};
use crate::dice::Dice;
use crate::history::{Asked, Ending, Heard};
use crate::ledger::SimulatedLedger;
use crate::processes::Running;
use crate::workload::{Caller, Shop};

/// The number of the caller who comes last.
const LAST_CALLER: u32 = 9_999;

/// I8.
pub(super) fn no_hold_outlives_its_time(ledger: &SimulatedLedger, findings: &mut Findings) {
    let now = ledger.now();
    let held = ledger.copy().reservations;
    let overdue = held.iter().filter(|r| r.status == Status::Held && r.expires_at.plus(SWEEP_BOUND) < now);
    findings.extend(
        overdue.map(|r| format!("I8: order {} ended at {} and is held at {now}", r.order, r.expires_at)),
    );
}

/// Every unit that the ledger has can be had, and not one more.
pub(super) async fn everything_can_be_had(
    seed: u64,
    ledger: &SimulatedLedger,
    shop: &Shop,
    findings: &mut Findings,
) {
    let caller = Caller::new(shop, seed, LAST_CALLER);
    let dice = Dice::of(seed, "last caller");
    let engines = shop.processes.all();
    for (product, running) in ledger.copy().products.iter().zip(engines.iter().cycle()) {
        let mut had = Vec::new();
        for (units, customer) in portions(product) {
            let request = request(&dice, product.id, units, customer);
            had.push(Asked::Release(request.order, None, None));
            let heard = caller.ask_of(running, Asked::Reserve(request), None).await;
            if heard.ending() != Ending::Yes {
                findings.push(leak(product, running, &heard));
            }
        }
        let stranger = CustomerId::parse("someone else").ok();
        let one_more = Asked::Reserve(request(&dice, product.id, Quantity::ONE, stranger));
        let heard = caller.ask_of(dice.pick(&engines), one_more, None).await;
        if !matches!(heard, Heard::Reserve(Err(ReserveError::InsufficientStock(_)))) {
            findings.push(format!("I1: one more than there is of product {}: {heard:?}", product.id));
        }
        for release in had {
            caller.ask_of(dice.pick(&engines), release, None).await;
        }
    }
}

fn leak(product: &Product, running: &Running, heard: &Heard) -> String {
    let counter = running.engine.counter(product.id);
    let (id, available) = (product.id, product.available());
    format!("I3: product {id} has {available} and engine {} says {heard:?} ({counter:?})", running.process)
}

/// What is left, as fresh callers may have it: at once, or so much a customer.
fn portions(product: &Product) -> Vec<(Quantity, Option<CustomerId>)> {
    let mut left = product.available().get();
    let most = product.per_customer_limit.map_or(i64::MAX, |limit| limit.units().get());
    let mut portions = Vec::new();
    while let Ok(portion) = Quantity::new(left.min(most)) {
        let number = portions.len();
        portions.push((portion, CustomerId::parse(&format!("fresh customer {number}")).ok()));
        left -= portion.units().get();
    }
    portions
}

fn request(dice: &Dice, product: ProductId, units: Quantity, customer: Option<CustomerId>) -> ReserveRequest {
    let order = OrderId::new(dice.id());
    ReserveRequest { order, lines: Lines::one(product, units), customer, ttl: None }
}

/// I3: after a look, every engine knows what the ledger has, and nothing is in flight.
pub(super) async fn memory_is_the_ledger(ledger: &SimulatedLedger, shop: &Shop, findings: &mut Findings) {
    let products = ledger.copy().products;
    let ids: Vec<ProductId> = products.iter().map(|product| product.id).collect();
    for running in shop.processes.all() {
        // Who was idle while a standby took over learns of it by his next command.
        let nobodys = OrderId::new(uuid::Uuid::nil());
        if let Err(ExtendError::Failed(failure)) =
            running.engine.extend(nobodys, Duration::from_secs(1)).await
        {
            findings.push(format!("engine {} cannot work at rest: {failure}", running.process));
        }
        if let Err(error) = running.engine.products(&ids).await {
            findings.push(format!("engine {} cannot read at rest: {error}", running.process));
        }
        for product in &products {
            let Some(cell) = running.engine.counter(product.id) else { continue };
            let is_same = cell.base.available == product.available() && cell.base.version == product.version;
            if !is_same || cell.free != product.available() {
                let (have, process) = (product.available(), running.process);
                findings.push(format!(
                    "I3: product {} has {have} at version {}, engine {process} believes {cell:?}",
                    product.id, product.version
                ));
            }
        }
        let queued = running.engine.stats().queued;
        if queued > 0 || !running.engine.is_ready() {
            findings.push(format!("engine {} is not at rest: {queued} commands wait", running.process));
        }
    }
}
