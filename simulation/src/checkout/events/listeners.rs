//! Who listens to whom, and how each understands what it hears: the services' own code.

use std::sync::Arc;

use event_contracts::orders::OrderCreated;
use event_contracts::topics;
use futures::FutureExt as _;
use inventory_core::clock::Timestamp;
use inventory_core::event::{EventEncoder, Fact, OutboxRow};
use inventory_service::{InventoryEvents, OrderEvents};
use order_service::consume::understand;
use order_service::saga::Mode;
use order_service::store::{ApplyError, Hearing};
use service_kit::events::{HandleError, Handled, Handler as _, Incoming};

use super::lanes::Handle;
use super::{DeadLetters, Lanes, Relay};
use crate::checkout::provider::Provider;
use crate::checkout::rows::Database;
use crate::checkout::stage::Stage;
use crate::dice::Dice;
use crate::ledger::SimulatedLedger;
use crate::processes::Processes;

/// All relays and lanes.
pub(in crate::checkout) struct Listeners {
    relays: Vec<Arc<Relay>>,
    lanes: Vec<Arc<Lanes>>,
    /// What inventory hears of orders.
    pub(in crate::checkout) of_orders: Arc<Lanes>,
    pub(in crate::checkout) dead: DeadLetters,
}

/// What engines tell: the service's own encoder, under ids that repeat themselves.
pub(in crate::checkout) struct Told {
    encoder: InventoryEvents,
    ids: Dice,
}

impl Told {
    /// Where the order service leads.
    pub(in crate::checkout) fn led(seed: u64) -> Arc<dyn EventEncoder> {
        let encoder = InventoryEvents::default().without_levels();
        Arc::new(Self { encoder, ids: Dice::of(seed, "events of stock") })
    }

    /// Where nobody leads.
    pub(in crate::checkout) fn unled(seed: u64) -> Arc<dyn EventEncoder> {
        let encoder = InventoryEvents::for_choreography().without_levels();
        Arc::new(Self { encoder, ids: Dice::of(seed, "events of stock") })
    }
}

impl EventEncoder for Told {
    fn encode(&self, fact: &Fact, at: Timestamp) -> Option<OutboxRow> {
        let row = self.encoder.encode(fact, at)?;
        Some(OutboxRow { id: self.ids.id(), headers: Vec::new(), ..row })
    }

    fn tells_of_levels(&self) -> bool {
        self.encoder.tells_of_levels()
    }

    fn tells_of_holds(&self) -> bool {
        self.encoder.tells_of_holds()
    }
}

impl Listeners {
    /// Everybody begins to tell and to listen.
    pub(in crate::checkout) fn start(
        stage: &Stage,
        ledger: &SimulatedLedger,
        engines: &Arc<Processes>,
        provider: &Provider,
        database: &Database,
    ) -> Self {
        let dead = DeadLetters::default();
        let mode = database.options().mode;
        let orders = Lanes::new(stage, "orders", &dead);
        let inventory = Lanes::new(stage, "inventory", &dead);
        let payments = Lanes::new(stage, "payments", &dead);
        orders.consume(&order_service(database));
        inventory.consume(&inventory_service(stage, engines, mode));
        payments.consume(&payment_service(provider, mode));
        let (ledger, told, books) = (ledger.clone(), database.clone(), provider.clone());
        let of_stock = Box::new(move |known| ledger.events_after(known).iter().map(incoming).collect());
        let of_money = Box::new(move |known| books.events_after(known));
        let of_orders = Box::new(move |known| {
            told.look(|tables| tables.told.iter().skip(known).map(|told| told.event.clone()).collect())
        });
        let relays = vec![
            Relay::start(stage, of_stock, vec![orders.clone()]),
            Relay::start(stage, of_money, vec![orders.clone()]),
            Relay::start(stage, of_orders, vec![inventory.clone(), payments.clone()]),
        ];
        Self { relays, lanes: vec![orders, inventory.clone(), payments], of_orders: inventory, dead }
    }

    /// Whether everything that was told was heard.
    pub(in crate::checkout) fn are_drained(&self) -> bool {
        self.relays.iter().all(|relay| relay.is_drained())
            && self.lanes.iter().all(|lanes| lanes.is_drained())
    }
}

/// As a consumer is given what inventory wrote.
fn incoming(row: &OutboxRow) -> Incoming {
    Incoming {
        id: row.id,
        event_type: row.event_type.clone(),
        version: event_contracts::inventory::VERSION,
        key: row.aggregate_id.clone(),
        aggregate_version: row.aggregate_version,
        traceparent: None,
        payload: row.payload.clone(),
    }
}

fn order_service(database: &Database) -> Handle {
    let database = database.clone();
    Arc::new(move |event: Incoming| {
        let database = database.clone();
        async move {
            let Some(heard) = understand(&event)? else { return Ok(Handled::Ignored) };
            match database.hear(heard).await {
                Ok(Hearing::Applied(_)) => Ok(Handled::Done),
                Ok(Hearing::Duplicate) => Ok(Handled::Duplicate),
                Err(ApplyError::Unknown(_)) => Ok(Handled::Ignored),
                Err(error @ (ApplyError::Foreign(_) | ApplyError::Row(_))) => {
                    Err(HandleError::Permanent(error.to_string()))
                }
                Err(ApplyError::Sql(error)) => Err(HandleError::Transient(error.to_string())),
            }
        }
        .boxed()
    })
}

fn inventory_service(stage: &Stage, engines: &Arc<Processes>, mode: Mode) -> Handle {
    let (dice, engines) = (stage.dice().clone(), engines.clone());
    Arc::new(move |event: Incoming| {
        let running = engines.pick(&dice);
        async move {
            let died = || HandleError::Transient("the engine died".to_owned());
            let running = running.ok_or_else(died)?;
            let handler = match mode {
                Mode::Orchestration => OrderEvents::new(running.engine),
                Mode::Choreography => OrderEvents::for_choreography(running.engine),
            };
            tokio::select! {
                biased;
                () = running.death.cancelled() => Err(died()),
                handled = handler.handle(&event) => handled,
            }
        }
        .boxed()
    })
}

/// Where nobody leads, the provider takes a new order as its request.
fn payment_service(provider: &Provider, mode: Mode) -> Handle {
    let provider = provider.clone();
    Arc::new(move |event: Incoming| {
        let provider = provider.clone();
        async move {
            if mode == Mode::Orchestration || event.event_type != topics::ORDER_CREATED {
                return Ok(Handled::Ignored);
            }
            let created = event.parse::<OrderCreated>()?.payload;
            let OrderCreated { payment_id, order_id, total_amount, payment_method, .. } = created;
            provider.accept(payment_id, order_id, total_amount, &payment_method);
            Ok(Handled::Done)
        }
        .boxed()
    })
}
