//! Which inventory a verb acts on.

use anyhow::Context;
use console::style;
use inventory_service::InventoryEvents;

use super::{Embedded, Http, Ledger};
use crate::config::Settings;
use crate::data_dir::{Claim, DataDir, Holder};
use crate::stores::{self, StoreTarget};

/// What a verb expects of the data folder.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// Something must be there to look at.
    Existing,
    /// What is not there is made.
    Created,
}

/// A service if one is named, else the configured database, else the data folder: by an engine of our own if the folder is
/// free, through the process that uses it if it is not.
pub async fn open(settings: &Settings, url: Option<&str>, reach: Reach) -> anyhow::Result<Box<dyn Ledger>> {
    if let Some(url) = url {
        return Ok(Box::new(Http::new(url)?));
    }
    if let Some(database) = &settings.inventory_database {
        return open_store(StoreTarget::Postgres(database.clone()), None, settings).await;
    }
    let file = DataDir::inventory_file_in(&settings.data_dir);
    if reach == Reach::Existing && !file.exists() {
        anyhow::bail!(
            "there is no inventory at {}: start `holdfast` once, or name another with --data-dir, --database-url or --url",
            file.display()
        );
    }
    match DataDir::claim(&settings.data_dir)? {
        Claim::Owned(folder) => {
            open_store(StoreTarget::Sqlite(folder.inventory_file()), Some(folder), settings).await
        }
        Claim::Taken(Holder { url: Some(url), .. }) => {
            let note = format!("{} is in use; going through {url}", settings.data_dir.display());
            eprintln!("{}", style(note).for_stderr().dim());
            Ok(Box::new(Http::new(&url)?))
        }
        Claim::Taken(holder) => Err(in_use(settings, &holder)),
    }
}

/// Makes a store ready that may be new: a throwaway for a replay needs no `migrate` first.
pub async fn prepare_store(target: &StoreTarget) -> anyhow::Result<()> {
    match target {
        StoreTarget::Memory => Ok(()),
        StoreTarget::Sqlite(_) | StoreTarget::Postgres(_) => stores::migrate(target).await,
    }
}

/// An engine of our own over a store.
pub async fn open_store(
    target: StoreTarget,
    folder: Option<DataDir>,
    settings: &Settings,
) -> anyhow::Result<Box<dyn Ledger>> {
    let place = target.to_string();
    let opened = stores::open(&target).await?;
    let engine =
        stores::open_engine(opened.store, InventoryEvents::default(), stores::verb_options(settings))
            .await
            .with_context(|| format!("the inventory in {place} cannot be opened"))?;
    Ok(Box::new(Embedded::new(engine, place, folder)))
}

/// A folder that another process uses, and that cannot be gone through.
pub(crate) fn in_use(settings: &Settings, holder: &Holder) -> anyhow::Error {
    let who = match holder.pid {
        Some(pid) => format!("process {pid}"),
        None => "another process".to_owned(),
    };
    let does = match &holder.url {
        Some(url) => format!("serves it at {url}: use that one, or end it first"),
        None => "is at work on it: wait until it has ended".to_owned(),
    };
    anyhow::anyhow!(
        "the data folder {} is in use; {who} {does}, or set DATA_DIR to another folder",
        settings.data_dir.display()
    )
}
