//! Ways to hold stock, one a file, each as good as we could make it. What each does and does not do is in docs/BENCHMARKS.md.

pub mod bare;
pub mod conditional_update;
pub mod endings;
pub mod floor;
pub mod in_process;
pub mod insert;
pub mod over_http;
pub mod redis_lua;
pub mod reserve_batch;
pub mod row_per_unit;
pub(crate) mod sql;
pub mod transaction;

use std::future::Future;

use anyhow::Result;
use clap::ValueEnum;
use serde::Serialize;

use crate::workload::{Request, Shape};

/// What a request came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// All of it is held.
    Held,
    /// There is not enough; nothing is held.
    Refused,
}

/// Something that holds stock, ready to be asked.
pub trait Peer: Sync {
    /// One caller's way to it.
    type Client: Client;

    /// Connects one more caller.
    fn connect(&self) -> impl Future<Output = Result<Self::Client>> + Send;

    /// Units that are held now, by its database. `None` where nothing is kept.
    fn taken(&self) -> impl Future<Output = Result<Option<i64>>> + Send;

    /// Commands and batches since its start, where it makes batches.
    fn batches(&self) -> Option<Batches> {
        None
    }
}

/// One caller, with one request under way at a time.
pub trait Client: Send + 'static {
    /// Holds all lines or none. Anything but a clear answer is an error, which ends the run.
    fn reserve(&mut self, request: Request) -> impl Future<Output = Result<Answer>> + Send;
}

/// How well requests were gathered.
#[derive(Clone, Copy, Debug)]
pub struct Batches {
    /// Requests in committed batches.
    pub commands: u64,
    /// Committed batches.
    pub batches: u64,
}

impl Batches {
    /// Requests in a batch since an earlier reading, on average.
    pub fn mean_since(&self, earlier: Self) -> f64 {
        (self.commands - earlier.commands) as f64 / (self.batches - earlier.batches).max(1) as f64
    }
}

/// The peers, in the order in which they are told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A transaction per request with `SELECT … FOR UPDATE`.
    Transaction,
    /// One conditional `UPDATE`.
    ConditionalUpdate,
    /// A row per unit with `SKIP LOCKED`.
    RowPerUnit,
    /// A Lua script in Redis, `appendfsync always`.
    RedisLua,
    /// This engine in process.
    InProcess,
    /// This engine over HTTP.
    OverHttp,
    /// An HTTP handler that only parses and answers.
    Bare,
    /// The engine's SQL batches from a bare loop.
    Floor,
    /// The least that keeps anything: one `INSERT`.
    #[value(skip)]
    Insert,
    /// This engine over HTTP, sold out.
    #[value(skip)]
    SoldOut,
    /// This engine's `reserve/batch`.
    #[value(skip)]
    ReserveBatch,
    /// This engine's commit, in process.
    #[value(skip)]
    Commit,
    /// This engine's release, in process.
    #[value(skip)]
    Release,
}

impl Kind {
    /// Every peer that holds the workloads' requests. The others are measured beside them, on one hot product.
    pub const ALL: [Self; 8] = [
        Self::Transaction,
        Self::ConditionalUpdate,
        Self::RowPerUnit,
        Self::RedisLua,
        Self::InProcess,
        Self::OverHttp,
        Self::Bare,
        Self::Floor,
    ];

    /// What tables call it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Transaction => "(a) a transaction per request",
            Self::ConditionalUpdate => "(b) one conditional UPDATE",
            Self::RowPerUnit => "(c) a row per unit, SKIP LOCKED",
            Self::RedisLua => "(d) Redis Lua, appendfsync always",
            Self::InProcess => "(e) this engine in process",
            Self::OverHttp => "(f) this engine over HTTP",
            Self::Bare => "(g) a handler that only answers",
            Self::Floor => "(h) the same batches, bare loop",
            Self::Insert => "a bare INSERT",
            Self::SoldOut => "this engine over HTTP, sold out",
            Self::ReserveBatch => "this engine's reserve/batch",
            Self::Commit => "this engine's commit in process",
            Self::Release => "this engine's release in process",
        }
    }

    /// Why it cannot take part in a workload.
    pub fn declines(self, shape: Shape) -> Option<&'static str> {
        match (self, shape) {
            (Self::RowPerUnit, Shape::Baskets) => Some(
                "a row for every unit: single lines ask for up to 32,175 of them, a second of this load for millions",
            ),
            _ => None,
        }
    }

    /// Numbers of connections at which it is tried before the rounds, for its best and for the plot.
    pub fn levels(self) -> &'static [usize] {
        match self {
            Self::Transaction | Self::ConditionalUpdate | Self::RowPerUnit | Self::RedisLua => {
                &[8, 16, 32, 64]
            }
            Self::InProcess => &[8, 16, 32, 64, 128, 256, 1_024, CALLERS],
            Self::OverHttp | Self::Bare => &[8, 16, 32, 64, 128, 256],
            Self::Floor => &[1],
            Self::Insert | Self::SoldOut | Self::ReserveBatch | Self::Commit | Self::Release => &[],
        }
    }

    /// Where the rounds run. `None`: where it was best.
    pub fn rounds_at(self) -> Option<&'static [usize]> {
        match self {
            Self::Transaction | Self::ConditionalUpdate | Self::RowPerUnit | Self::RedisLua => None,
            Self::InProcess | Self::Commit | Self::Release => Some(&[CALLERS]),
            // Both at the same, else their ratio says nothing.
            Self::OverHttp | Self::Bare => Some(&[64, 256]),
            Self::SoldOut => Some(&[256]),
            Self::ReserveBatch => Some(&[8]),
            Self::Floor | Self::Insert => Some(&[1]),
        }
    }
}

/// Callers in process: more than twice a full batch, so that the next one is full, too.
pub const CALLERS: usize = 2_500;
