//! Time. The database's clock decides; a process clock stands in only where the store is the process's own
//! (memory, SQLite). This is the one module that reads a clock.

use std::fmt;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

/// A point in time: microseconds since 1970-01-01 UTC, as the store's clock told it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Before everything.
    pub const EPOCH: Self = Self(0);

    /// From microseconds since 1970.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// This plus a duration; saturates.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }

    /// This minus a duration; saturates.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this is; zero if it is not after.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// As chrono's type, for edges that print it. Out-of-range values become the epoch.
    pub fn to_datetime(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or_default()
    }

    /// From chrono's type, as a database driver returns it.
    pub fn from_datetime(at: DateTime<Utc>) -> Self {
        Self(at.timestamp_micros())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_datetime().to_rfc3339_opts(chrono::SecondsFormat::Micros, true).fmt(f)
    }
}

/// What tells a store of this process the time. Tests give their own.
pub trait Clock: Send + Sync + 'static {
    /// Now; never goes back.
    fn now(&self) -> Timestamp;
}

/// Wall time at construction, never behind the last persisted time, advanced by a monotonic timer:
/// a wall clock that jumps later on decides nothing.
#[derive(Debug)]
pub struct ProcessClock {
    origin: Timestamp,
    started: Instant,
}

impl ProcessClock {
    /// Starts at wall time, or at `persisted_last` if that is later.
    pub fn starting_after(persisted_last: Timestamp) -> Self {
        #[expect(clippy::disallowed_methods, reason = "the one reading of the wall clock")]
        let wall = Timestamp::from_datetime(Utc::now());
        Self { origin: wall.max(persisted_last), started: Instant::now() }
    }
}

impl Clock for ProcessClock {
    fn now(&self) -> Timestamp {
        self.origin.plus(self.started.elapsed())
    }
}
