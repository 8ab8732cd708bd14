//! What a checker must be told.

use std::time::Duration;

use inventory_core::clock::Timestamp;

/// What the checker may take for granted. `Options::default()` is the strictest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// How stale a "sold out" may be (Δ, I14): the engine's `refusal_age_max`, and what the reader adds.
    pub staleness: Duration,
    /// How long a take whose caller never learnt the outcome, and which never reached the ledger, may have stood in others' way. (One
    /// whose caller was answered stands in the way until then.)
    pub outcome_open_max: Duration,
    /// Up to when holds must be gone, by the ledger's clock, if it is at rest: nobody asks any more and its sweeper has been
    /// running until now. None: open holds past their time are not looked at.
    pub at_rest: Option<Timestamp>,
    /// How long a hold may outlive its time (I8); counts only with `at_rest`.
    pub sweep_bound: Duration,
    /// Whether the journal is all there.
    pub journal: Extent,
    /// Whether the histories are all there.
    pub callers: Callers,
    /// Violations kept in the verdict; further ones are only counted.
    pub violations_kept_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            staleness: Duration::from_millis(50),
            outcome_open_max: Duration::from_secs(30),
            at_rest: None,
            sweep_bound: Duration::from_secs(2),
            journal: Extent::Complete,
            callers: Callers::All,
            violations_kept_max: 1_000,
        }
    }
}

/// How much of the journal is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Extent {
    /// From the first batch on.
    Complete,
    /// Entries before this moment of the ledger's clock may be gone, or cut down to checkpoints. What they would prove is
    /// not asked for: an acknowledged change that is missing is counted as unprovable, unless it was asked for after a later batch
    /// was known to be done.
    PrunedBefore(Timestamp),
}

/// Whose histories are there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Callers {
    /// Everyone's but administrators': what the journal says of orders was asked for in them.
    All,
    /// Some: others may have asked for anything.
    Some,
}
