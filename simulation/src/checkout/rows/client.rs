//! One process's way to the orders' rows: the port that order-service's loop has them by.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use order_service::saga::Input;
use order_service::store::timers::Due;
use order_service::store::waiting::Waiting;
use order_service::store::{Applied, ApplyError, Cause, Claim, Order, Retry, Settled};
use order_service::worker::Orders;
use tokio::sync::Notify;
use uuid::Uuid;

use super::{Database, Moment, Tables};

/// See [`Orders`].
#[derive(Clone, Debug)]
pub(in crate::checkout) struct Rows {
    pub(in crate::checkout) database: Database,
    work: Arc<Notify>,
}

impl Rows {
    pub(in crate::checkout) fn of(database: Database) -> Self {
        Self { database, work: Arc::default() }
    }

    /// A step on an order; rings if it left calls to make.
    async fn step<T: Send + 'static>(
        &self,
        order: Uuid,
        change: impl FnOnce(&mut Tables, &Moment) -> Result<T, ApplyError> + Send + 'static,
    ) -> Result<T, ApplyError> {
        let counted = move |tables: &mut Tables, moment: &Moment| {
            let before = tables.work;
            change(tables, moment).map(|answer| (answer, tables.work > before))
        };
        let (answer, has_work) = self.database.transact(order.to_string(), counted).await?;
        if has_work {
            self.work.notify_one();
        }
        Ok(answer)
    }
}

impl Orders for Rows {
    fn work(&self) -> &Arc<Notify> {
        &self.work
    }

    async fn read(&self, order: Uuid) -> Result<Option<Order>, ApplyError> {
        self.database.read(order).await
    }

    async fn read_some(&self, orders: &[Uuid]) -> Result<HashMap<Uuid, Order>, sqlx::Error> {
        let found = |tables: &mut Tables, _: &Moment| {
            orders.iter().filter_map(|id| Some((*id, tables.orders.get(id)?.clone()))).collect()
        };
        self.database.statement(found).await
    }

    async fn claim_actions(&self, most: usize) -> Result<Vec<Claim>, sqlx::Error> {
        self.database.statement(|tables, moment| tables.claim(moment, most)).await
    }

    async fn settle(
        &self,
        claim: &Claim,
        input: &Input,
        again: &Retry,
        _cause: &Cause,
    ) -> Result<Settled, ApplyError> {
        let (claim, input, again) = (*claim, input.clone(), again.clone());
        self.step(claim.order, move |tables, moment| tables.settle(moment, &claim, &input, &again)).await
    }

    async fn retry(&self, claim: &Claim, retry: &Retry) -> Result<Settled, ApplyError> {
        let (claim, retry) = (*claim, retry.clone());
        self.step(claim.order, move |tables, moment| tables.retry(moment, &claim, &retry)).await
    }

    async fn forget(&self, claim: &Claim) -> Result<(), sqlx::Error> {
        self.database.statement(|tables, _| tables.forget(claim)).await
    }

    async fn set_aside(&self, claim: &Claim, retry: &Retry) -> Result<(), sqlx::Error> {
        self.database.statement(|tables, moment| tables.postpone(moment, claim, retry.after)).await
    }

    async fn due_timers(&self, most: usize) -> Result<Vec<Due>, sqlx::Error> {
        self.database.statement(|tables, moment| tables.due_timers(moment, most)).await
    }

    async fn fire(&self, due: &Due) -> Result<Option<Applied>, ApplyError> {
        let due = *due;
        self.step(due.order, move |tables, moment| tables.fire(moment, &due)).await
    }

    async fn postpone_timer(&self, due: &Due, after: Duration) -> Result<(), sqlx::Error> {
        self.database.statement(|tables, moment| tables.postpone_timer(moment, due, after)).await
    }

    async fn waiting(&self) -> Result<Waiting, sqlx::Error> {
        self.database.statement(|tables, _| tables.waiting()).await
    }
}
