//! What others tell, as inputs.

use async_trait::async_trait;
use event_contracts::{inventory, payments, topics};
use serde::de::DeserializeOwned;
use service_kit::events::{HandleError, Handled, Handler, Incoming};
use uuid::Uuid;

use crate::saga::Input;
use crate::store::row::RowError;
use crate::store::{ApplyError, Heard, Hearing, MoneyFact, Store};

pub use crate::store::hear::GROUP;

const TOPICS: &[&str] = &[
    topics::PAYMENT_SUCCESSFUL,
    topics::PAYMENT_FAILED,
    topics::PAYMENT_REFUNDED,
    topics::COMMIT_FAILED,
    topics::RESERVATION_EXPIRED,
    topics::STOCK_RESERVED,
    topics::STOCK_RESERVATION_FAILED,
    topics::STOCK_COMMITTED,
];

/// Hears payments and inventory.
#[derive(Clone, Debug)]
pub struct OrderEvents {
    store: Store,
}

impl OrderEvents {
    /// For these orders.
    pub fn new(store: Store) -> Self {
        Self { store }
    }
}

/// Orders are durable before anybody hears of them: one that is unknown was never placed here.
fn unheard(error: ApplyError) -> Result<Handled, HandleError> {
    match error {
        ApplyError::Unknown(order) => {
            tracing::warn!(%order, "an event about an order that was never placed here is ignored");
            Ok(Handled::Ignored)
        }
        ApplyError::Foreign(reason) => Err(HandleError::Permanent(reason)),
        // Newer code will know what to do.
        ApplyError::Row(error @ RowError::Newer { .. }) => Err(HandleError::Transient(error.to_string())),
        ApplyError::Row(error @ RowError::Broken { .. }) => Err(HandleError::Permanent(error.to_string())),
        ApplyError::Sql(error) => Err(error.into()),
    }
}

#[async_trait]
impl Handler for OrderEvents {
    fn group(&self) -> &'static str {
        GROUP
    }

    fn topics(&self) -> &'static [&'static str] {
        TOPICS
    }

    async fn handle(&self, event: &Incoming) -> Result<Handled, HandleError> {
        let Some(heard) = understand(event)? else { return Ok(Handled::Ignored) };
        match self.store.hear(heard).await {
            Ok(Hearing::Applied(_)) => Ok(Handled::Done),
            Ok(Hearing::Duplicate) => Ok(Handled::Duplicate),
            Err(error) => unheard(error),
        }
    }
}

/// What an event says to an order; none if it is about something else. A permanent error says why it never will be understood.
pub fn understand(event: &Incoming) -> Result<Option<Heard>, HandleError> {
    let heard = |order: Uuid, input: Input, money: Option<MoneyFact>| {
        let (event_type, traceparent) = (event.event_type.clone(), event.traceparent.clone());
        Some(Heard { id: event.id, event_type, traceparent, order, input, money })
    };
    let stock = |order, input| heard(order, input, None);
    Ok(match event.event_type.as_str() {
        topics::PAYMENT_SUCCESSFUL => {
            let paid: payments::PaymentSuccessful = payload(event, payments::VERSION)?;
            let money = Some(MoneyFact { payment: paid.payment_id, amount: paid.amount });
            heard(paid.order_id, Input::PaymentSucceeded, money)
        }
        topics::PAYMENT_FAILED => {
            let failed: payments::PaymentFailed = payload(event, payments::VERSION)?;
            let money = Some(MoneyFact { payment: failed.payment_id, amount: failed.amount });
            let input = Input::PaymentDeclined { reason: failed.reason };
            heard(failed.order_id, input, money)
        }
        topics::PAYMENT_REFUNDED => {
            let refunded: payments::PaymentRefunded = payload(event, payments::VERSION)?;
            let money = Some(MoneyFact { payment: refunded.payment_id, amount: refunded.amount });
            heard(refunded.order_id, Input::PaymentRefunded, money)
        }
        topics::COMMIT_FAILED => {
            let lost: inventory::CommitFailed = payload(event, inventory::VERSION)?;
            stock(lost.order_id, Input::CommitLost)
        }
        topics::RESERVATION_EXPIRED => {
            let expired: inventory::ReservationExpired = payload(event, inventory::VERSION)?;
            stock(expired.order_id, Input::ReservationExpired)
        }
        topics::STOCK_RESERVED => {
            let reserved: inventory::StockReserved = payload(event, inventory::VERSION)?;
            stock(reserved.order_id, Input::Reserved)
        }
        topics::STOCK_RESERVATION_FAILED => {
            let refused: inventory::StockReservationFailed = payload(event, inventory::VERSION)?;
            stock(refused.order_id, Input::ReserveRefused { reason: refused.reason })
        }
        topics::STOCK_COMMITTED => {
            let committed: inventory::StockCommitted = payload(event, inventory::VERSION)?;
            stock(committed.order_id, Input::StockCommitted)
        }
        _ => None,
    })
}

/// A payload of a version that this code knows.
fn payload<P: DeserializeOwned>(event: &Incoming, known: u32) -> Result<P, HandleError> {
    if event.version > known {
        return Err(HandleError::Permanent(format!(
            "{} has version {}, this code knows up to {known}: redrive it once newer code runs",
            event.event_type, event.version
        )));
    }
    Ok(event.parse::<P>()?.payload)
}
