//! Every knob of the engine, in one place.

use std::time::Duration;

use crate::limits::BATCH_COMMANDS_MAX;
use crate::store::Retention;

/// How an engine behaves. `EngineOptions::default()` is right for most.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EngineOptions {
    /// How long a hold lasts when the caller does not say.
    pub hold_ttl: Duration,
    /// How long a hold may last at most, extensions included.
    pub hold_ttl_max: Duration,
    /// Commands in one batch, at most.
    pub batch_commands_max: usize,
    /// Lines in one batch, at most (bounds bytes and row locks).
    pub batch_lines_max: usize,
    /// Reserves that may wait for the writer; one more is refused.
    pub reserves_queued_max: usize,
    /// Other commands that may wait. Larger: they free stock and are never shed before reserves.
    pub others_queued_max: usize,
    /// How long a command may wait for the writer before it is not executed any more, and how long a caller waits
    /// for an answer.
    pub request_deadline: Duration,
    /// How long a reserve waits when only takes in flight stand in its way.
    pub contention_wait_max: Duration,
    /// Over a shared store: how old the read behind a final refusal may be.
    pub refusal_age_max: Duration,
    /// How often the sweeper looks for holds that no living engine watches.
    pub sweep_period: Duration,
    /// How often changed products' levels are announced, where somebody follows them.
    pub level_period: Duration,
    /// How long ended things are kept.
    pub retention: Retention,
    /// Whether pruning and the nightly audit run on the calendar.
    pub housekeeping: bool,
    /// Where the writer runs.
    pub writer: WriterPlace,
    /// What batch ids and jitter follow from; random if none, which is right outside of simulations. Given a seed, tokio's paused
    /// clock, a store that repeats itself and the writer on the same runtime of one thread, an engine repeats itself exactly.
    /// Never give two engines over one ledger the same seed, not even one after the other: their batches would have the same ids,
    /// and the later ones would be refused as fenced.
    pub seed: Option<u64>,
}

/// Where an engine's writer runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum WriterPlace {
    /// On a thread of its own. Among a thousand callers just answered it would wait for its turn, and everyone waits for it.
    #[default]
    OwnThread,
    /// As one more task of the runtime that the engine is opened on: where there are few callers and no thread is to be spent
    /// (a small device, a command-line tool), and in simulations.
    Runtime,
}

impl Default for EngineOptions {
    fn default() -> Self {
        const DAY: u64 = 24 * 3_600;
        Self {
            hold_ttl: Duration::from_secs(900),
            hold_ttl_max: Duration::from_secs(3_600),
            batch_commands_max: 1_000,
            batch_lines_max: 16_000,
            reserves_queued_max: 16_384,
            others_queued_max: 65_536,
            request_deadline: Duration::from_secs(5),
            contention_wait_max: Duration::from_secs(2),
            refusal_age_max: Duration::from_millis(50),
            sweep_period: Duration::from_secs(1),
            level_period: Duration::from_secs(1),
            retention: Retention {
                reservations: Duration::from_secs(7 * DAY),
                journal: Duration::from_secs(30 * DAY),
                fences: Duration::from_secs(30 * DAY),
                deliveries: Duration::from_secs(30 * DAY),
                rows_max: 5_000,
            },
            housekeeping: true,
            writer: WriterPlace::OwnThread,
            seed: None,
        }
    }
}

/// Why options were not accepted. The message names the option and what to change.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct InvalidOptions(pub String);

impl EngineOptions {
    /// Checks that the options make sense together.
    pub fn validate(&self) -> Result<(), InvalidOptions> {
        let fail = |message: &str| Err(InvalidOptions(message.to_owned()));
        if self.hold_ttl.is_zero() || self.hold_ttl > self.hold_ttl_max {
            return fail("hold_ttl must be at least one second and at most hold_ttl_max");
        }
        if self.batch_commands_max == 0 || self.batch_commands_max > BATCH_COMMANDS_MAX {
            return Err(InvalidOptions(format!("batch_commands_max must be from 1 to {BATCH_COMMANDS_MAX}")));
        }
        if self.reserves_queued_max == 0 || self.others_queued_max == 0 || self.batch_lines_max == 0 {
            return fail("queues and batches must have room for at least one");
        }
        if [self.request_deadline, self.sweep_period, self.level_period].contains(&Duration::ZERO) {
            return fail("request_deadline, sweep_period and level_period must not be zero");
        }
        if self.retention.journal < self.retention.reservations {
            return fail("retention.journal must not be shorter than retention.reservations");
        }
        Ok(())
    }
}
