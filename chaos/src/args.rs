//! What may be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Faults on real processes, and what must be true afterwards; exit code 1 if it is not.
#[derive(Parser, Debug)]
#[command(name = "chaos", max_term_width = 110)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// What to do.
#[derive(Subcommand, Debug)]
pub(crate) enum Verb {
    /// Do harm for a while, heal, and check
    Run(RunArgs),
    /// Write the page of races from what the tests said
    Races(RacesArgs),
}

/// One run.
#[derive(Args, Debug)]
pub(crate) struct RunArgs {
    /// How long harm is done [default: 300; an hour if CHAOS=long]
    #[arg(long, value_name = "N")]
    pub(crate) seconds: Option<u64>,
    /// Draws the same faults again [default: a new one, which is printed]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Fewer kinds of faults: those that are over in seconds
    #[arg(long)]
    pub(crate) short: bool,
    /// librdkafka's mock cluster instead of a real broker (as KAFKA=mock)
    #[arg(long)]
    pub(crate) mock_kafka: bool,
    /// Clients that hold and buy
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub(crate) buyers: usize,
    /// Clients that place orders
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub(crate) placers: usize,
    /// Where report.json, history.jsonl and, after a failure, the services' logs go
    #[arg(long, value_name = "FOLDER", default_value = "target/chaos")]
    pub(crate) report: PathBuf,
    /// The program under harm [default: the one beside this program]
    #[arg(long, value_name = "FILE")]
    pub(crate) holdfast: Option<PathBuf>,
    /// What services log
    #[arg(long, value_name = "FILTER", default_value = "info,inventory_core=debug")]
    pub(crate) log: String,
}

/// The page.
#[derive(Args, Debug)]
pub(crate) struct RacesArgs {
    /// What tests said: saved output of `cargo test` [default: they are run now]
    #[arg(value_name = "FILE")]
    pub(crate) outputs: Vec<PathBuf>,
    /// Where the page goes
    #[arg(long, value_name = "FILE", default_value = "docs/RACES.md")]
    pub(crate) page: PathBuf,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_well_formed() {
        super::Cli::command().debug_assert();
    }
}
