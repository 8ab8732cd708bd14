//! What must hold when everything has come to rest.

mod acknowledged;
mod clocks;
mod justified;
mod order;
mod orders;
mod reached;
mod rest;

use std::time::Duration;

use inventory_core::store::Sharing;
use inventory_core::store::ledger_copy::LedgerCopy;

use self::orders::Orders;
use crate::history::Op;
use crate::ledger::{Log, SimulatedLedger};
use crate::workload::Shop;

/// How long after its time a hold may still be held: the scan for orphans, its period, and a margin for batches on their way.
pub(crate) const SWEEP_BOUND: Duration = Duration::from_secs(4);

/// An exclusive engine refuses by what it has settled. What its own unanswered batch gives back counts from the answer on: to everyone
/// outside that batch is still under way.
const UNSETTLED_MAX: Duration = Duration::from_secs(30);

/// What was found, in words.
pub(crate) type Findings = Vec<String>;

/// What the checks look at.
pub(crate) struct Evidence {
    pub(crate) ops: Vec<Op>,
    pub(crate) log: Log,
    pub(crate) copy: LedgerCopy,
    /// How stale "sold out" may be.
    grace: Duration,
    orders: Orders,
}

impl Evidence {
    fn gather(ledger: &SimulatedLedger, shop: &Shop) -> Self {
        let (ops, log) = (shop.history.ops(), ledger.log());
        let orders = Orders::of(&log);
        let grace = match shop.processes.sharing() {
            Sharing::Shared => Duration::ZERO,
            Sharing::Exclusive => UNSETTLED_MAX,
        };
        Self { ops, log, copy: ledger.copy(), grace, orders }
    }
}

/// Everything. Touches the ledger: a fresh caller buys whatever is left.
pub(crate) async fn all(seed: u64, ledger: &SimulatedLedger, shop: &Shop) -> Findings {
    let mut findings = Findings::new();
    rest::no_hold_outlives_its_time(ledger, &mut findings);
    rest::everything_can_be_had(seed, ledger, shop, &mut findings).await;
    rest::memory_is_the_ledger(ledger, shop, &mut findings).await;
    let evidence = Evidence::gather(ledger, shop);
    audit(&evidence, &mut findings).await;
    acknowledged::check(&evidence, &mut findings);
    justified::check(&evidence, &mut findings);
    clocks::check(&evidence, &mut findings);
    order::check(&evidence, ledger.now(), shop.processes.sharing(), &mut findings);
    reached::count(&evidence, shop);
    findings
}

/// I1, I2, I4, I10 and more: the ledger against itself.
async fn audit(evidence: &Evidence, findings: &mut Findings) {
    match inventory_core::audit::audit(evidence.copy.clone().into_snapshot()).await {
        Ok(report) => {
            findings.extend(report.violations.iter().map(|violation| format!("audit: {violation}")))
        }
        Err(error) => findings.push(format!("audit: could not be made: {error}")),
    }
}
