//! Serving the inventory: claim the folder, open the store, listen, serve, drain.

use std::time::Duration;

use anyhow::Context;
use inventory_service::{Service, ServiceOptions, Stopped};
use service_kit::Metrics;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::config::Settings;
use crate::data_dir::{Claim, DataDir};
use crate::ledger::{Embedded, ImportReport, Ledger, in_use};
use crate::signals::Signals;
use crate::stores::{self, StoreTarget};
use crate::{banner, demo};

/// How long draining may take, whatever it waits for.
const DRAIN_DEADLINE: Duration = Duration::from_secs(10);

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
    let ready = tokio::select! {
        ready = open(settings, shape) => ready?,
        told = signals.next() => {
            info!(signal = ?told, "stopped before serving");
            return Ok(());
        }
    };
    // The folder stays ours until everything in it is closed.
    let Ready { service, folder: _folder } = ready;
    run(service, &mut signals).await
}

/// Bound, open and announced.
struct Ready {
    service: Service,
    folder: Option<DataDir>,
}

async fn open(settings: &Settings, shape: Shape) -> anyhow::Result<Ready> {
    let (target, mut folder) = claim(settings)?;
    if shape == Shape::AllInOne {
        stores::migrate(&target).await?;
    }
    let store = stores::open(&target).await?;
    let engine = stores::open_engine(store.store, stores::role_options(settings)).await?;
    let options = ServiceOptions {
        addr: settings.inventory_addr,
        hold_ttl_max: settings.hold_ttl_max,
        ..ServiceOptions::default()
    };
    let service =
        Service::bind(engine.clone(), options, Metrics::new("inventory")).await.with_context(|| {
            let addr = settings.inventory_addr;
            format!("cannot listen on {addr}; set INVENTORY_ADDR to a free address, such as 127.0.0.1:8183")
        })?;
    let addr = service.local_addr().context("the listening address cannot be read")?;
    let ledger = Embedded::new(engine, target.to_string(), None);
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
    Ok(Ready { service, folder })
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

/// Serves; the first signal drains, a second one ends the process at once.
async fn run(service: Service, signals: &mut Signals) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    let serving = service.run(stop.clone());
    tokio::pin!(serving);
    let early = tokio::select! {
        stopped = &mut serving => Some(stopped),
        told = signals.next() => {
            info!(signal = ?told, "draining; a second signal ends at once");
            None
        }
    };
    stop.cancel();
    let stopped = match early {
        Some(stopped) => stopped,
        None => tokio::select! {
            drained = tokio::time::timeout(DRAIN_DEADLINE, serving) => drained.unwrap_or(Stopped::Cut),
            again = signals.next() => std::process::exit(again.exit_code()),
        },
    };
    match stopped {
        Stopped::Cleanly => info!("stopped"),
        Stopped::Cut => warn!("stopped; what was not answered in time is safe to repeat"),
        Stopped::EngineFailed => anyhow::bail!(
            "the engine has failed and this process ends; what was answered is stored, start it again to go on"
        ),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn settings(kafka_brokers: Option<&str>) -> Settings {
        let cli = crate::cli::Cli::try_parse_from(["holdfast"]).unwrap();
        let settings = Settings::check(&cli.config).unwrap();
        Settings { kafka_brokers: kafka_brokers.map(str::to_owned), ..settings }
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
