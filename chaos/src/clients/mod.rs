//! Clients in this one process: they ask every instance in turn, remember what they were told, and stop when they are called home.

pub(crate) mod buyer;
pub(crate) mod keeper;
pub(crate) mod placer;
pub(crate) mod record;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::Value;
use tokio::task::JoinSet;

use self::keeper::Adjustment;
use self::placer::Placement;
use self::record::Record;
use crate::history::{Entry, Scribe, seconds};
use crate::http::{Asker, Request, Told};
use crate::run::Heads;

/// Products on sale. The last ones are scarce: they sell out and are filled up again.
pub(crate) const PRODUCTS: i64 = 12;
/// Of them so many, at the end.
pub(crate) const SCARCE: i64 = 2;
/// What the others begin with: more than a run can sell.
pub(crate) const STOCK: i64 = 1_000_000;
/// What scarce ones begin with.
pub(crate) const SCARCE_STOCK: i64 = 60;
/// Holds of at most so many seconds may run out during a run; others may not.
pub(crate) const SHORT_SECONDS: u32 = 10;

/// How long a client may go on asking the same once everything is healed.
const SETTLE_WITHIN: Duration = Duration::from_secs(90);
/// How many clients settle at once.
const SETTLERS: usize = 16;

/// Where things are.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    /// Inventory, instance by instance.
    pub(crate) inventories: Vec<String>,
    /// Orders.
    pub(crate) orders: String,
}

/// What all clients share.
pub(crate) struct Board {
    pub(crate) stop: AtomicBool,
    pub(crate) tally: Tally,
    started: Instant,
    scribe: Arc<dyn Scribe>,
    places: Places,
    asker: Asker,
}

/// Answers so far, by what they meant.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) acknowledged: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) unavailable: AtomicU64,
    pub(crate) unanswered: AtomicU64,
    pub(crate) placed: AtomicU64,
}

/// One client's tools.
pub(crate) struct Client {
    pub(crate) number: usize,
    pub(crate) random: StdRng,
    board: Arc<Board>,
}

/// Clients at work.
pub(crate) struct Crowd {
    board: Arc<Board>,
    buyers: JoinSet<Vec<Record>>,
    placers: JoinSet<Vec<Placement>>,
    keeper: JoinSet<Vec<Adjustment>>,
}

/// All that they were told.
#[derive(Debug, Default)]
pub(crate) struct Remembered {
    pub(crate) records: Vec<Record>,
    pub(crate) placements: Vec<Placement>,
    pub(crate) adjustments: Vec<Adjustment>,
    /// What could not be settled within bounds.
    pub(crate) unsettled: Vec<String>,
}

impl Board {
    pub(crate) fn new(places: Places, scribe: Arc<dyn Scribe>) -> Result<Arc<Self>> {
        let (stop, tally, started) = (AtomicBool::new(false), Tally::default(), Instant::now());
        Ok(Arc::new(Self { stop, tally, started, scribe, places, asker: Asker::new()? }))
    }

    /// A client of its own seed.
    pub(crate) fn client(self: &Arc<Self>, number: usize, seed: u64) -> Client {
        let seed = seed.wrapping_add(number as u64).wrapping_mul(0x2545_f491_4f6c_dd1d);
        Client { number, random: StdRng::seed_from_u64(seed), board: Arc::clone(self) }
    }
}

impl Tally {
    fn count(&self, told: &Told) {
        let counter = match told.status() {
            0 => &self.unanswered,
            503 => &self.unavailable,
            200..300 => &self.acknowledged,
            _ => &self.refused,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// One line for whoever watches.
    pub(crate) fn line(&self) -> String {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        format!(
            "{} acknowledged, {} refused, {} unavailable, {} without an answer, {} orders placed",
            of(&self.acknowledged),
            of(&self.refused),
            of(&self.unavailable),
            of(&self.unanswered),
            of(&self.placed)
        )
    }
}

impl Client {
    /// Whether it is called home.
    pub(crate) fn is_called(&self) -> bool {
        self.board.stop.load(Ordering::Relaxed)
    }

    pub(crate) fn tally(&self) -> &Tally {
        &self.board.tally
    }

    /// Asks any instance of inventory.
    pub(crate) async fn ask_inventory(&mut self, request: &Request) -> Told {
        let at = self.random.random_range(0..self.board.places.inventories.len());
        let url = self.board.places.inventories[at].clone();
        self.ask(&url, request).await
    }

    /// Asks orders.
    pub(crate) async fn ask_orders(&mut self, request: &Request) -> Told {
        let url = self.board.places.orders.clone();
        self.ask(&url, request).await
    }

    async fn ask(&self, url: &str, request: &Request) -> Told {
        let sent = seconds(self.board.started);
        let told = self.board.asker.ask(url, request).await;
        self.board.tally.count(&told);
        let nothing = if let Told::Nothing(why) = &told { Value::String(why.clone()) } else { Value::Null };
        self.board.scribe.note(&Entry {
            client: self.number,
            at: url,
            sent,
            answered: seconds(self.board.started),
            path: &request.path,
            body: request.body.as_ref(),
            status: told.status(),
            told: told.body().unwrap_or(&nothing),
        });
        told
    }

    /// Rests a moment.
    pub(crate) async fn rest(&mut self, from_ms: u64, to_ms: u64) {
        let time = self.random.random_range(from_ms..=to_ms);
        tokio::time::sleep(Duration::from_millis(time)).await;
    }
}

impl Crowd {
    /// Sends everybody off.
    pub(crate) fn send_off(board: &Arc<Board>, heads: Heads, seed: u64) -> Self {
        let (mut buyers, mut placers, mut keeper) = (JoinSet::new(), JoinSet::new(), JoinSet::new());
        for number in 0..heads.buyers {
            buyers.spawn(buyer::buy(board.client(number, seed)));
        }
        for number in heads.buyers..heads.buyers + heads.placers {
            placers.spawn(placer::place(board.client(number, seed)));
        }
        keeper.spawn(keeper::fill_up(board.client(heads.buyers + heads.placers, seed)));
        Self { board: Arc::clone(board), buyers, placers, keeper }
    }

    /// Calls them home, and lets each finish what it asked.
    pub(crate) async fn come_home(self) -> Remembered {
        self.board.stop.store(true, Ordering::Relaxed);
        Remembered {
            records: self.buyers.join_all().await.concat(),
            placements: self.placers.join_all().await.concat(),
            adjustments: self.keeper.join_all().await.concat(),
            unsettled: Vec::new(),
        }
    }
}

impl Remembered {
    /// Asks again whatever nobody knows, until it is known (I6, I7).
    pub(crate) async fn settle(&mut self, board: &Arc<Board>, seed: u64) {
        let deadline = Instant::now() + SETTLE_WITHIN;
        let is_open = |record: &Record| record.unsettled.is_some() || record.needs_release();
        let (open, settled) = std::mem::take(&mut self.records).into_iter().partition(is_open);
        self.records = settled;
        let records = settle_all(board, seed, open, async |client, record| {
            buyer::settle(client, record, deadline).await
        });
        self.records.extend(records.await);
        let placements = std::mem::take(&mut self.placements);
        let (open, settled) = placements.into_iter().partition(Placement::is_open);
        self.placements = settled;
        let placements = settle_all(board, seed, open, async |client, placement| {
            placer::settle(client, placement, deadline).await
        });
        self.placements.extend(placements.await);
        let mut client = board.client(SETTLERS, seed);
        for adjustment in self.adjustments.iter_mut().filter(|adjustment| !adjustment.is_acknowledged) {
            keeper::settle(&mut client, adjustment, deadline).await;
        }
        self.unsettled = self.still_open();
    }

    fn still_open(&self) -> Vec<String> {
        let records =
            self.records.iter().filter(|record| record.unsettled.is_some() || record.needs_release());
        let records = records
            .map(|record| format!("order {}: {:?} {:?}", record.order, record.unsettled, record.may_be));
        let placements = self.placements.iter().filter(|placement| placement.is_open());
        let placements = placements.map(|placement| format!("placement {}", placement.key));
        let adjustments = self.adjustments.iter().filter(|adjustment| !adjustment.is_acknowledged);
        let adjustments = adjustments.map(|adjustment| format!("adjustment {}", adjustment.id));
        records.chain(placements).chain(adjustments).collect()
    }
}

/// Settles by several clients at once, each its share.
async fn settle_all<T>(
    board: &Arc<Board>,
    seed: u64,
    open: Vec<T>,
    settle: impl AsyncFn(&mut Client, &mut T),
) -> Vec<T> {
    let mut shares: Vec<Vec<T>> = (0..SETTLERS).map(|_| Vec::new()).collect();
    for (number, one) in open.into_iter().enumerate() {
        shares[number % SETTLERS].push(one);
    }
    let settle = &settle;
    let settling = shares.into_iter().enumerate().map(|(number, mut share)| async move {
        let mut client = board.client(number, seed.wrapping_add(1));
        for one in &mut share {
            settle(&mut client, one).await;
        }
        share
    });
    futures::future::join_all(settling).await.into_iter().flatten().collect()
}
