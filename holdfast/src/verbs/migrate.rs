//! `holdfast migrate`.

use anyhow::Context;
use console::style;
use order_service::StoreOptions;

use crate::Verdict;
use crate::cli::MigrateArgs;
use crate::config::Settings;
use crate::data_dir::{Claim, DataDir};
use crate::ledger::in_use;
use crate::roles::{Role, orders, payments};
use crate::stores::{self, StoreTarget};

/// Brings the schemas of these roles up to date.
pub(super) async fn run(settings: &Settings, args: &MigrateArgs) -> anyhow::Result<Verdict> {
    let roles = if args.roles.is_empty() { &Role::ALL[..] } else { &args.roles[..] };
    // The folder, if one is needed, stays ours until the end.
    let folder = match roles.iter().any(|role| settings.database_of(*role).is_none()) {
        false => None,
        true => match DataDir::claim(&settings.data_dir)? {
            Claim::Owned(folder) => Some(folder),
            Claim::Taken(holder) => return Err(in_use(settings, &holder)),
        },
    };
    for role in roles {
        migrate(settings, *role, folder.as_ref()).await?;
        let place = match settings.database_of(*role) {
            Some(url) => url.to_string(),
            None => settings.data_dir.display().to_string(),
        };
        eprintln!(
            "{} the schema of {} in {place} is up to date",
            style("✔").for_stderr().green(),
            role.name()
        );
    }
    Ok(Verdict::Done)
}

async fn migrate(settings: &Settings, role: Role, folder: Option<&DataDir>) -> anyhow::Result<()> {
    match role {
        Role::Inventory => stores::migrate(&StoreTarget::of_role(settings, folder, Role::Inventory)?).await,
        Role::Orders => {
            let store = orders::connect(settings, folder, StoreOptions::default()).await?;
            store.migrate().await.context("the orders' schema could not be brought up to date")
        }
        Role::Payments => payments::migrate(settings, folder).await,
    }
}
