//! Customers, clerks and operators, and what they were told.

mod clerk;
mod customer;
mod operator;
mod placement;

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use order_service::saga::{Cell, Input, OrderStatus};
use order_service::store::Order;
use parking_lot::Mutex;
use uuid::Uuid;

pub(super) use self::placement::PRODUCTS;
use super::desks::{Desk, Desks, Placing};
use super::network::Site;
use crate::dice::Dice;

/// How long people wait for an answer.
const PATIENCE: Duration = Duration::from_millis(3_000);

/// Something that somebody was told, or asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Said {
    /// The answer to a placement under this key.
    Placed { key: String, answer: Placing },
    /// Somebody wants out; whether he will be heard is not known yet.
    WantsOut(Uuid),
    /// A cancellation was granted, or refused.
    Cancelled(Uuid, bool),
    /// A parcel was taken note of, or refused.
    Shipped(Uuid, bool),
    /// A delivery was taken note of.
    Delivered(Uuid),
    /// An order was looked at.
    Seen(Uuid, OrderStatus),
}

/// Where people go. Cheap to clone.
#[derive(Clone)]
pub(super) struct Town {
    pub(super) desks: Arc<Desks>,
    pub(super) said: Arc<Mutex<Vec<Said>>>,
}

impl Town {
    pub(super) fn new(desks: Arc<Desks>) -> Self {
        Self { desks, said: Arc::default() }
    }

    fn note(&self, said: Said) {
        self.desks.stage.trace.note("people", || format!("{said:?}"));
        self.said.lock().push(said);
    }

    /// Goes to some desk.
    async fn ask<A, W>(
        &self,
        dice: &Dice,
        work: impl Fn(Desk) -> W + Clone + Send + Sync + 'static,
    ) -> Option<A>
    where
        A: Send + 'static,
        W: Future<Output = Option<A>> + Send + 'static,
    {
        let place = dice.below(self.desks.count);
        let desks = self.desks.clone();
        let there = move || {
            let (desk, work) = (desks.at(place), work.clone());
            async move { work(desk?).await }
        };
        self.desks.network.ask((Site::People, Site::Desk(place)), PATIENCE, there).await
    }

    /// Asks for something to be done to an order, until there is an answer or patience ends. Whether it was granted.
    async fn wish(&self, dice: &Dice, order: Uuid, input: &Input) -> Option<bool> {
        for _ in 0..dice.range(1..=5) {
            let input = input.clone();
            let answer = self.ask(dice, move |desk| desk.apply(order, input.clone())).await;
            if let Some(Ok(applied)) = answer {
                return Some(!matches!(applied.cell, Cell::Refuse | Cell::Alarm));
            }
            tokio::time::sleep(dice.millis(20..=400)).await;
        }
        None
    }

    /// Looks at an order.
    async fn look(&self, dice: &Dice, order: Uuid) -> Option<Order> {
        let found = self.ask(dice, move |desk| desk.read(order)).await?;
        let order = found.ok().flatten()?;
        self.note(Said::Seen(order.id, order.saga.status));
        Some(order)
    }
}

/// Everyone who will come, within `open`.
pub(super) fn everyone(town: &Town, seed: u64, open: Duration) -> Vec<BoxFuture<'static, ()>> {
    let dice = Dice::of(seed, "people");
    let most = u64::try_from(open.as_millis()).unwrap_or(1);
    let customers = dice.range(8..=28);
    let mut people: Vec<BoxFuture<'static, ()>> = Vec::new();
    for number in 0..customers {
        let arrives = dice.millis(0..=most);
        people.push(Box::pin(customer::shop(town.clone(), seed, number, arrives)));
    }
    people.push(Box::pin(operator::look_after(town.clone(), seed, open)));
    people
}
