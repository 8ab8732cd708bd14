//! What others tell, as inputs. The inbox row, what the saga makes of it and everything it decides are one transaction.

use async_trait::async_trait;
use event_contracts::{Money, inventory, payments, topics};
use serde::de::DeserializeOwned;
use service_kit::events::{HandleError, Handled, Handler, Incoming, inbox};
use uuid::Uuid;

use crate::saga::Input;
use crate::store::row::RowError;
use crate::store::{Applied, ApplyError, Cause, Store, payments as seen};

/// The group's name, also in the inbox.
pub const GROUP: &str = "order-service";

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

/// An event, understood.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Heard {
    order: Uuid,
    input: Input,
    money: Option<MoneyFact>,
}

/// What a money fact is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct MoneyFact {
    payment: Uuid,
    amount: Money,
}

impl OrderEvents {
    /// For these orders.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    async fn apply(&self, event: &Incoming, heard: &Heard) -> Result<Handled, HandleError> {
        let mut tx = self.store.database().begin().await?;
        if !inbox::is_first(&mut tx, GROUP, &event.id.to_string()).await? {
            return Ok(Handled::Duplicate);
        }
        if let Some(money) = &heard.money
            && !seen::is_first(&mut tx, money.payment, &event.event_type, event.id).await?
        {
            // The same fact under another event's id: take note of this one, too.
            tx.commit().await?;
            return Ok(Handled::Duplicate);
        }
        let cause = Cause { id: Some(event.id.to_string()), traceparent: event.traceparent.clone() };
        let applied = match self.store.apply_in(&mut tx, heard.order, &heard.input, &cause).await {
            Ok(applied) => applied,
            Err(error) => return unapplied(error),
        };
        check(&applied, heard)?;
        tx.commit().await?;
        self.store.ring(&applied);
        Ok(Handled::Done)
    }
}

/// Orders are durable before anybody hears of them: one that is unknown was never placed here.
fn unapplied(error: ApplyError) -> Result<Handled, HandleError> {
    match error {
        ApplyError::Unknown(order) => {
            tracing::warn!(%order, "an event about an order that was never placed here is ignored");
            Ok(Handled::Ignored)
        }
        // Newer code will know what to do.
        ApplyError::Row(error @ RowError::Newer { .. }) => Err(HandleError::Transient(error.to_string())),
        ApplyError::Row(error @ RowError::Broken { .. }) => Err(HandleError::Permanent(error.to_string())),
        ApplyError::Sql(error) => Err(error.into()),
    }
}

/// Money that is not this order's never moves it.
fn check(applied: &Applied, heard: &Heard) -> Result<(), HandleError> {
    let Some(money) = &heard.money else { return Ok(()) };
    let order = &applied.order;
    if money.payment != order.payment_id {
        let (theirs, ours) = (money.payment, order.payment_id);
        let reason = format!("payment {theirs} is not that of order {}, which is {ours}", order.id);
        return Err(HandleError::Permanent(reason));
    }
    if money.amount != order.total {
        let reason = format!(
            "payment {} is about {} and order {} costs {}",
            money.payment, money.amount, order.id, order.total
        );
        return Err(HandleError::Permanent(reason));
    }
    Ok(())
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
        match understand(event)? {
            Some(heard) => self.apply(event, &heard).await,
            None => Ok(Handled::Ignored),
        }
    }
}

fn understand(event: &Incoming) -> Result<Option<Heard>, HandleError> {
    let stock = |order, input| Some(Heard { order, input, money: None });
    Ok(match event.event_type.as_str() {
        topics::PAYMENT_SUCCESSFUL => {
            let paid: payments::PaymentSuccessful = payload(event, payments::VERSION)?;
            let money = Some(MoneyFact { payment: paid.payment_id, amount: paid.amount });
            Some(Heard { order: paid.order_id, input: Input::PaymentSucceeded, money })
        }
        topics::PAYMENT_FAILED => {
            let failed: payments::PaymentFailed = payload(event, payments::VERSION)?;
            let money = Some(MoneyFact { payment: failed.payment_id, amount: failed.amount });
            let input = Input::PaymentDeclined { reason: failed.reason };
            Some(Heard { order: failed.order_id, input, money })
        }
        topics::PAYMENT_REFUNDED => {
            let refunded: payments::PaymentRefunded = payload(event, payments::VERSION)?;
            let money = Some(MoneyFact { payment: refunded.payment_id, amount: refunded.amount });
            Some(Heard { order: refunded.order_id, input: Input::PaymentRefunded, money })
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
