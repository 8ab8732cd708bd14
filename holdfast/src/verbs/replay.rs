//! `holdfast replay FILE`.

use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use console::style;

use crate::Verdict;
use crate::cli::ReplayArgs;
use crate::config::Settings;
use crate::data_dir::{Claim, DataDir};
use crate::ledger::{self, Http, Ledger, in_use};
use crate::replay::{self, BasketFile, Dropped, Fates, LineCounts, Plan, Summary, Tally};
use crate::stores::StoreTarget;
use crate::verbs::{audit, import};
use crate::{input, progress};

mod orders;
mod report;

/// How long holds last: in an engine of our own, a day; in a service, its usual ceiling.
const TTL_EMBEDDED_SECONDS: u64 = 86_400;
const TTL_SERVICE_SECONDS: u64 = 3_600;

/// Replays a file; rejected stock rows and audit violations are findings.
pub async fn run(settings: &Settings, args: &ReplayArgs) -> anyhow::Result<Verdict> {
    let fates = Fates::new(args.seed, args.commit_percent, args.release_percent)?;
    let file = read_baskets(args).await?;
    report::print_dropped(&mut io::stderr().lock(), &file)?;
    if let Some(path) = &args.rejects {
        write_rejects(path, &file.dropped)?;
    }
    if args.as_orders {
        return orders::run(settings, args, &file, fates).await;
    }
    let ledger = open(settings, args).await?;
    let ttl = Duration::from_secs(args.ttl_seconds.unwrap_or(if ledger.is_embedded() {
        TTL_EMBEDDED_SECONDS
    } else {
        TTL_SERVICE_SECONDS
    }));
    let plan = Plan { fates, ttl, concurrency: usize::from(args.concurrency) };
    let replayed = replay(ledger.as_ref(), args, &file, &plan).await;
    ledger.close().await;
    let (summary, stock_verdict) = replayed?;
    let out = &mut io::stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut *out, &summary).map_err(io::Error::from)?;
        writeln!(out)?;
    } else {
        report::print(out, &summary)?;
    }
    Ok(match (audit::verdict(&summary.audit), stock_verdict) {
        (Verdict::Done, Verdict::Done) => Verdict::Done,
        _ => Verdict::Findings,
    })
}

async fn read_baskets(args: &ReplayArgs) -> anyhow::Result<BasketFile> {
    let bar = progress::bytes("Reading");
    let source = input::open(&args.file, &bar)?;
    let limit = args.limit;
    let read = tokio::task::spawn_blocking(move || replay::read(source, limit));
    let file = read.await.context("the reader of the file stopped")?;
    bar.finish_and_clear();
    file.with_context(|| format!("{} cannot be replayed", args.file.display()))
}

async fn open(settings: &Settings, args: &ReplayArgs) -> anyhow::Result<Box<dyn Ledger>> {
    if let Some(url) = &args.url {
        return Ok(Box::new(Http::new(url)?));
    }
    let target = StoreTarget::parse(&args.store).map_err(|why| anyhow::anyhow!("--store {why}"))?;
    let folder = match &target {
        StoreTarget::Sqlite(path) => Some(claim_around(path, settings)?),
        StoreTarget::Memory if args.stock.is_none() => {
            anyhow::bail!(
                "a store in memory begins empty: give the stock with --stock FILE, or name another --store"
            )
        }
        StoreTarget::Memory | StoreTarget::Postgres(_) => None,
    };
    ledger::prepare_store(&target).await?;
    ledger::open_store(target, folder, settings).await
}

/// The folder around a database file belongs to one process, whoever names the file.
fn claim_around(file: &Path, settings: &Settings) -> anyhow::Result<DataDir> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match DataDir::claim(folder)? {
        Claim::Owned(folder) => Ok(folder),
        Claim::Taken(holder) => {
            let settings = Settings { data_dir: folder.to_owned(), ..settings.clone() };
            Err(in_use(&settings, &holder))
        }
    }
}

/// Stock, baskets, audit.
async fn replay(
    ledger: &dyn Ledger,
    args: &ReplayArgs,
    file: &BasketFile,
    plan: &Plan,
) -> anyhow::Result<(Summary, Verdict)> {
    let mut stock_verdict = Verdict::Done;
    if let Some(stock) = &args.stock {
        let report = import::import_file(ledger, stock, import::format_of(stock, None)?).await?;
        import::print(&mut io::stderr().lock(), &report, ledger.place())?;
        if !report.rejected.is_empty() {
            stock_verdict = Verdict::Findings;
        }
    }
    let bar = progress::items("Replaying", file.baskets.len());
    let started = Instant::now();
    let told = |tally: &Tally| {
        bar.set_position(tally.baskets);
        bar.set_message(report::brief(tally));
    };
    let run = replay::run(ledger, &file.baskets, plan, &told).await;
    let elapsed_seconds = started.elapsed().as_secs_f64();
    bar.finish_and_clear();
    let tally = run?;
    let waiting = progress::spinner("Auditing");
    let audited = ledger.audit().await;
    waiting.finish_and_clear();
    let summary = Summary {
        file: args.file.display().to_string(),
        place: ledger.place().to_owned(),
        seed: args.seed,
        concurrency: plan.concurrency,
        elapsed_seconds,
        lines: LineCounts { read: file.lines_read, dropped: file.dropped_by_reason() },
        tally,
        audit: audited.context("the baskets were replayed, but the result could not be audited")?,
    };
    Ok((summary, stock_verdict))
}

fn write_rejects(path: &Path, dropped: &[Dropped]) -> anyhow::Result<()> {
    let write = || -> Result<(), csv::Error> {
        let mut rejects = csv::Writer::from_path(path)?;
        rejects.write_record(["line", "reason", "text"])?;
        for bad in dropped {
            rejects.write_record([&bad.line.to_string(), bad.reason, &bad.text])?;
        }
        rejects.flush()?;
        Ok(())
    };
    write().with_context(|| format!("the dropped lines cannot be written to {}", path.display()))?;
    eprintln!(
        "{}",
        style(format!("{} dropped lines are in {}", dropped.len(), path.display())).for_stderr().dim()
    );
    Ok(())
}
