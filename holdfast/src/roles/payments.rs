//! Payments: the provider that misbehaves on request.

use std::sync::Arc;

use anyhow::Context;
use futures::FutureExt;
use order_service::saga::Mode;
use payment_stub::{Service, ServiceOptions, Stopped};
use service_kit::events::{Forget, Handler, RetentionOptions};
use service_kit::sql::Database;
use service_kit::{Metrics, Readiness};

use super::part::{Ended, Part};
use super::{Role, Shape, listening};
use crate::config::Settings;
use crate::data_dir::DataDir;
use crate::stores::StoreTarget;

pub(super) async fn open(
    settings: &Settings,
    shape: Shape,
    folder: Option<&DataDir>,
    readiness: &Readiness,
) -> anyhow::Result<Part> {
    let database = connect(settings, folder).await?;
    let metrics = Metrics::new("payments");
    let options =
        ServiceOptions { addr: settings.payment_addr, http: settings.http(), ..ServiceOptions::default() };
    let bound = Service::bind(database.clone(), options, metrics.clone()).await;
    let service = listening(bound, "PAYMENT_ADDR", settings.payment_addr)?.as_part_of(readiness);
    // Where the order service leads, it asks by HTTP.
    let handler: Option<Arc<dyn Handler>> = match settings.saga_mode {
        Mode::Orchestration => None,
        Mode::Choreography => Some(Arc::new(service.handler())),
    };
    Ok(Part {
        name: "payments",
        addr: service.local_addr().context("the listening address cannot be read")?,
        handler,
        forgets: vec![Forget::inbox(database.clone(), &RetentionOptions::default())],
        outbox: (!shape.is_silent()).then_some(database),
        wake: Some(service.outbox_written()),
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

/// Brings the schema up to date.
pub(crate) async fn migrate(settings: &Settings, folder: Option<&DataDir>) -> anyhow::Result<()> {
    connect(settings, folder).await?.close().await;
    Ok(())
}

/// The provider's books, their schema up to date.
async fn connect(settings: &Settings, folder: Option<&DataDir>) -> anyhow::Result<Database> {
    let target = StoreTarget::of_role(settings, folder, Role::Payments)?;
    let url = target.address()?;
    payment_stub::open(&url).await.with_context(|| format!("{target} cannot be used for payments"))
}
