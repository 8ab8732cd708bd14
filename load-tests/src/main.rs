//! Load on a whole service, in scenarios. Each ends with the audit, and with a comparison of what buyers were told with what the service
//! has; a mismatch, an unexpected answer or a refusal without Retry-After fails the run.

mod args;
mod attack;
mod buyer;
mod expiry;
mod k6;
mod outcome;
mod overload;
mod pressure;
mod progress;
mod rules;
mod run;
mod scenario;
mod shop;
mod size;
mod table;
mod tally;
mod target;

use std::process::ExitCode;

use clap::Parser as _;

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let args = args::Args::parse();
    let reports = run::all(&args).await?;
    println!("{}", table::render(&reports));
    let has_failed = reports.iter().any(|report| report.has_failed(args.strict));
    Ok(if has_failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
