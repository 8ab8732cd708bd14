//! Making one call: read the order, call, give the saga the answer. Whatever goes wrong stays with this order.

use std::sync::Arc;

use super::WorkerOptions;
use super::backoff::{pause, should_tell};
use super::metrics::CallMetrics;
use super::orders::Orders;
use super::ports::{
    CommitAnswer, Inventory, NoAnswer, PaymentState, Payments, Refusal, ReleaseAnswer, ReserveAnswer,
};
use crate::saga::{Action, Input};
use crate::store::{ApplyError, Cause, Claim, Order, Retry, Settled, Store};

/// Makes calls for the orders of `S`. Cheap to clone.
pub struct Executor<S = Store>(Arc<Inner<S>>);

struct Inner<S> {
    store: S,
    inventory: Arc<dyn Inventory>,
    payments: Arc<dyn Payments>,
    options: WorkerOptions,
    metrics: CallMetrics,
}

/// How long to go on with a reserve that gets no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Patience {
    /// Somebody waits: give it up after this try.
    None,
    /// Nobody waits: a few tries more.
    Some,
}

/// What came of one call.
#[derive(Clone, PartialEq, Debug)]
pub struct Finished {
    /// What the saga made of it.
    pub settled: Settled,
    /// Why a reserve was refused.
    pub refusal: Option<Refusal>,
    /// Why there was no answer.
    pub no_answer: Option<NoAnswer>,
}

/// An answer, as the saga hears it.
struct Answer {
    input: Input,
    refusal: Option<Refusal>,
}

impl From<Input> for Answer {
    fn from(input: Input) -> Self {
        Self { input, refusal: None }
    }
}

impl<S> Clone for Executor<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: Orders> Executor<S> {
    /// Around the two others.
    pub fn new(
        store: S,
        inventory: Arc<dyn Inventory>,
        payments: Arc<dyn Payments>,
        options: WorkerOptions,
        metrics: &service_kit::Metrics,
    ) -> Self {
        let metrics = CallMetrics::register(metrics);
        Self(Arc::new(Inner { store, inventory, payments, options, metrics }))
    }

    /// The orders.
    pub fn store(&self) -> &S {
        &self.0.store
    }

    /// How the loop works.
    pub fn options(&self) -> &WorkerOptions {
        &self.0.options
    }

    /// Numbers of the calls.
    pub(super) fn metrics(&self) -> &CallMetrics {
        &self.0.metrics
    }

    /// Makes the call that was claimed and settles it. Run it in a task that nobody drops. The order is read if it was not since it was
    /// claimed. One that cannot be worked on is set aside, and told as an error.
    pub async fn run(&self, claim: &Claim, order: Option<Order>) -> Result<Finished, ApplyError> {
        let done = self.0.run(claim, order).await;
        self.or_set_aside(claim, done).await
    }

    /// The same for somebody who waits for this order, which is as it was when the call was leased: a reserve without an answer is given
    /// up after this try.
    pub async fn run_for_caller(&self, order: &Order, claim: &Claim) -> Result<Finished, ApplyError> {
        let done = self.0.run_on(order, claim, Patience::None).await;
        self.or_set_aside(claim, done).await
    }

    async fn or_set_aside(
        &self,
        claim: &Claim,
        done: Result<Finished, ApplyError>,
    ) -> Result<Finished, ApplyError> {
        if let Err(error) = &done {
            self.0.metrics.broken();
            let retry = self.0.retry(claim, error.to_string());
            tracing::warn!(order = %claim.order, action = claim.action.name(), %error, "set aside");
            if let Err(error) = self.0.store.set_aside(claim, &retry).await {
                // The lease will end by itself.
                tracing::warn!(order = %claim.order, %error, "could not be set aside");
            }
        }
        done
    }
}

impl<S: Orders> Inner<S> {
    async fn run(&self, claim: &Claim, order: Option<Order>) -> Result<Finished, ApplyError> {
        let order = match order {
            Some(order) => order,
            None => self.store.read(claim.order).await?.ok_or(ApplyError::Unknown(claim.order))?,
        };
        if !order.saga.outstanding.contains(&claim.action) {
            // Finished by another way since it was claimed.
            self.store.forget(claim).await?;
            return Ok(Finished { settled: Settled::LeaseLost, refusal: None, no_answer: None });
        }
        self.run_on(&order, claim, Patience::Some).await
    }

    async fn run_on(&self, order: &Order, claim: &Claim, patience: Patience) -> Result<Finished, ApplyError> {
        let deadline = self.options.call_deadline;
        let answer = match tokio::time::timeout(deadline, self.call(order, claim)).await {
            Ok(answer) => answer,
            Err(_elapsed) => Err(NoAnswer::new(format!("no answer within {} s", deadline.as_secs_f32()))),
        };
        self.metrics.called(claim.action, answer.is_ok());
        let again = self.retry(claim, "answered, and still wanted".to_owned());
        match answer {
            Ok(Answer { input, refusal }) => {
                let settled = self.store.settle(claim, &input, &again, &Cause::default()).await?;
                Ok(Finished { settled, refusal, no_answer: None })
            }
            Err(no_answer) => {
                let settled = self.no_answer(claim, patience, &no_answer, &again).await?;
                Ok(Finished { settled, refusal: None, no_answer: Some(no_answer) })
            }
        }
    }

    async fn no_answer(
        &self,
        claim: &Claim,
        patience: Patience,
        no_answer: &NoAnswer,
        again: &Retry,
    ) -> Result<Settled, ApplyError> {
        let reason = no_answer.reason.clone();
        let gives_up = claim.action == Action::ReserveInventory
            && (patience == Patience::None || claim.attempts >= self.options.reserve_attempts_max);
        if gives_up {
            let input = Input::ReserveGaveUp { reason };
            return self.store.settle(claim, &input, again, &Cause::default()).await;
        }
        tracing::debug!(order = %claim.order, action = claim.action.name(), %reason, "no answer");
        self.store.retry(claim, &self.retry(claim, reason)).await
    }

    fn retry(&self, claim: &Claim, error: String) -> Retry {
        let after = pause(&self.options, claim.order, claim.attempts);
        Retry { after, error, tell: should_tell(claim.attempts) }
    }

    async fn call(&self, order: &Order, claim: &Claim) -> Result<Answer, NoAnswer> {
        Ok(match claim.action {
            Action::ReserveInventory => match self.inventory.reserve(order).await? {
                ReserveAnswer::Held => Input::Reserved.into(),
                ReserveAnswer::Refused(refusal) => {
                    let reason = format!("{}: {}", refusal.code, refusal.detail);
                    Answer { input: Input::ReserveRefused { reason }, refusal: Some(refusal) }
                }
            },
            Action::CommitInventory => match self.inventory.commit(order).await? {
                CommitAnswer::Committed => Input::StockCommitted.into(),
                CommitAnswer::Lost => Input::CommitLost.into(),
            },
            Action::ReleaseInventory => match self.inventory.release(order).await? {
                ReleaseAnswer::Released => Input::StockReleased.into(),
                ReleaseAnswer::Committed => Input::StockCommitted.into(),
            },
            Action::RestockInventory => {
                self.inventory.restock(order).await?;
                Input::Restocked.into()
            }
            Action::ProcessPayment => self.process(order, claim).await?.into(),
            Action::AskPayment => heard(self.payments.ask(order).await?).into(),
            Action::RefundPayment => heard(self.payments.refund(order).await?).into(),
        })
    }

    /// A first try asks for the money. A later one asks first what became of the earlier ones: they may have been accepted.
    async fn process(&self, order: &Order, claim: &Claim) -> Result<Input, NoAnswer> {
        if claim.attempts > 1 {
            match self.payments.ask(order).await? {
                PaymentState::Unknown => {}
                known => return Ok(heard(known)),
            }
        }
        self.payments.process(order).await.map(heard)
    }
}

/// What the provider said, as the saga hears it.
fn heard(state: PaymentState) -> Input {
    match state {
        PaymentState::Unknown => Input::PaymentUnknown,
        PaymentState::Pending => Input::PaymentAccepted,
        PaymentState::Succeeded => Input::PaymentSucceeded,
        PaymentState::Declined(reason) => Input::PaymentDeclined { reason },
        PaymentState::Refunded => Input::PaymentRefunded,
    }
}
