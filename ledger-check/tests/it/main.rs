//! The checker against a toy ledger: correct histories pass, and every way of being broken is found.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod answers;
mod clean;
mod format;
mod journal;
mod properties;
mod sold_out;
mod toy;
