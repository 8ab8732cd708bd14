//! Orders: store, saga, REST, workers, and what the saga does about the events of others.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use futures::FutureExt;
use order_service::worker::{HttpInventory, HttpPayments};
use order_service::{Service, ServiceOptions, Stopped, Store, StoreOptions};
use reqwest::Url;
use service_kit::calls::{CallOptions, Client};
use service_kit::events::RetentionOptions;
use service_kit::{Metrics, Readiness};

use super::part::{Ended, Part};
use super::{Role, Shape, listening};
use crate::config::Settings;
use crate::data_dir::{DataDir, reachable_url};
use crate::stores::StoreTarget;

/// Where the two others listen, where they are parts of this process.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Others {
    pub(super) inventory: Option<SocketAddr>,
    pub(super) payments: Option<SocketAddr>,
}

pub(super) async fn open(
    settings: &Settings,
    shape: Shape,
    folder: Option<&DataDir>,
    others: Others,
    readiness: &Readiness,
) -> anyhow::Result<Part> {
    let options = StoreOptions {
        mode: settings.saga_mode,
        payment_deadline: settings.payment_deadline,
        ..StoreOptions::default()
    };
    let store = connect(settings, folder, options).await?;
    if shape == Shape::AllInOne {
        store.migrate().await.context("the orders' schema could not be brought up to date")?;
    }
    let metrics = Metrics::new("orders");
    let client = |name, setting: &Option<Url>, addr: SocketAddr| {
        let url = setting.as_ref().map_or_else(|| reachable_url(addr), Url::to_string);
        Client::new(&url, CallOptions::default(), &metrics, name)
    };
    let inventory = others.inventory.unwrap_or(settings.inventory_addr);
    let inventory = client("inventory", &settings.inventory_url, inventory)?;
    let payments = others.payments.unwrap_or(settings.payment_addr);
    let payments = client("payments", &settings.payment_url, payments)?;
    let service = Service::bind(
        store.clone(),
        Arc::new(HttpInventory::new(inventory)),
        Arc::new(HttpPayments::new(payments)),
        ServiceOptions { addr: settings.order_addr, http: settings.http(), ..ServiceOptions::default() },
        metrics.clone(),
    )
    .await;
    let service = listening(service, "ORDER_ADDR", settings.order_addr)?.as_part_of(readiness);
    Ok(Part {
        name: "orders",
        addr: service.local_addr().context("the listening address cannot be read")?,
        handler: Some(Arc::new(service.events())),
        outbox: (!shape.is_silent()).then(|| store.database().clone()),
        forgets: store.forgets(&RetentionOptions::default()),
        wake: Some(store.outbox().clone()),
        metrics,
        serve: Box::new(move |stop| {
            async move {
                match service.run(stop).await {
                    Stopped::Cleanly => Ended::Cleanly,
                    Stopped::Cut => Ended::Cut,
                }
            }
            .boxed()
        }),
    })
}

/// The orders' store, its schema as it is.
pub(crate) async fn connect(
    settings: &Settings,
    folder: Option<&DataDir>,
    options: StoreOptions,
) -> anyhow::Result<Store> {
    let target = StoreTarget::of_role(settings, folder, Role::Orders)?;
    let url = target.address()?;
    Store::connect(&url, options).await.with_context(|| format!("{target} cannot be used for orders"))
}
