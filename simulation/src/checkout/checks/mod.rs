//! What must hold when everything has come to rest: I12 and I13, and that nobody was told anything that is not so.

mod events;
mod justified;
mod money;
mod reached;
mod sagas;
mod stock;
mod told;

use std::collections::BTreeMap;

use inventory_core::store::ledger_copy::LedgerCopy;
use order_service::saga::Phase;
use order_service::store::Order;
use service_kit::events::Incoming;

pub(super) use self::sagas::is_at_rest;
use super::people::Said;
use super::provider::Payment;
use super::rows::Tables;

/// What was found, in words.
pub(super) type Findings = Vec<String>;

/// What the checks look at.
pub(super) struct Evidence {
    pub(super) tables: Tables,
    pub(super) ledger: LedgerCopy,
    /// What there was of each product when the shop opened.
    pub(super) opening: BTreeMap<i64, i64>,
    pub(super) payments: Vec<Payment>,
    /// What inventory's lanes were given of orders.
    pub(super) published: Vec<Incoming>,
    pub(super) dead: Vec<String>,
    pub(super) said: Vec<Said>,
}

/// Whether an order was sold in the end.
fn is_sold(order: &Order) -> bool {
    match order.saga.phase {
        Phase::Confirmed | Phase::Shipped | Phase::Delivered => true,
        Phase::Reserving | Phase::Paying | Phase::Committing | Phase::Compensating | Phase::Ended => false,
    }
}

/// Everything.
pub(super) async fn all(evidence: &Evidence) -> Findings {
    let mut findings: Findings = evidence.dead.iter().map(|letter| format!("I12: {letter}")).collect();
    sagas::check(evidence, &mut findings);
    money::check(evidence, &mut findings);
    stock::check(evidence, &mut findings);
    justified::check(evidence, &mut findings);
    events::check(evidence, &mut findings);
    told::check(evidence, &mut findings);
    match inventory_core::audit::audit(evidence.ledger.clone().into_snapshot()).await {
        Ok(report) => {
            findings.extend(report.violations.iter().map(|violation| format!("audit: {violation}")));
        }
        Err(error) => findings.push(format!("audit: could not be made: {error}")),
    }
    findings
}

/// Which corners the history reached.
pub(super) fn reached(evidence: &Evidence, goals: &crate::tally::Tally<super::goals::Goal>) {
    reached::count(evidence, goals);
}
