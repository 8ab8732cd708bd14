//! Inventory as order-service calls it: the real engine at the other end of the network, its answers as the contract has them.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use inventory_core::command::Adjust;
use inventory_core::engine::{Engine, ReserveRequest};
use inventory_core::error::{CommitError, ReleaseError, ReserveError};
use inventory_core::ids::{AdjustmentId, CustomerId, Note, OrderId, ProductId};
use inventory_core::lines::{Line, Lines};
use inventory_core::quantity::{Quantity, Units};
use order_service::store::Order;
use order_service::worker::{CommitAnswer, Inventory, NoAnswer, Refusal, ReleaseAnswer, ReserveAnswer};

use super::goals::Goal;
use super::mutant::Mutant;
use super::network::{Network, Site};
use super::stage::Stage;
use crate::processes::Processes;

/// One desk's way to inventory.
#[derive(Clone)]
pub(super) struct Stock {
    pub(super) stage: Stage,
    pub(super) network: Network,
    pub(super) engines: Arc<Processes>,
    pub(super) desk: usize,
    pub(super) patience: Duration,
}

/// The adjustment that gives a line of an order back.
pub(super) fn restock_key(order: uuid::Uuid, product: i64) -> String {
    format!("restock:{order}:{product}")
}

impl Stock {
    /// Asks some engine.
    async fn ask<A, W>(
        &self,
        work: impl Fn(Engine) -> W + Clone + Send + Sync + 'static,
    ) -> Result<A, NoAnswer>
    where
        A: Send + 'static,
        W: Future<Output = Result<A, NoAnswer>> + Send + 'static,
    {
        let (engines, dice) = (self.engines.clone(), self.stage.dice().clone());
        let at_engine = move || {
            let (running, work) = (engines.pick(&dice), work.clone());
            async move {
                let running = running?;
                tokio::select! {
                    biased;
                    () = running.death.cancelled() => None,
                    answer = work(running.engine) => Some(answer),
                }
            }
        };
        let road = (Site::Desk(self.desk), Site::Inventory);
        let answer = self.network.ask(road, self.patience, at_engine).await;
        answer.unwrap_or_else(|| Err(NoAnswer::new("inventory did not answer")))
    }
}

fn no_answer(error: impl std::fmt::Display) -> NoAnswer {
    NoAnswer::new(error.to_string())
}

/// The order's lines as inventory takes them.
fn lines(order: &Order) -> Result<Lines, NoAnswer> {
    let line = |item: &event_contracts::inventory::Item| {
        let quantity = Quantity::new(item.quantity.into()).map_err(no_answer)?;
        Ok(Line { product: ProductId::new(item.product_id), quantity })
    };
    let lines: Result<Vec<Line>, NoAnswer> = order.stock_items().iter().map(line).collect();
    Lines::new(lines?).map_err(no_answer)
}

fn refusal(error: &ReserveError) -> Result<ReserveAnswer, NoAnswer> {
    let code = match error {
        ReserveError::Failed(failure) => return Err(no_answer(failure)),
        ReserveError::AlreadyReleased(_) => "already_released",
        ReserveError::Expired(_) => "reservation_expired",
        ReserveError::ProductNotFound(_) => "product_not_found",
        ReserveError::InsufficientStock(_) => "insufficient_stock",
        ReserveError::Conflict { .. }
        | ReserveError::CustomerRequired { .. }
        | ReserveError::CustomerLimit { .. } => "reservation_refused",
    };
    let (code, detail) = (code.to_owned(), error.to_string());
    Ok(ReserveAnswer::Refused(Refusal { code, detail, ..Refusal::default() }))
}

#[async_trait]
impl Inventory for Stock {
    async fn reserve(&self, order: &Order) -> Result<ReserveAnswer, NoAnswer> {
        let customer = Some(CustomerId::parse(&order.user_id).map_err(no_answer)?);
        let request =
            ReserveRequest { order: OrderId::new(order.id), lines: lines(order)?, customer, ttl: None };
        let stage = self.stage.clone();
        self.ask(move |engine| {
            let (request, stage) = (request.clone(), stage.clone());
            async move {
                let answer = engine.reserve(request).await;
                if matches!(answer, Err(ReserveError::AlreadyReleased(_))) {
                    stage.reach(Goal::Tombstone);
                }
                answer.map_or_else(|error| refusal(&error), |_| Ok(ReserveAnswer::Held))
            }
        })
        .await
    }

    async fn commit(&self, order: &Order) -> Result<CommitAnswer, NoAnswer> {
        let order = OrderId::new(order.id);
        let asked = self.ask(move |engine| async move {
            match engine.commit(order, None, None).await {
                Ok(_) => Ok(CommitAnswer::Committed),
                Err(CommitError::NotFound(_) | CommitError::AlreadyReleased(_) | CommitError::Expired(_)) => {
                    Ok(CommitAnswer::Lost)
                }
                Err(error) => Err(no_answer(error)),
            }
        });
        let answer = asked.await;
        if self.stage.is(Mutant::ImpatientCommit) { answer.or(Ok(CommitAnswer::Lost)) } else { answer }
    }

    async fn release(&self, order: &Order) -> Result<ReleaseAnswer, NoAnswer> {
        let order = OrderId::new(order.id);
        let asked = self.ask(move |engine| async move {
            match engine.release(order, None, Note::parse("order").ok(), None).await {
                Ok(_) => Ok(ReleaseAnswer::Released),
                Err(ReleaseError::AlreadyCommitted(_)) => Ok(ReleaseAnswer::Committed),
                Err(error) => Err(no_answer(error)),
            }
        });
        let answer = asked.await;
        if self.stage.is(Mutant::HastyRelease) { Ok(ReleaseAnswer::Released) } else { answer }
    }

    async fn restock(&self, order: &Order) -> Result<(), NoAnswer> {
        for item in order.stock_items() {
            let key = if self.stage.is(Mutant::UnkeyedRestock) {
                self.stage.dice().id().to_string()
            } else {
                restock_key(order.id, item.product_id)
            };
            let adjust = Adjust {
                product: ProductId::new(item.product_id),
                adjustment: AdjustmentId::parse(&key).map_err(no_answer)?,
                delta: Units::delta(item.quantity.into()).map_err(no_answer)?,
                reason: Note::parse("order cancelled").map_err(no_answer)?,
                reference: Note::parse(&order.id.to_string()).ok(),
            };
            self.ask(move |engine| {
                let adjust = adjust.clone();
                async move { engine.adjust(adjust).await.map(drop).map_err(no_answer) }
            })
            .await?;
        }
        Ok(())
    }
}
