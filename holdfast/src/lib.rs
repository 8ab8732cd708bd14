//! The front door: one binary that runs everything in one process, one role, or an operator's verb.
//!
//! `cli` says what may be typed, `config` what may be set, `roles` serve, `verbs` do one thing and end. Verbs act on a
//! [`ledger::Ledger`]: an engine in this process or a running service over HTTP, the same to them.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;
use console::style;

pub mod checkout;
pub mod cli;
pub mod config;
pub mod data_dir;
pub mod database_url;
pub mod demo;
pub mod input;
pub mod journal;
pub mod ledger;
pub mod replay;
pub mod roles;
pub mod rows;
pub mod stores;
pub mod verbs;

mod advice;
mod banner;
mod descriptors;
mod logs;
mod progress;
mod signals;

/// What a run came to, as the shell sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Everything asked for was done.
    Done,
    /// It ran to its end and found something wrong: rejected rows, a violated invariant.
    Findings,
}

/// Exit code for findings and failures.
const EXIT_FAILED: u8 = 1;
/// Exit code for a command line or a configuration that makes no sense (clap's own).
const EXIT_USAGE: u8 = 2;

/// Parses the command line and runs it. Exit codes: 0 done, 1 failed or found something wrong, 2 not understood.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match cli::Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(usage) => {
            let code = u8::try_from(usage.exit_code()).unwrap_or(EXIT_USAGE);
            // Nobody is left to tell if even this cannot be written.
            usage.print().ok();
            return ExitCode::from(code);
        }
    };
    let settings = match config::Settings::check(&cli.config) {
        Ok(settings) => settings,
        Err(invalid) => {
            eprintln!("{} {invalid}", style("error:").for_stderr().red().bold());
            return ExitCode::from(EXIT_USAGE);
        }
    };
    match start(cli.verb, &settings) {
        Ok(Verdict::Done) => ExitCode::SUCCESS,
        Ok(Verdict::Findings) => ExitCode::from(EXIT_FAILED),
        Err(error) if advice::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprint!("{}", advice::render(&error));
            ExitCode::from(EXIT_FAILED)
        }
    }
}

fn start(verb: Option<cli::Verb>, settings: &config::Settings) -> anyhow::Result<Verdict> {
    let serves = verb.as_ref().is_none_or(cli::Verb::serves);
    logs::init(settings, serves)?;
    if serves {
        descriptors::raise_limit();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let verdict = runtime.block_on(verbs::run(verb, settings));
    // A blocking read of a file or terminal must not keep a finished process alive.
    runtime.shutdown_background();
    verdict
}
