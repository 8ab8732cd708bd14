//! `holdfast migrate`.

use console::style;

use crate::Verdict;
use crate::config::Settings;
use crate::data_dir::{Claim, DataDir};
use crate::ledger::in_use;
use crate::stores::{self, StoreTarget};

/// Brings the inventory's schema up to date.
pub(super) async fn run(settings: &Settings) -> anyhow::Result<Verdict> {
    // The folder, if it is one, stays ours until the end.
    let (target, _folder) = match &settings.inventory_database {
        Some(url) => (StoreTarget::Postgres(url.clone()), None),
        None => match DataDir::claim(&settings.data_dir)? {
            Claim::Owned(folder) => (StoreTarget::Sqlite(folder.inventory_file()), Some(folder)),
            Claim::Taken(holder) => return Err(in_use(settings, &holder)),
        },
    };
    stores::migrate(&target).await?;
    eprintln!("{} the schema of {target} is up to date", style("✔").for_stderr().green());
    Ok(Verdict::Done)
}
