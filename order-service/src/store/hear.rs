//! An event of another service. Taking note of it, what the saga makes of it, and everything that follows are one transaction.

use event_contracts::Money as Amount;
use uuid::Uuid;

use super::advance::advance;
use super::batch::{Change, Facts, Message, Money, Need, Writes};
use super::{Applied, ApplyError, Cause, Order, Store, StoreOptions};
use crate::saga::Input;

/// The group's name, in the inbox as on the topics.
pub const GROUP: &str = "order-service";

/// An event, understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Heard {
    /// The event's id.
    pub id: Uuid,
    /// Its type.
    pub event_type: String,
    /// W3C trace context.
    pub traceparent: Option<String>,
    /// Whose.
    pub order: Uuid,
    /// What the saga hears.
    pub input: Input,
    /// What it says about money.
    pub money: Option<MoneyFact>,
}

/// What a money fact is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MoneyFact {
    /// Whose outcome it is.
    pub payment: Uuid,
    /// How much.
    pub amount: Amount,
}

/// What became of an event.
#[derive(Clone, PartialEq, Debug)]
pub enum Hearing {
    /// The saga heard it.
    Applied(Box<Applied>),
    /// It was heard before, under this event's id or another's.
    Duplicate,
}

impl Change for Heard {
    type Answer = Hearing;

    fn need(&self) -> Need {
        let money = self.money.map(|money| Money {
            payment: money.payment,
            outcome: self.event_type.clone(),
            event: self.id.to_string(),
        });
        let message = Some(Message { id: self.id.to_string(), money });
        Need { order: Some(self.order), message, ..Need::default() }
    }

    fn decide(
        &self,
        facts: &Facts,
        options: &StoreOptions,
        writes: &mut Writes,
    ) -> Result<Hearing, ApplyError> {
        let is_news = self.money.is_none_or(|money| facts.is_news(money.payment, &self.event_type));
        if !facts.is_first(&self.id.to_string()) || !is_news {
            return Ok(Hearing::Duplicate);
        }
        let locked = facts.order(self.order)?;
        self.check(locked.0)?;
        let cause = Cause { id: Some(self.id.to_string()), traceparent: self.traceparent.clone() };
        let applied = advance(locked, &self.input, &cause, options, writes)?;
        Ok(Hearing::Applied(Box::new(applied)))
    }
}

impl Heard {
    /// Money that is not this order's never moves it.
    fn check(&self, order: &Order) -> Result<(), ApplyError> {
        let Some(money) = self.money else { return Ok(()) };
        if money.payment != order.payment_id {
            let (theirs, ours) = (money.payment, order.payment_id);
            let reason = format!("payment {theirs} is not that of order {}, which is {ours}", order.id);
            return Err(ApplyError::Foreign(reason));
        }
        if money.amount != order.total {
            let reason = format!(
                "payment {} is about {} and order {} costs {}",
                money.payment, money.amount, order.id, order.total
            );
            return Err(ApplyError::Foreign(reason));
        }
        Ok(())
    }
}

impl Store {
    /// Hears an event, once.
    pub async fn hear(&self, heard: Heard) -> Result<Hearing, ApplyError> {
        self.change(heard).await
    }
}
