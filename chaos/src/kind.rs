//! Which faults there are.

use serde::Serialize;

/// One kind of fault. Each is done in one place of `inject/`, and counted when it has struck.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Every message to and from Postgres takes longer.
    SlowWay,
    /// One connection to Postgres is cut.
    CutConnection,
    /// All connections of one way to Postgres are cut.
    CutWay,
    /// One connection swallows everything and stays open.
    SilentConnection,
    /// A whole way to Postgres swallows everything.
    SilentWay,
    /// A COMMIT never reaches the server.
    DropCommit,
    /// The server commits and nobody hears of it.
    DropReply,
    /// A COMMIT reaches the server seconds after its client was cut off.
    HoldCommit,
    /// `kill -9` of an inventory instance, then a start.
    KillInventory,
    /// The same of orders.
    KillOrders,
    /// The same of payments.
    KillPayments,
    /// SIGSTOP of any service, then SIGCONT.
    FreezeService,
    /// The wall clock of a service jumps by a day.
    ClockJump,
    /// `pg_ctl -m immediate stop`, then a start.
    CrashPostgres,
    /// SIGSTOP of all of Postgres' processes, then SIGCONT (scenario G).
    PausePostgres,
    /// The broker stops in order (the mock one hangs up), then starts.
    StopKafka,
    /// `kill -9` of the broker, then a start.
    KillKafka,
    /// No room on the database's disk, then room again.
    DiskFull,
}

/// Faults of one lane come one after the other; lanes overlap.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lane {
    /// Services, and their ways to Postgres.
    Services,
    /// What services stand on: Postgres, Kafka, the disk.
    Machines,
}

impl Kind {
    /// Every one.
    pub const ALL: [Self; 18] = [
        Self::SlowWay,
        Self::CutConnection,
        Self::CutWay,
        Self::SilentConnection,
        Self::SilentWay,
        Self::DropCommit,
        Self::DropReply,
        Self::HoldCommit,
        Self::KillInventory,
        Self::KillOrders,
        Self::KillPayments,
        Self::FreezeService,
        Self::ClockJump,
        Self::CrashPostgres,
        Self::PausePostgres,
        Self::StopKafka,
        Self::KillKafka,
        Self::DiskFull,
    ];

    /// As reports write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::SlowWay => "slow way",
            Self::CutConnection => "connection cut",
            Self::CutWay => "way cut",
            Self::SilentConnection => "connection silent",
            Self::SilentWay => "way silent",
            Self::DropCommit => "COMMIT dropped",
            Self::DropReply => "reply to COMMIT dropped",
            Self::HoldCommit => "COMMIT held",
            Self::KillInventory => "kill -9 inventory",
            Self::KillOrders => "kill -9 orders",
            Self::KillPayments => "kill -9 payments",
            Self::FreezeService => "service frozen",
            Self::ClockJump => "clock jump",
            Self::CrashPostgres => "Postgres crash",
            Self::PausePostgres => "Postgres paused",
            Self::StopKafka => "Kafka stopped",
            Self::KillKafka => "kill -9 Kafka",
            Self::DiskFull => "disk full",
        }
    }

    /// Where it is done.
    pub fn lane(self) -> Lane {
        match self {
            Self::CrashPostgres
            | Self::PausePostgres
            | Self::StopKafka
            | Self::KillKafka
            | Self::DiskFull => Lane::Machines,
            _ => Lane::Services,
        }
    }

    /// How often it is drawn beside the others of its lane. What a COMMIT can meet comes most: it is what hurts most.
    pub fn weight(self) -> u32 {
        match self {
            Self::HoldCommit | Self::DropReply => 6,
            Self::DropCommit | Self::KillInventory => 4,
            Self::KillOrders
            | Self::FreezeService
            | Self::CrashPostgres
            | Self::PausePostgres
            | Self::CutConnection => 3,
            Self::KillPayments
            | Self::CutWay
            | Self::SilentConnection
            | Self::SlowWay
            | Self::DiskFull
            | Self::StopKafka => 2,
            Self::SilentWay | Self::ClockJump | Self::KillKafka => 1,
        }
    }

    /// Whether a short run has it: not what takes a machine of its own or half a minute to get over.
    pub fn is_in_short_runs(self) -> bool {
        !matches!(
            self,
            Self::SilentWay | Self::SilentConnection | Self::KillKafka | Self::DiskFull | Self::ClockJump
        )
    }
}
