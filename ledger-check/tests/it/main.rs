//! The checker against a toy ledger: correct histories pass, and every way of being broken is found.

mod answers;
mod clean;
mod format;
mod journal;
mod properties;
mod sold_out;
mod toy;
