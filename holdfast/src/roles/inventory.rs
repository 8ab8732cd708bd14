//! Serving the inventory: claim the folder, listen, open the store, serve, drain.

use std::time::Duration;

use anyhow::Context;
use inventory_core::engine::Engine;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::seam::{self, Service, ServiceOptions};
use crate::config::Settings;
use crate::data_dir::{Claim, DataDir};
use crate::ledger::{Embedded, ImportReport, Ledger, in_use};
use crate::signals::{Signals, Told};
use crate::stores::{self, StoreTarget};
use crate::{banner, demo};

/// How long draining may take.
const DRAIN_SECONDS_MAX: u64 = 10;

/// Which deployment this is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// Everything in one process: sets itself up, and needs no broker.
    AllInOne,
    /// One role of several processes: needs a broker, unless nobody is to be told of anything.
    OneRole {
        /// Nobody is to be told.
        no_events: bool,
    },
}

/// Serves until a signal. A failed engine is an error.
pub async fn serve(settings: &Settings, shape: Shape) -> anyhow::Result<()> {
    check_events(settings, shape)?;
    let mut signals = Signals::listen()?;
    let opening = open(settings, shape);
    let opened = tokio::select! {
        opened = opening => opened?,
        told = signals.next() => return stopped_early(told),
    };
    let outcome = serve_until_told(opened.listener, &opened.engine, settings, &mut signals).await;
    drop(opened.folder);
    outcome
}

/// What serving needs.
struct Opened {
    engine: Engine,
    listener: TcpListener,
    folder: Option<DataDir>,
}

async fn open(settings: &Settings, shape: Shape) -> anyhow::Result<Opened> {
    let (target, mut folder) = claim(settings)?;
    let listener = TcpListener::bind(settings.inventory_addr).await.with_context(|| {
        let addr = settings.inventory_addr;
        format!("cannot listen on {addr}; set INVENTORY_ADDR to a free address, such as 127.0.0.1:8183")
    })?;
    let addr = listener.local_addr().context("the listening address cannot be read")?;
    if shape == Shape::AllInOne {
        stores::migrate(&target).await?;
    }
    let store = stores::open(&target).await?;
    let engine = stores::open_engine(store.store, stores::role_options(settings)).await?;
    let ledger = Embedded::new(engine.clone(), target.to_string(), None);
    let imported = match shape {
        Shape::AllInOne if store.is_empty => Some(demo::import(&ledger).await?),
        Shape::AllInOne | Shape::OneRole { .. } => None,
    };
    if let Some(folder) = &mut folder {
        folder.announce(Some(addr))?;
    }
    let sample = ledger.product(demo::SAMPLE_PRODUCT).await?.map(|_| demo::SAMPLE_PRODUCT);
    banner::show(
        settings,
        &banner::Facts { addr, place: target.to_string(), demo: imported.as_ref(), sample },
    );
    tell(settings, shape, imported.as_ref());
    Ok(Opened { engine, listener, folder })
}

/// Where the data is, and the folder if it is ours to guard.
fn claim(settings: &Settings) -> anyhow::Result<(StoreTarget, Option<DataDir>)> {
    if let Some(database) = &settings.inventory_database {
        return Ok((StoreTarget::Postgres(database.clone()), None));
    }
    match DataDir::claim(&settings.data_dir)? {
        Claim::Owned(folder) => Ok((StoreTarget::Sqlite(folder.inventory_file()), Some(folder))),
        Claim::Taken(holder) => Err(in_use(settings, &holder)),
    }
}

fn check_events(settings: &Settings, shape: Shape) -> anyhow::Result<()> {
    match (shape, &settings.kafka_brokers) {
        (Shape::OneRole { no_events: true }, _) | (Shape::AllInOne, None) => Ok(()),
        (Shape::AllInOne, Some(_)) => anyhow::bail!(
            "KAFKA_BROKERS is set, but this build has no Kafka transport yet: unset it, everything in one process needs no broker"
        ),
        (Shape::OneRole { no_events: false }, Some(_)) => anyhow::bail!(
            "KAFKA_BROKERS is set, but this build has no Kafka transport yet: start with --no-events, and nobody is told of what happens"
        ),
        (Shape::OneRole { no_events: false }, None) => anyhow::bail!(
            "one role alone needs KAFKA_BROKERS to tell others what happens: set it, or start with --no-events, or start `holdfast` for everything in one process"
        ),
    }
}

fn tell(settings: &Settings, shape: Shape, imported: Option<&ImportReport>) {
    for (name, value) in settings.shown() {
        info!("{name}={value}");
    }
    if let Some(report) = imported {
        info!(products = report.created, "imported the demo catalogue into an empty inventory");
    }
    if shape == (Shape::OneRole { no_events: true }) {
        warn!("started with --no-events: nobody is told of what happens");
    }
    if !settings.inventory_addr.ip().is_loopback() {
        warn!(addr = %settings.inventory_addr, "listening beyond this machine, and this build authenticates nobody: guard the port");
    }
}

async fn serve_until_told(
    listener: TcpListener,
    engine: &Engine,
    settings: &Settings,
    signals: &mut Signals,
) -> anyhow::Result<()> {
    let service = Service::new(engine.clone(), ServiceOptions { hold_ttl_max: settings.hold_ttl_max });
    let shutdown = CancellationToken::new();
    let serving = seam::serve(listener, service.router(), shutdown.clone());
    tokio::pin!(serving);
    let told = tokio::select! {
        ended = &mut serving => {
            engine.shutdown().await;
            return ended.context("the HTTP service ended");
        }
        () = engine.failed() => anyhow::bail!(
            "the engine has failed and this process ends; what was answered is stored, start it again to go on"
        ),
        told = signals.next() => told,
    };
    info!(signal = ?told, "draining; a second signal ends at once");
    shutdown.cancel();
    let drain = async {
        let ended = serving.await.context("the HTTP service ended badly");
        engine.shutdown().await;
        ended
    };
    let deadline = Duration::from_secs(DRAIN_SECONDS_MAX);
    tokio::select! {
        drained = tokio::time::timeout(deadline, drain) => match drained {
            Ok(ended) => ended?,
            Err(_) => warn!("not everything ended within {DRAIN_SECONDS_MAX} s; what was not answered is safe to repeat"),
        },
        again = signals.next() => std::process::exit(again.exit_code()),
    }
    info!("stopped");
    Ok(())
}

/// A signal before anything was served: nothing to drain.
fn stopped_early(told: Told) -> anyhow::Result<()> {
    info!(signal = ?told, "stopped before serving");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(kafka_brokers: Option<&str>) -> Settings {
        Settings {
            inventory_database: None,
            kafka_brokers: kafka_brokers.map(str::to_owned),
            data_dir: "./data".into(),
            inventory_addr: "127.0.0.1:0".parse().unwrap(),
            hold_ttl: Duration::from_secs(900),
            hold_ttl_max: Duration::from_secs(3_600),
            log_filter: None,
            log_format: crate::config::LogFormat::Text,
        }
    }

    #[test]
    fn one_role_without_a_broker_starts_only_without_events() {
        let refused =
            |shape, brokers| check_events(&settings(brokers), shape).err().map(|why| why.to_string());
        let role = |no_events| Shape::OneRole { no_events };
        assert!(refused(role(false), None).unwrap().contains("--no-events"));
        assert_eq!(refused(role(true), None), None);
        assert_eq!(refused(Shape::AllInOne, None), None);
    }

    #[test]
    fn brokers_are_refused_as_long_as_there_is_no_transport() {
        for shape in [Shape::AllInOne, Shape::OneRole { no_events: false }] {
            let why = check_events(&settings(Some("broker:9092")), shape).unwrap_err().to_string();
            assert!(why.contains("no Kafka transport yet"), "{why}");
        }
    }
}
