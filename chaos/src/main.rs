//! `chaos run` does harm and checks; `chaos races` writes the page of races.

mod args;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use chaos::kind::Kind;
use chaos::run::{Heads, Plan};
use clap::Parser as _;

use self::args::{Cli, RunArgs, Verb};

/// How long harm is done, unless it is said.
const SECONDS: u64 = 300;
const SECONDS_LONG: u64 = 3_600;

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let kept = match Cli::parse().verb {
        Verb::Run(args) => run(&args).await?,
        Verb::Races(args) => {
            chaos::races::write(&args.outputs, &args.page)?;
            true
        }
    };
    Ok(if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether every promise was kept.
async fn run(args: &RunArgs) -> Result<bool> {
    std::fs::create_dir_all(&args.report).with_context(|| format!("creating {}", args.report.display()))?;
    let seconds = if test_support::is_long_run() { SECONDS_LONG } else { SECONDS };
    let plan = Plan {
        seed: args.seed.unwrap_or_else(rand::random),
        time: Duration::from_secs(args.seconds.unwrap_or(seconds)),
        kinds: Kind::ALL.into_iter().filter(|kind| !args.short || kind.is_in_short_runs()).collect(),
        holdfast: program(args)?,
        mock_kafka: args.mock_kafka,
        heads: Heads { buyers: args.buyers, placers: args.placers },
        log: args.log.clone(),
        // Others than this process are told where it is.
        report: std::path::absolute(&args.report)?,
    };
    let report = chaos::run::run(&plan).await?;
    println!("{}", report.text());
    let path = args.report.join("report.json");
    let json = serde_json::to_string_pretty(&report)?;
    std::fs::write(&path, json + "\n").with_context(|| format!("writing {}", path.display()))?;
    Ok(!report.has_failed())
}

/// The build beside this program, or what was named.
fn program(args: &RunArgs) -> Result<PathBuf> {
    let path = match &args.holdfast {
        Some(path) => path.clone(),
        None => std::env::current_exe()?.with_file_name(format!("holdfast{}", std::env::consts::EXE_SUFFIX)),
    };
    ensure!(path.is_file(), "{} is missing: cargo build -p holdfast, or give --holdfast", path.display());
    Ok(std::path::absolute(Path::new(&path))?)
}
