//! What may go wrong between the services, and with the orders' database.

use std::fmt;

use crate::faults::Kind;

/// What may go wrong.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Trouble {
    /// Messages take tens of milliseconds.
    Late,
    /// A message takes so long that somebody loses patience.
    Stuck,
    /// A request never arrives.
    LostRequest,
    /// A request is carried out and its answer never arrives.
    LostAnswer,
    /// A request is carried out twice, the second time much later.
    Doubled,
    /// Two services cannot reach each other for a while.
    Cut,
    /// The provider answers 503, having done what was asked or not.
    Unavailable,
    /// The orders' database refuses a transaction.
    Refused,
    /// A step's COMMIT takes effect and its answer is lost.
    UnknownCommitted,
    /// A step's COMMIT never arrives, and nobody is told.
    UnknownAborted,
    /// A step's COMMIT stays on its way, under the order's lock, and takes effect or does not.
    LateCommit,
    /// The orders' database's clock is set back or forward.
    ClockStep,
    /// A process of the order service is killed, and another started in its place.
    Crash,
    /// A consumer goes on from an earlier offset.
    Redelivery,
    /// A relay dies after it published and before it took note of that.
    Republish,
}

impl Trouble {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::Late,
        Self::Stuck,
        Self::LostRequest,
        Self::LostAnswer,
        Self::Doubled,
        Self::Cut,
        Self::Unavailable,
        Self::Refused,
        Self::UnknownCommitted,
        Self::UnknownAborted,
        Self::LateCommit,
        Self::ClockStep,
        Self::Crash,
        Self::Redelivery,
        Self::Republish,
    ];

    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Late => "late message",
            Self::Stuck => "stuck message",
            Self::LostRequest => "lost request",
            Self::LostAnswer => "lost answer",
            Self::Doubled => "doubled request",
            Self::Cut => "cut network",
            Self::Unavailable => "provider unavailable",
            Self::Refused => "step refused",
            Self::UnknownCommitted => "step unknown, committed",
            Self::UnknownAborted => "step unknown, aborted",
            Self::LateCommit => "step committed late",
            Self::ClockStep => "clock set",
            Self::Crash => "order service crash",
            Self::Redelivery => "redelivery",
            Self::Republish => "published again",
        }
    }
}

impl Kind for Trouble {
    const KINDS: &'static [Self] = &Self::ALL;

    fn rates(self) -> [u64; 3] {
        match self {
            Self::Late => [100, 300, 900],
            Self::Cut | Self::ClockStep | Self::Crash => [1_000; 3],
            Self::Redelivery | Self::Republish => [20, 100, 300],
            Self::LostRequest | Self::LostAnswer | Self::Doubled | Self::Unavailable => [10, 50, 200],
            Self::Stuck
            | Self::Refused
            | Self::UnknownCommitted
            | Self::UnknownAborted
            | Self::LateCommit => [5, 20, 80],
        }
    }

    fn share(self) -> u64 {
        match self {
            Self::Late => 70,
            _ => 45,
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
