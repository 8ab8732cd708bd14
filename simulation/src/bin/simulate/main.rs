//! Runs seeds of the simulation: `simulate --seeds 0..10000`, or one with its trace: `simulate --seed 4711`. With `--checkout` whole orders
//! run instead of requests to engines alone.

mod checkout;
mod engines;

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};
use std::ops::Range;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser};

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
    /// Runs the whole checkout: orders, inventory and payment over a network that fails.
    #[arg(long)]
    checkout: bool,
    /// Makes something wrong on purpose; stops at the first violation and fails if there is none.
    #[arg(long, value_name = "NAME")]
    mutant: Option<String>,
    /// Threads; each runs whole seeds.
    #[arg(long, default_value_t = 1)]
    jobs: usize,
}

fn range(text: &str) -> Result<Range<u64>, String> {
    let parsed = text.split_once("..").and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    parsed.filter(|range: &Range<u64>| !range.is_empty()).ok_or_else(|| "write it as 0..1000".to_owned())
}

fn main() -> io::Result<ExitCode> {
    let arguments = Arguments::parse();
    let run = if arguments.checkout { checkout::run } else { engines::run };
    run(&arguments)
}

impl Arguments {
    /// The defect on purpose that was named, if one was. An unknown name ends the program with those that there are.
    fn mutant<M: Copy + Display>(&self, all: &[M]) -> Option<M> {
        let name = self.mutant.as_deref()?;
        let named = all.iter().copied().find(|mutant| mutant.to_string() == name);
        if named.is_none() {
            let known: Vec<String> = all.iter().map(M::to_string).collect();
            let advice = format!("there is no mutant {name}: name one of {}", known.join(", "));
            Self::command().error(clap::error::ErrorKind::InvalidValue, advice).exit();
        }
        named
    }

    /// Shows how far a campaign is, where somebody watches.
    fn progress(&self) -> impl Fn(u64, usize) + Sync + use<> {
        let shows = io::stderr().is_terminal();
        move |seeds, violations| {
            if shows && seeds.is_multiple_of(50) {
                eprint!("\r{seeds} seeds, {violations} with violations ");
            }
        }
    }

    /// What a replay came to.
    fn replayed(&self, trace: &str, summary: impl Display, violations: usize) -> io::Result<ExitCode> {
        let mut out = io::stdout().lock();
        out.write_all(trace.as_bytes())?;
        writeln!(out, "{summary}, {violations} violations")?;
        Ok(if violations == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// What a campaign came to: its tables, what was found, what was never reached.
    fn told<G: Display>(
        &self,
        summary: impl Display,
        seeds: u64,
        violations: &[(u64, Vec<String>)],
        missed: &[G],
    ) -> io::Result<ExitCode> {
        let mut out = io::stdout().lock();
        writeln!(out, "{summary}")?;
        self.found(&mut out, seeds, violations)?;
        if let Some(mutant) = &self.mutant {
            let is_caught = !violations.is_empty();
            writeln!(out, "mutant {mutant}: {}", if is_caught { "caught" } else { "NOT CAUGHT" })?;
            return Ok(if is_caught { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        for goal in missed {
            writeln!(out, "never reached: {goal}")?;
        }
        let is_wide = missed.is_empty() || seeds < SEEDS_FOR_ALL_GOALS;
        Ok(if violations.is_empty() && is_wide { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn found(
        &self,
        out: &mut impl io::Write,
        seeds: u64,
        violations: &[(u64, Vec<String>)],
    ) -> io::Result<()> {
        writeln!(out, "{} of {seeds} seeds have violations", violations.len())?;
        let what = if self.checkout { " --checkout" } else { "" };
        let with = self.mutant.iter().map(|mutant| format!(" --mutant {mutant}")).collect::<String>();
        for (seed, found) in violations.iter().take(SEEDS_PRINTED_MAX) {
            writeln!(out, "\ncargo run --release -p simulation --{what} --seed {seed}{with}")?;
            for violation in found.iter().take(VIOLATIONS_PRINTED_MAX) {
                writeln!(out, "  {violation}")?;
            }
            if found.len() > VIOLATIONS_PRINTED_MAX {
                writeln!(out, "  … and {} more", found.len() - VIOLATIONS_PRINTED_MAX)?;
            }
        }
        Ok(())
    }
}
