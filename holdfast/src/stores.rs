//! Where an engine keeps its data: the one file that names the stores.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use inventory_core::engine::Engine;
use inventory_core::options::EngineOptions;
use inventory_core::store::memory::MemoryStore;
use inventory_core::store::postgres::{PostgresOptions, PostgresStore};
use inventory_core::store::sqlite::SqliteStore;
use inventory_core::store::{Retention, Store};
use inventory_service::InventoryEvents;
use service_kit::events::RetentionOptions;

use crate::config::{HOLD_SECONDS_LIMIT, Settings};
use crate::data_dir::DataDir;
use crate::database_url::DatabaseUrl;
use crate::roles::Role;

/// A store by name. Printing it hides secrets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StoreTarget {
    /// Gone with the process.
    Memory,
    /// One file, one process.
    Sqlite(PathBuf),
    /// Shared with other processes.
    Postgres(DatabaseUrl),
}

impl fmt::Display for StoreTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory"),
            Self::Sqlite(path) => write!(f, "{} (SQLite)", path.display()),
            Self::Postgres(url) => url.fmt(f),
        }
    }
}

impl StoreTarget {
    /// Where a role keeps its data: the configured database, or its file in the folder, which was claimed for it.
    pub(crate) fn of_role(settings: &Settings, folder: Option<&DataDir>, role: Role) -> anyhow::Result<Self> {
        if let Some(url) = settings.database_of(role) {
            return Ok(Self::Postgres(url.clone()));
        }
        let folder =
            folder.with_context(|| format!("no folder was claimed for the file of {}", role.name()))?;
        Ok(Self::Sqlite(folder.file_of(role)))
    }

    /// The address for a driver, secrets included.
    pub(crate) fn address(&self) -> anyhow::Result<String> {
        match self {
            Self::Postgres(url) => Ok(url.expose().to_owned()),
            Self::Sqlite(path) => Ok(format!("sqlite:{}", path.display())),
            Self::Memory => anyhow::bail!("a memory store has no address"),
        }
    }

    /// Accepts `memory`, `sqlite:PATH` and `postgres://…`. The error says what to change and repeats nothing secret.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text == "memory" {
            return Ok(Self::Memory);
        }
        if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return if path.is_empty() {
                Err("names no file: give sqlite:PATH, such as sqlite:./replay.db".to_owned())
            } else {
                Ok(Self::Sqlite(PathBuf::from(path)))
            };
        }
        if text.starts_with("postgres") {
            return DatabaseUrl::parse(text).map(Self::Postgres);
        }
        Err("is no store: give memory, sqlite:PATH or postgres://user:password@host:port/database".to_owned())
    }
}

/// A store whose schema is up to date.
pub struct OpenStore {
    /// For the engine.
    pub store: Arc<dyn Store>,
    /// It has no product yet.
    pub is_empty: bool,
}

/// Opens a store. SQLite files are made and migrated on the way; a Postgres schema must have been migrated.
pub async fn open(target: &StoreTarget) -> anyhow::Result<OpenStore> {
    let opened = match target {
        StoreTarget::Memory => OpenStore { store: Arc::new(MemoryStore::default()), is_empty: true },
        StoreTarget::Sqlite(path) => {
            let store = SqliteStore::open(path).await.with_context(|| cannot_open(target))?;
            OpenStore { is_empty: !store.has_products().await?, store: Arc::new(store) }
        }
        StoreTarget::Postgres(url) => {
            let store = PostgresStore::connect(url.expose(), PostgresOptions::default())
                .await
                .with_context(|| cannot_open(target))?;
            OpenStore { is_empty: !store.has_products().await?, store: Arc::new(store) }
        }
    };
    Ok(opened)
}

/// Brings a store's schema up to date.
pub async fn migrate(target: &StoreTarget) -> anyhow::Result<()> {
    match target {
        StoreTarget::Memory => Ok(()),
        StoreTarget::Sqlite(path) => {
            SqliteStore::open(path).await.map(drop).with_context(|| cannot_open(target))
        }
        StoreTarget::Postgres(url) => {
            PostgresStore::migrate(url.expose()).await.with_context(|| cannot_open(target))
        }
    }
}

fn cannot_open(target: &StoreTarget) -> String {
    format!("{target} cannot be used as a store")
}

/// Starts an engine over a store. What verbs change is to be published too: their events are encoded like a role's.
pub async fn open_engine(
    store: Arc<dyn Store>,
    events: InventoryEvents,
    options: EngineOptions,
) -> anyhow::Result<Engine> {
    Engine::open(store, Arc::new(events), options).await.context("the engine did not start")
}

/// How an engine that serves behaves. It remembers deliveries for as long as the transport may repeat them.
pub fn role_options(settings: &Settings) -> EngineOptions {
    let options = EngineOptions::default();
    let deliveries = RetentionOptions::default().inbox();
    EngineOptions {
        hold_ttl: settings.hold_ttl,
        hold_ttl_max: settings.hold_ttl_max,
        retention: Retention { deliveries, ..options.retention },
        ..options
    }
}

/// How an engine behaves that lives for one verb: no calendar, and a ceiling that leaves room for a long replay.
pub fn verb_options(settings: &Settings) -> EngineOptions {
    EngineOptions {
        hold_ttl: settings.hold_ttl,
        hold_ttl_max: std::time::Duration::from_secs(HOLD_SECONDS_LIMIT),
        housekeeping: false,
        ..EngineOptions::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn race_31_a_role_remembers_deliveries_longer_than_topics_and_dead_letters_keep_them() {
        use clap::Parser as _;
        let cli = crate::cli::Cli::try_parse_from(["holdfast"]).unwrap();
        let options = role_options(&Settings::check(&cli.config).unwrap());
        let kept = RetentionOptions::default();
        assert!(options.retention.deliveries > kept.topics + kept.dead_letters);
    }

    #[test]
    fn stores_are_told_by_their_first_letters() {
        assert_eq!(StoreTarget::parse("memory"), Ok(StoreTarget::Memory));
        assert_eq!(StoreTarget::parse("sqlite:./a.db"), Ok(StoreTarget::Sqlite("./a.db".into())));
        assert_eq!(StoreTarget::parse("sqlite:///tmp/a.db"), Ok(StoreTarget::Sqlite("/tmp/a.db".into())));
        assert!(matches!(StoreTarget::parse("postgresql://h/d"), Ok(StoreTarget::Postgres(_))));
    }

    #[test]
    fn what_is_no_store_is_told_what_is() {
        for text in ["", "sqlite:", "redis://x", "postgres:nowhere at all"] {
            let parsed = StoreTarget::parse(text);
            let Err(why) = parsed else { panic!("{text} was taken for {parsed:?}") };
            assert!(why.contains("give "), "{why}");
        }
    }

    #[test]
    fn a_store_is_printed_without_its_password() {
        let shown = StoreTarget::parse("postgres://me:s3cret@h/d").unwrap().to_string();
        assert_eq!(shown, "postgres://me:***@h/d");
    }
}
