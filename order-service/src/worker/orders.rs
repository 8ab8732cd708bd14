//! What the loop needs of the orders' rows.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use uuid::Uuid;

use crate::saga::Input;
use crate::store::timers::Due;
use crate::store::waiting::Waiting;
use crate::store::{Applied, ApplyError, Cause, Claim, Order, Retry, Settled, Store};

/// Orders, the calls that they wait for, and their timers. [`Store`] in the product; the simulation brings rows of its own.
///
/// Every change is one transaction under the order's lock. **An error does not say that nothing happened**: its COMMIT may have been the
/// one without an answer.
pub trait Orders: Clone + Send + Sync + 'static {
    /// Rung after each commit that left calls to make.
    fn work(&self) -> &Arc<Notify>;

    /// An order as it is now, if there is one.
    fn read(&self, order: Uuid) -> impl Future<Output = Result<Option<Order>, ApplyError>> + Send;

    /// Those of these orders that can be read.
    fn read_some(
        &self,
        orders: &[Uuid],
    ) -> impl Future<Output = Result<HashMap<Uuid, Order>, sqlx::Error>> + Send;

    /// See [`Store::claim_actions`].
    fn claim_actions(&self, most: usize) -> impl Future<Output = Result<Vec<Claim>, sqlx::Error>> + Send;

    /// See [`Store::settle`].
    fn settle(
        &self,
        claim: &Claim,
        input: &Input,
        again: &Retry,
        cause: &Cause,
    ) -> impl Future<Output = Result<Settled, ApplyError>> + Send;

    /// See [`Store::retry`].
    fn retry(&self, claim: &Claim, retry: &Retry)
    -> impl Future<Output = Result<Settled, ApplyError>> + Send;

    /// See [`Store::forget`].
    fn forget(&self, claim: &Claim) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// See [`Store::set_aside`].
    fn set_aside(&self, claim: &Claim, retry: &Retry)
    -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// See [`Store::due_timers`].
    fn due_timers(&self, most: usize) -> impl Future<Output = Result<Vec<Due>, sqlx::Error>> + Send;

    /// See [`Store::fire`].
    fn fire(&self, due: &Due) -> impl Future<Output = Result<Option<Applied>, ApplyError>> + Send;

    /// See [`Store::postpone_timer`].
    fn postpone_timer(
        &self,
        due: &Due,
        after: Duration,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// See [`Store::waiting`].
    fn waiting(&self) -> impl Future<Output = Result<Waiting, sqlx::Error>> + Send;
}

impl Orders for Store {
    fn work(&self) -> &Arc<Notify> {
        Self::work(self)
    }

    async fn read(&self, order: Uuid) -> Result<Option<Order>, ApplyError> {
        Self::read(self, order).await
    }

    async fn read_some(&self, orders: &[Uuid]) -> Result<HashMap<Uuid, Order>, sqlx::Error> {
        Self::read_some(self, orders).await
    }

    async fn claim_actions(&self, most: usize) -> Result<Vec<Claim>, sqlx::Error> {
        Self::claim_actions(self, most).await
    }

    async fn settle(
        &self,
        claim: &Claim,
        input: &Input,
        again: &Retry,
        cause: &Cause,
    ) -> Result<Settled, ApplyError> {
        Self::settle(self, claim, input, again, cause).await
    }

    async fn retry(&self, claim: &Claim, retry: &Retry) -> Result<Settled, ApplyError> {
        Self::retry(self, claim, retry).await
    }

    async fn forget(&self, claim: &Claim) -> Result<(), sqlx::Error> {
        Self::forget(self, claim).await
    }

    async fn set_aside(&self, claim: &Claim, retry: &Retry) -> Result<(), sqlx::Error> {
        Self::set_aside(self, claim, retry).await
    }

    async fn due_timers(&self, most: usize) -> Result<Vec<Due>, sqlx::Error> {
        Self::due_timers(self, most).await
    }

    async fn fire(&self, due: &Due) -> Result<Option<Applied>, ApplyError> {
        Self::fire(self, due).await
    }

    async fn postpone_timer(&self, due: &Due, after: Duration) -> Result<(), sqlx::Error> {
        Self::postpone_timer(self, due, after).await
    }

    async fn waiting(&self) -> Result<Waiting, sqlx::Error> {
        Self::waiting(self).await
    }
}
