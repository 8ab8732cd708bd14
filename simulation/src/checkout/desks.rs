//! The processes of order-service: started, killed, started again. In each of them the real loop works for everybody's orders.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use order_service::saga::{Action, Input};
use order_service::store::{Applied, ApplyError, Claim, Order, Placed, Placement, Settled};
use order_service::worker::{Executor, Finished, Worker, WorkerOptions};
use parking_lot::Mutex;
use service_kit::Metrics;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::goals::Goal;
use super::network::Network;
use super::provider::{Provider, ProviderPort};
use super::rows::{Database, Rows};
use super::stage::Stage;
use super::stock::Stock;
use super::troubles::Trouble;
use crate::processes::Processes;

/// What a process answers to a placement, as REST does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Placing {
    /// 202, with the order.
    Accepted(Uuid),
    /// 404 or 409: the order is kept as CANCELLED.
    Refused(Uuid),
    /// 503 `inventory_unavailable`: the order is CANCELLED, and its key may be used again.
    Unavailable(Uuid),
    /// 422: the key stands for something else.
    Conflict,
    /// 503: whether anything was done is unknown.
    Failed,
}

/// What every process has.
pub(super) struct Desks {
    pub(super) stage: Stage,
    pub(super) network: Network,
    pub(super) database: Database,
    pub(super) engines: Arc<Processes>,
    pub(super) provider: Provider,
    pub(super) options: WorkerOptions,
    /// How long a process waits for an answer; below a call's deadline.
    pub(super) patience: Duration,
    /// How many places there are.
    pub(super) count: usize,
    pub(super) running: Mutex<BTreeMap<usize, Desk>>,
}

/// A process that runs.
#[derive(Clone)]
pub(super) struct Desk {
    stage: Stage,
    rows: Rows,
    executor: Executor<Rows>,
    death: CancellationToken,
}

impl Desks {
    /// Starts a process at this place.
    pub(super) fn start(&self, place: usize) {
        let rows = Rows::of(self.database.clone());
        let (stage, network, engines) = (self.stage.clone(), self.network.clone(), self.engines.clone());
        let patience = self.patience;
        let stock = Stock { stage: stage.clone(), network: network.clone(), engines, desk: place, patience };
        let provider = ProviderPort { provider: self.provider.clone(), network, desk: place, patience };
        let metrics = Metrics::new("order-service");
        let executor =
            Executor::new(rows.clone(), Arc::new(stock), Arc::new(provider), self.options, &metrics);
        let (worker, death) = (Worker::new(executor.clone()), CancellationToken::new());
        let desk = Desk { stage: stage.clone(), rows, executor, death: death.clone() };
        self.running.lock().insert(place, desk);
        stage.trace.note(format_args!("desk {place}"), || "starts");
        stage.tasks.spawn(async move {
            tokio::select! {
                biased;
                () = death.cancelled() => {}
                () = worker.run(CancellationToken::new()) => {}
            }
        });
    }

    /// Kills the process at this place: no farewell, nothing is finished.
    pub(super) fn crash(&self, place: usize) {
        let Some(desk) = self.running.lock().remove(&place) else { return };
        self.stage.troubles.note(Trouble::Crash);
        self.stage.trace.note(format_args!("desk {place}"), || "is killed");
        if self.database.look(|tables| tables.calls_under_way() > 0) {
            self.stage.reach(Goal::Crashed);
        }
        desk.death.cancel();
    }

    /// The process at this place, if it runs.
    pub(super) fn at(&self, place: usize) -> Option<Desk> {
        self.running.lock().get(&place).cloned()
    }
}

impl Desk {
    /// Work of a request: it goes on when its client goes away, and ends with the process.
    async fn owned<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Option<T> {
        let (tell, told) = oneshot::channel();
        let death = self.death.clone();
        self.stage.tasks.spawn(async move {
            tokio::select! {
                biased;
                () = death.cancelled() => {}
                done = work => drop(tell.send(done)),
            }
        });
        told.await.ok()
    }

    /// `POST /orders`.
    pub(super) async fn place(self, placement: Placement) -> Option<Placing> {
        let desk = self.clone();
        self.owned(async move { desk.place_and_reserve(&placement).await }).await
    }

    async fn place_and_reserve(&self, placement: &Placement) -> Placing {
        match self.rows.database.place(placement).await {
            Err(_) => Placing::Failed,
            Ok(Placed::Conflict(_)) => Placing::Conflict,
            Ok(Placed::Replayed(order)) => match self.rows.database.read(order).await {
                Ok(Some(order)) => Placing::Accepted(order.id),
                Ok(None) | Err(_) => Placing::Failed,
            },
            Ok(Placed::New { order, token: None }) => Placing::Accepted(order.id),
            Ok(Placed::New { order, token: Some(token) }) => self.reserve(placement, &order, token).await,
        }
    }

    /// As the route does it: the first call of the saga, for whoever waits.
    async fn reserve(&self, placement: &Placement, order: &Order, token: Uuid) -> Placing {
        let claim = Claim { order: order.id, action: Action::ReserveInventory, attempts: 1, token };
        match self.executor.run_for_caller(order, &claim).await {
            Err(_) | Ok(Finished { settled: Settled::LeaseLost, .. }) => Placing::Accepted(order.id),
            Ok(Finished { settled: Settled::Applied(applied), refusal, no_answer }) => {
                match (applied.changed, refusal, no_answer) {
                    (true, Some(_), _) => Placing::Refused(order.id),
                    (true, None, Some(_)) => self.nothing_ordered(placement, order.id).await,
                    (true, None, None) | (false, _, _) => Placing::Accepted(order.id),
                }
            }
        }
    }

    async fn nothing_ordered(&self, placement: &Placement, order: Uuid) -> Placing {
        match self.rows.database.give_key_back(&placement.user_id, &placement.key, order).await {
            Ok(true) => Placing::Unavailable(order),
            Ok(false) => Placing::Accepted(order),
            Err(_) => Placing::Failed,
        }
    }

    /// Somebody's wish.
    pub(super) async fn apply(self, order: Uuid, input: Input) -> Option<Result<Applied, ApplyError>> {
        let database = self.rows.database.clone();
        self.owned(async move { database.apply(order, input).await }).await
    }

    /// `GET /orders/{orderId}`.
    pub(super) async fn read(self, order: Uuid) -> Option<Result<Option<Order>, ApplyError>> {
        let database = self.rows.database.clone();
        self.owned(async move { database.read(order).await }).await
    }
}
