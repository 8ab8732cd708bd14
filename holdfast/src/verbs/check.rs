//! `holdfast check --history FILE…`.

use std::io::{self, BufReader, Write};
use std::path::Path;

use anyhow::Context;
use console::style;
use indicatif::HumanCount;
use inventory_core::ids::OrderId;
use inventory_core::store::Store;
use ledger_check::{Callers, Extent, Options, Record, Verdict as Checked};

use crate::Verdict;
use crate::cli::CheckArgs;
use crate::config::Settings;
use crate::data_dir::{Claim, DataDir, Holder};
use crate::stores::{self, StoreTarget};
use crate::{input, journal, progress};

/// Checks the ledger against what its callers saw; violations are findings.
pub(super) async fn run(settings: &Settings, args: &CheckArgs) -> anyhow::Result<Verdict> {
    // First, so that everything they were told is in the journal when that is read.
    let mut records = Vec::new();
    for file in &args.histories {
        read_history(file, &mut records)?;
    }
    // The folder, if one is needed, stays ours until the end.
    let (target, _folder) = target_of(settings)?;
    let store = stores::open(&target).await?.store;
    let spinner = progress::spinner("Reading");
    let journal = journal::read(store.as_ref(), &spinner).await;
    spinner.finish_and_clear();
    let journal = journal?;
    let options = Options {
        staleness: args.staleness,
        sweep_bound: args.sweep_bound,
        at_rest: if args.at_rest { Some(store_time(store.as_ref()).await?) } else { None },
        journal: journal.pruned_before.map_or(Extent::Complete, Extent::PrunedBefore),
        callers: if args.other_callers { Callers::Some } else { Callers::All },
        ..Options::default()
    };
    let spinner = progress::spinner("Checking");
    let checked =
        tokio::task::spawn_blocking(move || ledger_check::check(journal.entries, records, &options));
    let checked = checked.await.context("the check broke off")?;
    spinner.finish_and_clear();
    print(&mut io::stdout().lock(), &checked, args.json)?;
    Ok(if checked.is_clean() { Verdict::Done } else { Verdict::Findings })
}

fn read_history(file: &Path, records: &mut Vec<Record>) -> anyhow::Result<()> {
    let bar = progress::bytes("Reading");
    let source = BufReader::new(input::open(file, &bar)?);
    let before = records.len();
    for record in ledger_check::history::read(source) {
        records.push(record.with_context(|| format!("{} is no history", file.display()))?);
        if records.len().is_multiple_of(10_000) {
            bar.set_message(format!("{} records", HumanCount((records.len() - before) as u64)));
        }
    }
    bar.finish_and_clear();
    Ok(())
}

/// The ledger itself: a service's answers are not enough.
fn target_of(settings: &Settings) -> anyhow::Result<(StoreTarget, Option<DataDir>)> {
    if let Some(database) = &settings.inventory_database {
        return Ok((StoreTarget::Postgres(database.clone()), None));
    }
    let file = DataDir::inventory_file_in(&settings.data_dir);
    if !file.exists() {
        anyhow::bail!(
            "there is no inventory at {}: name another with --data-dir or --database-url",
            file.display()
        );
    }
    match DataDir::claim(&settings.data_dir)? {
        Claim::Owned(folder) => Ok((StoreTarget::Sqlite(folder.inventory_file()), Some(folder))),
        Claim::Taken(Holder { pid, .. }) => {
            let who = pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"));
            anyhow::bail!(
                "the data folder {} is in use by {who}, and the check reads the ledger itself: end that process first",
                settings.data_dir.display()
            )
        }
    }
}

async fn store_time(store: &dyn Store) -> anyhow::Result<inventory_core::clock::Timestamp> {
    let anybody = OrderId::new(uuid::Uuid::nil());
    Ok(store.reservation(anybody).await.context("the ledger's time could not be read")?.0)
}

/// The verdict, for people or machines.
fn print(out: &mut dyn Write, checked: &Checked, json: bool) -> io::Result<()> {
    if json {
        return writeln!(out, "{:#}", checked.to_json());
    }
    let mark = if checked.is_clean() { style("✔").green() } else { style("✘").red() };
    writeln!(out, "{mark} check: {checked}")
}
