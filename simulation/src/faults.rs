//! Which faults a seed switches on, and how often they strike.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::dice::Dice;
use crate::tally::Tally;

/// A kind of fault: its name in reports, and how often it comes.
pub trait Kind: Copy + Ord + fmt::Debug + fmt::Display + 'static {
    /// All of them.
    const KINDS: &'static [Self];

    /// How often it may strike, in a thousand messages, statements or calls. Disasters have a calendar of their own.
    fn rates(self) -> [u64; 3];

    /// How many seeds of a hundred switch it on.
    fn share(self) -> u64;
}

/// What may go wrong with a ledger, its engines and their callers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Fault {
    /// Messages take tens of milliseconds.
    Latency,
    /// A message takes so long that somebody may lose patience.
    Stall,
    /// COMMIT fails for certain.
    DefiniteAbort,
    /// COMMIT takes effect and its answer is lost.
    UnknownCommitted,
    /// COMMIT never arrives and the connection is lost.
    UnknownAborted,
    /// The connection is lost and COMMIT arrives later.
    LateCommit,
    /// A statement is given up for a lock.
    LockTimeout,
    /// A statement is given up for a deadlock.
    Deadlock,
    /// The connection is lost before COMMIT; its backend may linger.
    LostConnection,
    /// No room on the server.
    Full,
    /// Certain orders' data is refused, always.
    Poison,
    /// The ledger dies and comes back; transactions are lost.
    Restart,
    /// A standby that lags behind takes over.
    Failover,
    /// The ledger answers nobody for a while.
    Pause,
    /// An engine is killed, and another started in its place.
    Crash,
    /// A caller goes away.
    Cancel,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::Latency,
        Self::Stall,
        Self::DefiniteAbort,
        Self::UnknownCommitted,
        Self::UnknownAborted,
        Self::LateCommit,
        Self::LockTimeout,
        Self::Deadlock,
        Self::LostConnection,
        Self::Full,
        Self::Poison,
        Self::Restart,
        Self::Failover,
        Self::Pause,
        Self::Crash,
        Self::Cancel,
    ];

    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Latency => "latency",
            Self::Stall => "stall",
            Self::DefiniteAbort => "definite abort",
            Self::UnknownCommitted => "unknown, committed",
            Self::UnknownAborted => "unknown, aborted",
            Self::LateCommit => "late commit",
            Self::LockTimeout => "lock timeout",
            Self::Deadlock => "deadlock",
            Self::LostConnection => "lost connection",
            Self::Full => "full",
            Self::Poison => "poisoned data",
            Self::Restart => "ledger restart",
            Self::Failover => "failover",
            Self::Pause => "ledger pause",
            Self::Crash => "engine crash",
            Self::Cancel => "caller leaves",
        }
    }
}

impl Kind for Fault {
    const KINDS: &'static [Self] = &Self::ALL;

    fn rates(self) -> [u64; 3] {
        match self {
            Self::Latency => [100, 300, 900],
            Self::Stall => [2, 5, 15],
            Self::Poison => [10, 30, 100],
            Self::Restart | Self::Failover | Self::Pause | Self::Crash => [1_000; 3],
            Self::Cancel => [20, 100, 300],
            Self::LockTimeout | Self::Deadlock | Self::LostConnection | Self::Full => [5, 20, 60],
            Self::DefiniteAbort | Self::UnknownCommitted | Self::UnknownAborted | Self::LateCommit => {
                [10, 40, 120]
            }
        }
    }

    fn share(self) -> u64 {
        match self {
            // After a failover much is excused: most seeds do without.
            Self::Failover => 20,
            Self::Latency => 70,
            _ => 45,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The faults of one seed. Cheap to clone; clones are the same.
#[derive(Clone, Debug)]
pub struct Faults<F: 'static = Fault>(Arc<Inner<F>>);

#[derive(Debug)]
struct Inner<F> {
    rates: Vec<(F, u64)>,
    healed: AtomicBool,
    dice: Dice,
    struck: Tally<F>,
}

impl<F: Kind> Faults<F> {
    /// Those that the seed switches on.
    pub fn of(seed: u64) -> Self {
        let dice = Dice::of(seed, "swarm");
        let rates = F::KINDS.iter().copied().map(|fault| {
            let (on, rate) = (dice.percent(fault.share()), *dice.pick(&fault.rates()));
            (fault, if on { rate } else { 0 })
        });
        Self::with(seed, rates.collect())
    }

    /// Those that the seed switches on, except these.
    pub fn of_all_but(seed: u64, without: &[F]) -> Self {
        let all = Self::of(seed);
        let rates = all.0.rates.iter().filter(|(fault, _)| !without.contains(fault)).copied();
        Self::with(seed, rates.collect())
    }

    /// None at all.
    pub fn none() -> Self {
        Self::with(0, Vec::new())
    }

    fn with(seed: u64, rates: Vec<(F, u64)>) -> Self {
        let dice = Dice::of(seed, "faults");
        Self(Arc::new(Inner { rates, healed: AtomicBool::new(false), dice, struck: Tally::default() }))
    }

    /// How often in a thousand; zero if the seed does without.
    pub fn rate(&self, fault: F) -> u64 {
        self.0.rates.iter().find(|(known, _)| *known == fault).map_or(0, |(_, rate)| *rate)
    }

    /// Whether it strikes now. Counted.
    pub fn strikes(&self, fault: F) -> bool {
        if self.is_healed() || !self.0.dice.per_mille(self.rate(fault)) {
            return false;
        }
        self.0.struck.count(fault);
        true
    }

    /// Whether it is switched on and has not been healed.
    pub fn is_on(&self, fault: F) -> bool {
        !self.is_healed() && self.rate(fault) > 0
    }

    /// Counts a fault that follows a calendar.
    pub fn note(&self, fault: F) {
        self.0.struck.count(fault);
    }

    /// From now on nothing strikes.
    pub fn heal(&self) {
        self.0.healed.store(true, Ordering::Relaxed);
    }

    /// From now on they strike (again).
    pub fn begin(&self) {
        self.0.healed.store(false, Ordering::Relaxed);
    }

    fn is_healed(&self) -> bool {
        self.0.healed.load(Ordering::Relaxed)
    }

    /// How often something that is ready waits for its turn once more.
    pub fn yields(&self) -> u64 {
        self.0.dice.range(0..=3)
    }

    /// The dice that decide how a fault looks.
    pub fn dice(&self) -> &Dice {
        &self.0.dice
    }

    /// How often each has struck.
    pub fn struck(&self) -> &Tally<F> {
        &self.0.struck
    }

    /// Those that are switched on, for people.
    pub fn summary(&self) -> String {
        let on = self.0.rates.iter().filter(|(_, rate)| *rate > 0);
        on.map(|(fault, rate)| format!("{fault} {rate}‰")).collect::<Vec<_>>().join(", ")
    }

    /// How long a message travels, if it may be late by `late` and stuck by `stuck`.
    pub fn way(&self, late: F, stuck: F) -> Duration {
        let dice = &self.0.dice;
        let usual = Duration::from_micros(dice.range(0..=2_000));
        if self.strikes(stuck) {
            usual + dice.millis(200..=3_000)
        } else if self.strikes(late) {
            usual + dice.millis(1..=40)
        } else {
            usual
        }
    }
}

impl Faults {
    /// How long a message to or from the ledger travels.
    pub fn latency(&self) -> Duration {
        self.way(Fault::Latency, Fault::Stall)
    }
}
