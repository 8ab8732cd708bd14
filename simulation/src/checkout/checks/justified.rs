//! No order ends without a sale for no reason: whatever ended it was so.

use std::collections::{BTreeMap, BTreeSet};

use inventory_core::ids::OrderId;
use inventory_core::reservation::Status;
use order_service::saga::{Input, Phase};
use uuid::Uuid;

use super::{Evidence, Findings};
use crate::checkout::people::Said;
use crate::checkout::rows::Stepped;

/// What there is to compare with.
struct Facts {
    wants_out: BTreeSet<Uuid>,
    stock: BTreeMap<OrderId, Status>,
    declined: BTreeSet<Uuid>,
}

pub(super) fn check(evidence: &Evidence, findings: &mut Findings) {
    let wants_out = evidence.said.iter().filter_map(|said| match said {
        Said::WantsOut(order) => Some(*order),
        _ => None,
    });
    let stock = evidence.ledger.reservations.iter().map(|it| (it.order, it.status));
    let declined = evidence.payments.iter().filter(|payment| payment.was_declined);
    let facts = Facts {
        wants_out: wants_out.collect(),
        stock: stock.collect(),
        declined: declined.map(|payment| payment.order).collect(),
    };
    for step in evidence.tables.steps.iter().filter(|step| ends(step)) {
        if !facts.justify(step) {
            let stock = facts.stock.get(&OrderId::new(step.order));
            findings.push(format!(
                "I13: order {} was ended by {:?} and that was not so; its stock is {stock:?}",
                step.order, step.input
            ));
        }
    }
}

/// Whether the order was on its way to a sale before this step, and is not after it.
fn ends(step: &Stepped) -> bool {
    let is_undone = |phase| matches!(phase, Phase::Compensating | Phase::Ended);
    is_undone(step.after.phase) && !is_undone(step.before.phase)
}

impl Facts {
    fn justify(&self, step: &Stepped) -> bool {
        let stock = self.stock.get(&OrderId::new(step.order));
        match &step.input {
            Input::Cancel { .. } => self.wants_out.contains(&step.order),
            Input::PaymentDeclined { .. } => self.declined.contains(&step.order),
            // Held later, by another try, and given back again: never sold.
            Input::ReserveRefused { .. } | Input::CommitLost => stock != Some(&Status::Committed),
            // The provider turns round, or answers an old question late.
            Input::Reserved => self.declined.contains(&step.order),
            // Time ran out; that is a reason.
            Input::ReserveGaveUp { .. }
            | Input::PaymentDeadline { .. }
            | Input::PaymentAccepted
            | Input::PaymentUnknown
            | Input::ActionFailing { .. } => true,
            Input::StockReleased
            | Input::PaymentRefunded
            | Input::StockCommitted
            | Input::ReservationExpired
            | Input::Restocked
            | Input::PaymentSucceeded
            | Input::Ship { .. }
            | Input::Deliver
            | Input::Skip { .. }
            | Input::Abandon { .. } => false,
        }
    }
}
