//! Choreography: `order.created` is a request to pay.

use async_trait::async_trait;
use event_contracts::orders::{OrderCreated, VERSION};
use event_contracts::topics;
use service_kit::events::{HandleError, Handled, Handler, Incoming, inbox};

use crate::payment::{Cause, Request};
use crate::state::App;
use crate::store::{AcceptError, WriteError, accept_in};

/// Consumes `order.created` for the group `payment-stub`. Only for choreography: in orchestration the order service asks by HTTP.
#[derive(Clone)]
pub struct PaymentHandler {
    app: App,
}

impl PaymentHandler {
    pub(crate) fn new(app: App) -> Self {
        Self { app }
    }
}

#[async_trait]
impl Handler for PaymentHandler {
    fn group(&self) -> &'static str {
        "payment-stub"
    }

    fn topics(&self) -> &'static [&'static str] {
        &[topics::ORDER_CREATED]
    }

    async fn handle(&self, event: &Incoming) -> Result<Handled, HandleError> {
        if event.event_type != topics::ORDER_CREATED {
            return Ok(Handled::Ignored);
        }
        if event.version > VERSION {
            let newer = format!("{} of version {}, known is {VERSION}", event.event_type, event.version);
            return Err(HandleError::Permanent(newer));
        }
        let order = event.parse::<OrderCreated>()?.payload;
        let request = Request {
            payment_id: order.payment_id,
            order_id: order.order_id,
            amount: order.total_amount,
            method: order.payment_method,
        };
        let cause =
            Cause { causation_id: Some(event.id.to_string()), traceparent: event.traceparent.clone() };
        self.accept(event, &request, &cause).await
    }
}

impl PaymentHandler {
    async fn accept(
        &self,
        event: &Incoming,
        request: &Request,
        cause: &Cause,
    ) -> Result<Handled, HandleError> {
        let mut tx = self.app.database().begin().await?;
        if !inbox::is_first(&mut tx, self.group(), &event.id.to_string()).await? {
            return Ok(Handled::Duplicate);
        }
        match accept_in(&mut tx, request, cause).await {
            Ok(_) => {}
            Err(AcceptError::Conflict(had)) => {
                let why =
                    format!("payment {} was asked for before with other content: {had:?}", had.payment_id);
                return Err(HandleError::Permanent(why));
            }
            Err(AcceptError::Write(WriteError::Before(error) | WriteError::AtCommit(error))) => {
                return Err(error.into());
            }
        }
        tx.commit().await?;
        self.app.wake_worker();
        Ok(Handled::Done)
    }
}
