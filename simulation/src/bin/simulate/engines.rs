//! Engines alone.

use std::fmt::Write as _;
use std::io;
use std::process::ExitCode;

use simulation::campaign::{Campaign, Summary};
use simulation::faults::Fault;
use simulation::goals::Goal;
use simulation::mutant::Mutant;
use simulation::run::Run;

use crate::Arguments;

/// One seed, or many.
pub(crate) fn run(arguments: &Arguments) -> io::Result<ExitCode> {
    let mutant = arguments.mutant(&Mutant::ALL);
    if let Some(seed) = arguments.seed {
        let report = Run { seed, mutant, traced: true }.run()?;
        let summary = format!("seed {seed}: {} requests, {} batches", report.ops, report.batches);
        return arguments.replayed(&report.trace, summary, report.violations.len());
    }
    let (seeds, jobs) = (arguments.seeds.clone(), arguments.jobs);
    let campaign = Campaign { seeds, mutant, jobs, stops_at_first: mutant.is_some() };
    let progress = arguments.progress();
    let summary = campaign.run(|summary| progress(summary.seeds, summary.violations.len()))?;
    arguments.told(table(&summary), summary.seeds, &summary.violations, &summary.missed())
}

fn table(summary: &Summary) -> String {
    let minutes = summary.virtual_time.as_secs() / 60;
    let Summary { seeds, ops, batches, .. } = summary;
    let mut text =
        format!("{seeds} seeds: {ops} requests, {batches} batches, {minutes} minutes of virtual time\n");
    text += "\n| fault | times |\n| --- | ---: |\n";
    // Writing to a String cannot fail.
    for fault in Fault::ALL {
        let _ = writeln!(text, "| {fault} | {} |", summary.faults.of(fault));
    }
    text += "\n| reached | times |\n| --- | ---: |\n";
    for goal in Goal::ALL {
        let _ = writeln!(text, "| {goal} | {} |", summary.goals.of(*goal));
    }
    text
}
