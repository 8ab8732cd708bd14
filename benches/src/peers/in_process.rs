//! (e) This engine, called in process: `Engine::reserve`, the whole path.

use std::sync::Arc;

use anyhow::Result;
use inventory_core::command::SetStock;
use inventory_core::engine::{Engine, ReserveRequest};
use inventory_core::error::ReserveError;
use inventory_core::event::NoEvents;
use inventory_core::ids::ProductId;
use inventory_core::limits::UNITS_MAX;
use inventory_core::options::EngineOptions;
use inventory_core::quantity::Units;
use inventory_core::store::postgres::{PostgresOptions, PostgresStore};
use tokio::task::JoinSet;

use super::{Answer, Batches, Client, Peer, sql};
use crate::workload::{Request, Workload};

/// Products stocked at once: they share batches.
const CHUNK: usize = 1_000;
pub(crate) const HELD: &str = "SELECT COALESCE(sum(held), 0)::bigint FROM inventory_service_schema.inventory";

/// An engine and its database.
pub struct InProcess {
    url: String,
    engine: Engine,
}

/// One caller.
pub struct Caller {
    engine: Engine,
}

impl InProcess {
    /// Opens an engine with plenty of everything.
    pub async fn prepare(url: &str, workload: &Workload) -> Result<Self> {
        let peer = Self::over(url).await?;
        stock(&peer.engine, workload.products(), UNITS_MAX).await?;
        Ok(peer)
    }

    /// Opens an engine whose products exist and are sold out.
    pub async fn prepare_sold_out(url: &str, workload: &Workload) -> Result<Self> {
        let peer = Self::over(url).await?;
        stock(&peer.engine, workload.products(), 0).await?;
        Ok(peer)
    }

    /// Opens an engine over the ledger as it is, an empty one if there is none yet.
    pub async fn over(url: &str) -> Result<Self> {
        PostgresStore::migrate(url).await?;
        let store = Arc::new(PostgresStore::connect(url, PostgresOptions::default()).await?);
        // The calendar's work is for the night.
        let options = EngineOptions { housekeeping: false, ..EngineOptions::default() };
        let engine = Engine::open(store, Arc::new(NoEvents), options).await?;
        Ok(Self { url: url.to_owned(), engine })
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Stops it.
    pub async fn stop(self) {
        self.engine.shutdown().await;
    }
}

async fn stock(engine: &Engine, products: &[ProductId], on_hand: i64) -> Result<()> {
    let on_hand = Units::level(on_hand)?;
    for chunk in products.chunks(CHUNK) {
        let mut sets = JoinSet::new();
        for product in chunk.iter().copied() {
            let engine = engine.clone();
            sets.spawn(async move { engine.set(SetStock::level(product, on_hand)).await });
        }
        while let Some(set) = sets.join_next().await {
            set??;
        }
    }
    Ok(())
}

impl Peer for InProcess {
    type Client = Caller;

    async fn connect(&self) -> Result<Caller> {
        Ok(Caller { engine: self.engine.clone() })
    }

    async fn taken(&self) -> Result<Option<i64>> {
        sql::held(&self.url, HELD).await
    }

    fn batches(&self) -> Option<Batches> {
        let stats = self.engine.stats();
        Some(Batches { commands: stats.commands, batches: stats.batches })
    }
}

impl Client for Caller {
    async fn reserve(&mut self, request: Request) -> Result<Answer> {
        let Request { order, lines } = request;
        match self.engine.reserve(ReserveRequest { order, lines, customer: None, ttl: None }).await {
            Ok(_) => Ok(Answer::Held),
            Err(ReserveError::InsufficientStock(_)) => Ok(Answer::Refused),
            Err(error) => Err(error.into()),
        }
    }
}
