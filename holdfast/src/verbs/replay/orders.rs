//! `holdfast replay FILE --as-orders`: stock, orders, waiting for the last of them to end, audit.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use console::style;
use indicatif::HumanCount;

use super::report;
use crate::cli::ReplayArgs;
use crate::config::Settings;
use crate::ledger::{AuditReport, Http};
use crate::replay::{BasketFile, Fates, OrderDesk, Placements};
use crate::verbs::{audit, import};
use crate::{Verdict, checkout, progress};

/// How long the last orders may take to end, from when nothing moves any more.
const PATIENCE: Duration = Duration::from_secs(120);
const LOOK_AGAIN: Duration = Duration::from_millis(500);

pub(super) async fn run(
    settings: &Settings,
    args: &ReplayArgs,
    file: &BasketFile,
    fates: Fates,
) -> anyhow::Result<Verdict> {
    let found = audit::Found::new(settings, args.order_url.as_deref())?;
    if let Some(stock) = &args.stock {
        let inventory = Http::new(found.inventory.as_str())?;
        let report = import::import_file(&inventory, stock, import::format_of(stock, None)?).await?;
        import::print(&mut io::stderr().lock(), &report, found.inventory.as_str())?;
    }
    let bar = progress::items("Ordering", file.baskets.len());
    let started = Instant::now();
    let told = |placements: &Placements| {
        bar.set_position(placements.baskets);
        bar.set_message(format!("{} placed", HumanCount(placements.placed)));
    };
    let desk = OrderDesk::new(&found.orders)?;
    let placed = desk.place_all(&file.baskets, fates, usize::from(args.concurrency), &told).await;
    bar.finish_and_clear();
    let placements = placed?;
    let placed_within = started.elapsed();
    let report = until_ended(&found.services()?).await?;
    let out = &mut io::stdout().lock();
    writeln!(out, "{} against {}", style(args.file.display()).bold(), found.orders)?;
    report::print_placements(out, &placements, placed_within, started.elapsed())?;
    audit::print(out, &report)?;
    Ok(audit::verdict(&report))
}

/// Audits until no order is under way.
async fn until_ended(services: &checkout::Services) -> anyhow::Result<AuditReport> {
    let spinner = progress::spinner("Ending");
    let (mut last, mut since) = (u64::MAX, Instant::now());
    loop {
        let report =
            checkout::audit(services, &|_| {}).await.context("the orders were placed, but not audited")?;
        let under_way =
            report.checked.get(checkout::UNDER_WAY).and_then(serde_json::Value::as_u64).unwrap_or(0);
        if under_way == 0 {
            spinner.finish_and_clear();
            return Ok(report);
        }
        if under_way != last {
            (last, since) = (under_way, Instant::now());
        } else if since.elapsed() > PATIENCE {
            spinner.finish_and_clear();
            bail!(
                "{under_way} orders have not ended, and nothing moves any more; look at the timeline of one of them"
            );
        }
        spinner.set_message(format!("{under_way} under way"));
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}
