//! What runs until it is told to stop: one part per role, joined by a transport for their events.

mod events;
mod inventory;
pub(crate) mod orders;
mod part;
pub(crate) mod payments;
mod run;

use anyhow::Context;
use clap::ValueEnum;
use service_kit::Readiness;
use tracing::{info, warn};

use self::events::Events;
use self::orders::Others;
use self::part::Part;
use crate::banner;
use crate::config::Settings;
use crate::data_dir::{Claim, DataDir};
use crate::ledger::in_use;
use crate::signals::Signals;

/// A role that may run alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Role {
    /// Stock.
    Inventory,
    /// The saga.
    Orders,
    /// The provider that misbehaves on request.
    Payments,
}

impl Role {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Inventory, Self::Orders, Self::Payments];

    /// As people and the command line call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Inventory => "inventory",
            Self::Orders => "orders",
            Self::Payments => "payments",
        }
    }
}

/// Which deployment this is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// Everything in one process: sets itself up, and needs no broker.
    AllInOne,
    /// One role of several processes: needs a broker, unless nobody is to be told of anything.
    OneRole {
        /// Which.
        role: Role,
        /// Nobody is to be told.
        no_events: bool,
    },
}

impl Shape {
    /// Whether this process has that part.
    pub(crate) fn has(self, part: Role) -> bool {
        match self {
            Self::AllInOne => true,
            Self::OneRole { role, .. } => role == part,
        }
    }

    /// Whether what happens is told to nobody, for now.
    pub(crate) fn is_silent(self) -> bool {
        matches!(self, Self::OneRole { no_events: true, .. })
    }
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
    let Ready { parts, events, folder: _folder } = ready;
    run::until_told(parts, events, &mut signals).await
}

/// Bound, open and announced.
struct Ready {
    parts: Vec<Part>,
    events: Events,
    folder: Option<DataDir>,
}

async fn open(settings: &Settings, shape: Shape) -> anyhow::Result<Ready> {
    let mut folder = claim(settings, shape)?;
    let readiness = Readiness::default();
    let events = Events::open(settings, shape, folder.as_ref()).await?;
    let mut parts = Vec::new();
    let mut shown = None;
    if shape.has(Role::Inventory) {
        let opened = inventory::open(settings, shape, folder.as_ref(), &readiness).await?;
        shown = Some(opened.shown);
        parts.push(opened.part);
    }
    if shape.has(Role::Payments) {
        parts.push(payments::open(settings, shape, folder.as_ref(), &readiness).await?);
    }
    if shape.has(Role::Orders) {
        let addr = |name| parts.iter().find(|part: &&Part| part.name == name).map(|part| part.addr);
        let others = Others { inventory: addr("inventory"), payments: addr("payments") };
        // Second in what is shown: it is what callers come for.
        parts.insert(
            parts.len().min(1),
            orders::open(settings, shape, folder.as_ref(), others, &readiness).await?,
        );
    }
    if let (Some(folder), Some(first)) = (&mut folder, parts.first()) {
        folder.announce(Some(first.addr))?;
    }
    banner::show(settings, &parts_shown(&parts), shown.as_ref());
    tell(settings, shape, &parts);
    Ok(Ready { parts, events, folder })
}

fn parts_shown(parts: &[Part]) -> Vec<(&'static str, std::net::SocketAddr)> {
    parts.iter().map(|part| (part.name, part.addr)).collect()
}

/// The folder, if anything of this process lives in it.
fn claim(settings: &Settings, shape: Shape) -> anyhow::Result<Option<DataDir>> {
    let has_a_file =
        Role::ALL.into_iter().any(|role| shape.has(role) && settings.database_of(role).is_none());
    let has_a_log = shape == Shape::AllInOne && settings.kafka_brokers.is_none();
    if !has_a_file && !has_a_log {
        return Ok(None);
    }
    match DataDir::claim(&settings.data_dir)? {
        Claim::Owned(folder) => Ok(Some(folder)),
        Claim::Taken(holder) => Err(in_use(settings, &holder)),
    }
}

fn check_events(settings: &Settings, shape: Shape) -> anyhow::Result<()> {
    let alone = matches!(shape, Shape::OneRole { .. });
    if alone && !shape.is_silent() && settings.kafka_brokers.is_none() {
        anyhow::bail!(
            "one role alone needs KAFKA_BROKERS to tell others what happens: set it, or start with --no-events, or start `holdfast` for everything in one process"
        );
    }
    Ok(())
}

fn tell(settings: &Settings, shape: Shape, parts: &[Part]) {
    for (name, value) in settings.shown() {
        info!("{name}={value}");
    }
    if shape.is_silent() {
        warn!("started with --no-events: nobody is told of what happens");
    }
    for part in parts.iter().filter(|part| !part.addr.ip().is_loopback()) {
        warn!(addr = %part.addr, part = part.name, "listening beyond this machine, and this build authenticates nobody: guard the port");
    }
}

/// Says which name to change when an address cannot be listened on.
fn listening<T>(bound: std::io::Result<T>, name: &str, addr: std::net::SocketAddr) -> anyhow::Result<T> {
    bound.with_context(|| {
        let example = std::net::SocketAddr::new(addr.ip(), addr.port().wrapping_add(100));
        format!("cannot listen on {addr}; set {name} to a free address, such as {example}")
    })
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
        for role in [Role::Inventory, Role::Orders, Role::Payments] {
            let alone = |no_events| Shape::OneRole { role, no_events };
            assert!(refused(alone(false), None).unwrap().contains("--no-events"));
            assert_eq!(refused(alone(true), None), None);
            assert_eq!(refused(alone(false), Some("broker:9092")), None);
        }
        assert_eq!(refused(Shape::AllInOne, None), None);
    }
}
