//! The provider's books.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use event_contracts::payments::{PaymentFailed, PaymentRefunded, PaymentSuccessful, VERSION};
use event_contracts::{Money, topics};
use serde::Serialize;
use service_kit::events::{Incoming, Outgoing};
use uuid::Uuid;

use crate::dice::Dice;

/// Where a payment stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::checkout) enum Status {
    Accepted,
    Successful,
    Failed,
    Refunding,
    Refunded,
}

/// What the provider does with a payment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::checkout) enum Verdict {
    Charge,
    Decline,
    Refund,
}

/// One payment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::checkout) struct Payment {
    pub(in crate::checkout) id: Uuid,
    pub(in crate::checkout) order: Uuid,
    pub(in crate::checkout) amount: Money,
    pub(in crate::checkout) status: Status,
    /// Whether the customer's money was ever taken.
    pub(in crate::checkout) was_charged: bool,
    /// Whether it was ever declined.
    pub(in crate::checkout) was_declined: bool,
}

impl Payment {
    /// Whether the provider has the money.
    pub(in crate::checkout) fn is_kept(&self) -> bool {
        matches!(self.status, Status::Successful | Status::Refunding)
    }
}

#[derive(Debug)]
pub(super) struct Books {
    ids: Dice,
    pub(super) payments: BTreeMap<Uuid, Payment>,
    pub(super) told: Vec<Incoming>,
}

impl Books {
    pub(super) fn new(ids: Dice) -> Self {
        Self { ids, payments: BTreeMap::new(), told: Vec::new() }
    }

    /// Takes note of a payment; false if that was done before.
    pub(super) fn accept(&mut self, id: Uuid, order: Uuid, amount: Money) -> bool {
        let is_new = !self.payments.contains_key(&id);
        let status = Status::Accepted;
        let fresh = Payment { id, order, amount, status, was_charged: false, was_declined: false };
        self.payments.entry(id).or_insert(fresh);
        is_new
    }

    /// Money that is there is on its way back; false if it was before, or if there is none.
    pub(super) fn begin_refund(&mut self, id: Uuid) -> bool {
        match self.payments.get_mut(&id) {
            Some(payment) if payment.status == Status::Successful => {
                payment.status = Status::Refunding;
                true
            }
            _ => false,
        }
    }

    /// Settles, and tells; false if it was settled so before.
    pub(super) fn settle(&mut self, id: Uuid, verdict: Verdict, copies: u64) -> bool {
        let Some(payment) = self.payments.get_mut(&id) else { return false };
        let status = match (payment.status, verdict) {
            (Status::Accepted | Status::Failed, Verdict::Charge) => Status::Successful,
            (Status::Accepted, Verdict::Decline) => Status::Failed,
            (Status::Refunding, Verdict::Refund) => Status::Refunded,
            _ => return false,
        };
        payment.status = status;
        payment.was_charged |= status == Status::Successful;
        payment.was_declined |= status == Status::Failed;
        let payment = *payment;
        for _ in 0..copies {
            let event = self.event(&payment);
            self.told.extend(event);
        }
        true
    }

    fn event(&self, payment: &Payment) -> Option<Incoming> {
        let Payment { id: payment_id, order: order_id, amount, status, .. } = *payment;
        match status {
            Status::Accepted | Status::Refunding => None,
            Status::Successful => {
                let told = PaymentSuccessful { payment_id, order_id, amount };
                self.incoming(payment, topics::PAYMENT_SUCCESSFUL, told)
            }
            Status::Failed => {
                let told = PaymentFailed { payment_id, order_id, amount, reason: "declined".to_owned() };
                self.incoming(payment, topics::PAYMENT_FAILED, told)
            }
            Status::Refunded => {
                let told = PaymentRefunded { payment_id, order_id, amount };
                self.incoming(payment, topics::PAYMENT_REFUNDED, told)
            }
        }
    }

    fn incoming<P: Serialize>(&self, payment: &Payment, topic: &'static str, payload: P) -> Option<Incoming> {
        let outgoing = Outgoing {
            id: self.ids.id(),
            topic,
            version: VERSION,
            at: DateTime::<Utc>::UNIX_EPOCH,
            source: "provider",
            aggregate_type: "order",
            aggregate_id: payment.order.to_string(),
            aggregate_version: 0,
            correlation_id: payment.order.to_string(),
            causation_id: None,
            traceparent: None,
            payload,
        };
        let (payload, _headers) = outgoing.encode().ok()?;
        Some(Incoming {
            id: outgoing.id,
            event_type: topic.to_owned(),
            version: VERSION,
            key: outgoing.aggregate_id,
            aggregate_version: 0,
            traceparent: None,
            payload,
        })
    }
}
