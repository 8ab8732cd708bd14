//! The provider as order-service calls it, over the network.

use std::time::Duration;

use async_trait::async_trait;
use order_service::store::Order;
use order_service::worker::{NoAnswer, PaymentState, Payments};

use super::books::Status;
use super::{Answer, Provider};
use crate::checkout::mutant::Mutant;
use crate::checkout::network::{Network, Site};
use crate::checkout::troubles::Trouble;

/// One desk's way to the provider.
#[derive(Clone)]
pub(in crate::checkout) struct ProviderPort {
    pub(in crate::checkout) provider: Provider,
    pub(in crate::checkout) network: Network,
    pub(in crate::checkout) desk: usize,
    pub(in crate::checkout) patience: Duration,
}

impl ProviderPort {
    /// Asks; the provider may answer 503, before or after it did what it was asked.
    async fn exchange(
        &self,
        what: impl Fn(&Provider) -> Answer + Clone + Send + Sync + 'static,
    ) -> Result<Answer, NoAnswer> {
        let provider = self.provider.clone();
        let there = move || {
            let (provider, what) = (provider.clone(), what.clone());
            async move {
                let stage = &provider.0.stage;
                let is_away = stage.strikes(Trouble::Unavailable);
                if is_away && stage.dice().percent(50) {
                    return Some(None);
                }
                let answer = what(&provider);
                Some((!is_away).then_some(answer))
            }
        };
        let answer = self.network.ask((Site::Desk(self.desk), Site::Provider), self.patience, there).await;
        answer.flatten().ok_or_else(|| NoAnswer::new("the provider did not answer"))
    }
}

/// As the HTTP adapter reads it.
fn state(answer: Answer) -> PaymentState {
    match answer {
        Answer::Unknown => PaymentState::Unknown,
        Answer::Is(Status::Accepted) => PaymentState::Pending,
        Answer::Is(Status::Successful | Status::Refunding) => PaymentState::Succeeded,
        Answer::Is(Status::Failed) => PaymentState::Declined("declined".to_owned()),
        Answer::Is(Status::Refunded) => PaymentState::Refunded,
    }
}

#[async_trait]
impl Payments for ProviderPort {
    async fn process(&self, order: &Order) -> Result<PaymentState, NoAnswer> {
        let stage = &self.provider.0.stage;
        let id = if stage.is(Mutant::NewPaymentKey) { stage.dice().id() } else { order.payment_id };
        let (order, amount, method) = (order.id, order.total, order.payment_method.clone());
        self.exchange(move |provider| provider.accept(id, order, amount, &method)).await.map(state)
    }

    async fn ask(&self, order: &Order) -> Result<PaymentState, NoAnswer> {
        let id = order.payment_id;
        self.exchange(move |provider| provider.state(id)).await.map(state)
    }

    async fn refund(&self, order: &Order) -> Result<PaymentState, NoAnswer> {
        if self.provider.0.stage.is(Mutant::ForgottenRefund) {
            return Ok(PaymentState::Refunded);
        }
        let id = order.payment_id;
        match self.exchange(move |provider| provider.refund(id)).await? {
            Answer::Is(Status::Accepted) => Ok(PaymentState::Pending),
            answer @ Answer::Is(Status::Successful | Status::Refunding | Status::Refunded) => {
                Ok(state(answer))
            }
            Answer::Unknown | Answer::Is(Status::Failed) => {
                Err(NoAnswer::new("there is no money to give back"))
            }
        }
    }
}
