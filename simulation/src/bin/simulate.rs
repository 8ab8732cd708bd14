//! Runs seeds of the simulation: `simulate --seeds 0..10000`, or one with its trace: `simulate --seed 4711`.

use std::io::{self, IsTerminal as _, Write as _};
use std::ops::Range;
use std::process::ExitCode;

use clap::Parser;
use simulation::campaign::{Campaign, Summary};
use simulation::faults::Fault;
use simulation::goals::Goal;
use simulation::mutant::Mutant;
use simulation::run::Run;

/// Violations of one seed that are printed.
const VIOLATIONS_PRINTED_MAX: usize = 5;
/// Seeds with violations that are printed.
const SEEDS_PRINTED_MAX: usize = 20;
/// From so many seeds on every goal must have been reached.
const SEEDS_FOR_ALL_GOALS: u64 = 1_000;

/// Several real engines over one simulated ledger, in virtual time, everything from one seed.
#[derive(Parser, Debug)]
#[command(version)]
struct Arguments {
    /// Runs these seeds, the last one excluded.
    #[arg(long, value_name = "A..B", value_parser = range, default_value = "0..1000", conflicts_with = "seed")]
    seeds: Range<u64>,
    /// Runs this seed alone and prints everything that happens.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Makes the ledger wrong on purpose; stops at the first violation and fails if there is none.
    #[arg(long, value_name = "NAME", value_parser = mutant)]
    mutant: Option<Mutant>,
    /// Threads; each runs whole seeds.
    #[arg(long, default_value_t = 1)]
    jobs: usize,
}

fn range(text: &str) -> Result<Range<u64>, String> {
    let parsed = text.split_once("..").and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    parsed.filter(|range: &Range<u64>| !range.is_empty()).ok_or_else(|| "write it as 0..1000".to_owned())
}

fn mutant(name: &str) -> Result<Mutant, String> {
    let known = || Mutant::ALL.map(Mutant::name).join(", ");
    Mutant::ALL.into_iter().find(|mutant| mutant.name() == name).ok_or_else(|| format!("one of {}", known()))
}

fn main() -> io::Result<ExitCode> {
    let arguments = Arguments::parse();
    match arguments.seed {
        Some(seed) => replay(seed, arguments.mutant),
        None => campaign(&arguments),
    }
}

fn replay(seed: u64, mutant: Option<Mutant>) -> io::Result<ExitCode> {
    let report = Run { seed, mutant, traced: true }.run()?;
    let mut out = io::stdout().lock();
    out.write_all(report.trace.as_bytes())?;
    let (ops, batches, found) = (report.ops, report.batches, report.violations.len());
    writeln!(out, "seed {seed}: {ops} requests, {batches} batches, {found} violations")?;
    Ok(if found == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn campaign(arguments: &Arguments) -> io::Result<ExitCode> {
    let campaign = Campaign {
        seeds: arguments.seeds.clone(),
        mutant: arguments.mutant,
        jobs: arguments.jobs,
        stops_at_first: arguments.mutant.is_some(),
    };
    let shows = io::stderr().is_terminal();
    let summary = campaign.run(|summary| {
        if shows && summary.seeds.is_multiple_of(50) {
            eprint!("\r{} seeds, {} with violations ", summary.seeds, summary.violations.len());
        }
    })?;
    if shows {
        eprintln!();
    }
    table(&summary)?;
    violations(&summary, arguments.mutant)?;
    if let Some(mutant) = arguments.mutant {
        let is_caught = !summary.violations.is_empty();
        println!("mutant {mutant}: {}", if is_caught { "caught" } else { "NOT CAUGHT" });
        return Ok(if is_caught { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let missed = summary.missed();
    for goal in &missed {
        println!("never reached: {goal}");
    }
    let is_clean = summary.violations.is_empty();
    let is_wide = missed.is_empty() || summary.seeds < SEEDS_FOR_ALL_GOALS;
    Ok(if is_clean && is_wide { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn table(summary: &Summary) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let minutes = summary.virtual_time.as_secs() / 60;
    writeln!(
        out,
        "{} seeds: {} requests, {} batches, {minutes} minutes of virtual time\n",
        summary.seeds, summary.ops, summary.batches
    )?;
    writeln!(out, "| fault | times |\n| --- | ---: |")?;
    for fault in Fault::ALL {
        writeln!(out, "| {fault} | {} |", summary.faults.of(fault))?;
    }
    writeln!(out, "\n| reached | times |\n| --- | ---: |")?;
    for goal in Goal::ALL {
        writeln!(out, "| {goal} | {} |", summary.goals.of(*goal))?;
    }
    writeln!(out)
}

fn violations(summary: &Summary, mutant: Option<Mutant>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let count = summary.violations.len();
    writeln!(out, "{count} of {} seeds have violations", summary.seeds)?;
    let with = mutant.map(|mutant| format!(" --mutant {mutant}")).unwrap_or_default();
    for (seed, found) in summary.violations.iter().take(SEEDS_PRINTED_MAX) {
        writeln!(out, "\ncargo run --release -p simulation -- --seed {seed}{with}")?;
        for violation in found.iter().take(VIOLATIONS_PRINTED_MAX) {
            writeln!(out, "  {violation}")?;
        }
        if found.len() > VIOLATIONS_PRINTED_MAX {
            writeln!(out, "  … and {} more", found.len() - VIOLATIONS_PRINTED_MAX)?;
        }
    }
    Ok(())
}
