//! The inventory: store, engine, REST, and what it does about the events of orders.

use std::sync::Arc;

use anyhow::Context;
use futures::FutureExt;
use inventory_service::{InventoryEvents, OrderEvents, Service, ServiceOptions, Stopped};
use order_service::saga::Mode;
use service_kit::sql::Database;
use service_kit::{Metrics, Readiness};

use super::part::{Ended, Part};
use super::{Role, Shape, listening};
use crate::banner::Shown;
use crate::config::Settings;
use crate::data_dir::DataDir;
use crate::demo;
use crate::ledger::{Embedded, Ledger};
use crate::stores::{self, StoreTarget};

/// The schema that the ledger lives in on Postgres.
const SCHEMA: &str = "inventory_service_schema";

pub(super) struct Opened {
    pub(super) part: Part,
    pub(super) shown: Shown,
}

pub(super) async fn open(
    settings: &Settings,
    shape: Shape,
    folder: Option<&DataDir>,
    readiness: &Readiness,
) -> anyhow::Result<Opened> {
    let target = StoreTarget::of_role(settings, folder, Role::Inventory)?;
    if shape == Shape::AllInOne {
        stores::migrate(&target).await?;
    }
    let store = stores::open(&target).await?;
    let options = stores::role_options(settings);
    let engine = stores::open_engine(store.store, encoder(settings, shape), options).await?;
    let options = ServiceOptions {
        addr: settings.inventory_addr,
        hold_ttl_max: settings.hold_ttl_max,
        http: settings.http(),
        ..ServiceOptions::default()
    };
    let metrics = Metrics::new("inventory");
    let bound = Service::bind(engine.clone(), options, metrics.clone()).await;
    let service = listening(bound, "INVENTORY_ADDR", settings.inventory_addr)?.as_part_of(readiness);
    let addr = service.local_addr().context("the listening address cannot be read")?;

    let ledger = Embedded::new(engine.clone(), target.to_string(), None);
    let imported = match shape {
        Shape::AllInOne if store.is_empty => Some(demo::import(&ledger).await?),
        Shape::AllInOne | Shape::OneRole { .. } => None,
    };
    if let Some(report) = &imported {
        tracing::info!(products = report.created, "imported the demo catalogue into an empty inventory");
    }
    let sample = ledger.product(demo::SAMPLE_PRODUCT).await?.map(|_| demo::SAMPLE_PRODUCT);
    let shown = Shown { place: target.to_string(), demo: imported.map(|report| report.created), sample };

    let handler = match settings.saga_mode {
        Mode::Orchestration => OrderEvents::new(engine),
        Mode::Choreography => OrderEvents::for_choreography(engine),
    };
    let outbox = if shape.is_silent() { None } else { Some(outbox(&target).await?) };
    let part = Part {
        name: "inventory",
        addr,
        serve: Box::new(move |stop| {
            async move {
                match service.run(stop).await {
                    Stopped::Cleanly => Ended::Cleanly,
                    Stopped::Cut => Ended::Cut,
                    Stopped::EngineFailed => Ended::Failed,
                }
            }
            .boxed()
        }),
        outbox,
        // The engine's own housekeeping prunes what it remembers, on either store.
        forgets: Vec::new(),
        handler: Some(Arc::new(handler)),
        metrics,
        wake: None,
    };
    Ok(Opened { part, shown })
}

fn encoder(settings: &Settings, shape: Shape) -> InventoryEvents {
    let events = match settings.saga_mode {
        Mode::Orchestration => InventoryEvents::default(),
        Mode::Choreography => InventoryEvents::for_choreography(),
    };
    if shape.is_silent() { events.without_levels() } else { events }
}

/// A second way into the ledger's database, for the relay: it reads and deletes rows of the outbox, and nothing else.
async fn outbox(target: &StoreTarget) -> anyhow::Result<Database> {
    let url = target.address()?;
    Database::connect(&url, SCHEMA).await.with_context(|| format!("the outbox of {target} cannot be opened"))
}
