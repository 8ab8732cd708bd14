//! Defects on purpose. A simulation that was never seen failing proves nothing: each of these must be caught.

use std::fmt;

/// What the simulated ledger gets wrong.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Mutant {
    /// Sessions lock no product rows.
    DroppedLock,
    /// Effects are written without looking at keys, versions and states.
    SkippedGuard,
    /// Reservations that a batch does not change are as it was told before the locks, whatever happened to them since.
    UncheckedReads,
    /// What a client has left of products is written on, whatever has become of it since.
    BlindPresumption,
    /// A release gives its stock back twice.
    DoubleRelease,
    /// COMMIT is acknowledged, and sometimes lost afterwards.
    EarlyAcknowledgement,
    /// Reads outside transactions show products as they were seconds ago.
    StaleReads,
    /// Reads outside transactions know no orders: the retry of the order that took the last unit is refused.
    ForgottenOrders,
    /// An unknown COMMIT is settled by looking whether it is there, and nothing else.
    ReadingResolver,
    /// Batches are judged by the wall clocks of their engines, which jump.
    OwnClocks,
}

impl Mutant {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::DroppedLock,
        Self::SkippedGuard,
        Self::UncheckedReads,
        Self::BlindPresumption,
        Self::DoubleRelease,
        Self::EarlyAcknowledgement,
        Self::StaleReads,
        Self::ForgottenOrders,
        Self::ReadingResolver,
        Self::OwnClocks,
    ];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DroppedLock => "dropped-lock",
            Self::SkippedGuard => "skipped-guard",
            Self::UncheckedReads => "unchecked-reads",
            Self::BlindPresumption => "blind-presumption",
            Self::DoubleRelease => "double-release",
            Self::EarlyAcknowledgement => "early-acknowledgement",
            Self::StaleReads => "stale-reads",
            Self::ForgottenOrders => "forgotten-orders",
            Self::ReadingResolver => "reading-resolver",
            Self::OwnClocks => "own-clocks",
        }
    }
}

impl fmt::Display for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
