//! The ledger-order checker: does what the ledger's journal says agree with itself, with real time, and with what every caller
//! was told?
//!
//! Every change takes its products' row locks and raises their versions, so the database hands out the serial order and nothing has
//! to be searched for. [`check`] replays the journal in that order through a small model of its own — it shares no code with the
//! rules it tests — and holds it against the [histories](history) that callers wrote: one record per try, with the times of asking
//! and answering. It runs in O(n log n) and does no I/O; its memory grows with the journal and the histories.
//!
//! What it proves is listed with the variants of [`Violation`]. Two clocks are never compared: a hold's time is judged by the
//! journal's, the order of requests and answers by the histories'.

mod answers;
mod cases;
mod causes;
mod ends;
mod findings;
pub mod history;
mod journal;
mod keyed;
mod least;
mod life;
mod options;
mod proofs;
mod repeats;
mod serial;
mod sold_out;
mod stock;
mod times;
mod verdict;
mod violation;
mod words;

use inventory_core::journal::JournalEntry;

use causes::Span;
use findings::Findings;
use journal::Journal;
use life::HeldUnits;

pub use history::Record;
pub use options::{Callers, Extent, Options};
pub use verdict::{Checked, Verdict};
pub use violation::{Operation, Violation};

/// Checks a journal (entries in any order, one per batch) against the histories of its callers (records in any order).
pub fn check(
    journal: impl IntoIterator<Item = JournalEntry>,
    histories: impl IntoIterator<Item = Record>,
    options: &Options,
) -> Verdict {
    let mut found = Findings::new(options);
    let findings = &mut found;
    let records = cases::merge(histories, findings);
    let journal = Journal::new(journal, options, findings);
    stock::check(&journal, findings);
    let serial = serial::order(&journal, findings);

    let mut held = HeldUnits::default();
    let mut lives = Vec::new();
    let mut cases = Vec::new();
    for case in cases::collect(&journal, &serial, &records, findings) {
        let life = life::replay(&journal, &case, &mut held, findings);
        let causes = causes::find(&journal, &case, &life, &records, options, findings);
        let ends = ends::follow(&journal, &case, &causes, &records);
        ends::check(&journal, &case, &life, &ends, options, findings);
        ends::check_told(&journal, &case, &ends, &records, findings);
        lives.push(life);
        cases.push((case, causes));
    }
    life::check_held(&journal, &held, findings);

    let mut spans = vec![Span::ANY; journal.entries.len()];
    let adjustments = keyed::check_adjustments(&journal, &records, &mut spans, findings);
    let times = times::spread(&journal, &serial, spans, &cases, &records, findings);
    for ((case, causes), life) in cases.iter().zip(&lives) {
        answers::check(&journal, case, life, causes, &times, &records, findings);
    }
    keyed::check_missing(&adjustments.missing, &times, &records, findings);
    keyed::check_levels(&journal, &times, &records, findings);
    sold_out::check(&journal, &cases, &adjustments, &times, &records, options, findings);
    found.into_verdict()
}
