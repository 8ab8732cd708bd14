//! The whole checkout.

use std::io;
use std::process::ExitCode;

use simulation::checkout::campaign::Campaign;
use simulation::checkout::mutant::Mutant;
use simulation::checkout::run::Run;

use crate::Arguments;

/// One seed, or many.
pub(crate) fn run(arguments: &Arguments) -> io::Result<ExitCode> {
    let mutant = arguments.mutant(&Mutant::ALL);
    if let Some(seed) = arguments.seed {
        let report = Run { seed, mutant, traced: true }.run()?;
        let summary = format!("seed {seed}: {} orders, {} steps", report.orders, report.steps);
        return arguments.replayed(&report.trace, summary, report.violations.len());
    }
    let (seeds, jobs) = (arguments.seeds.clone(), arguments.jobs);
    let campaign = Campaign { seeds, mutant, jobs, stops_at_first: mutant.is_some() };
    let progress = arguments.progress();
    let summary = campaign.run(|summary| progress(summary.seeds, summary.violations.len()))?;
    arguments.told(&summary, summary.seeds, &summary.violations, &summary.missed())
}
