//! Many clients who buy without pause and remember what they were told.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures::{StreamExt, stream};
use ledger_check::history::Asked;
use tokio::task::JoinSet;
use tokio::time::sleep;
use uuid::Uuid;

use crate::history::{self, History};
use crate::shop::{Caller, eventually, new_order};

const CLIENTS: u64 = 32;
const PRODUCTS: u64 = 20;
/// So much that no order is refused for want of stock: every refusal is then about the crash.
const STOCK: i64 = 1_000_000;
/// How long a client waits after it was refused or cut off.
const PAUSE: Duration = Duration::from_millis(100);
/// From so many orders on a client takes its time: checking them all must stay quick.
const ORDERS_HURRIED: usize = 400;

/// What a client asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    Reserve,
    Commit,
    Release,
}

impl Step {
    /// Where the step leads to.
    fn status(self) -> &'static str {
        match self {
            Self::Reserve => "HELD",
            Self::Commit => "COMMITTED",
            Self::Release => "RELEASED",
        }
    }
}

/// One order as its client remembers it.
#[derive(Clone, Debug)]
struct Record {
    order: Uuid,
    lines: Vec<(i64, u32)>,
    /// The last step that was acknowledged.
    acknowledged: Option<Step>,
    /// A step that was sent and neither acknowledged nor definitely refused.
    in_doubt: Option<Step>,
}

/// What became of a request.
enum Reply {
    Done,
    /// A definite no: nothing happened.
    Refused,
    /// Cut off, or told that nobody knows yet.
    InDoubt,
}

/// Clients at work on one or more services.
pub(crate) struct Fleet {
    clients: JoinSet<Vec<Record>>,
    board: Arc<Board>,
    history: History,
}

/// What all clients of a fleet share.
#[derive(Default)]
struct Board {
    stop: AtomicBool,
    acknowledged: AtomicU64,
    unavailable: AtomicU64,
    cut_off: AtomicU64,
}

/// All that a fleet was told.
pub(crate) struct Ledger {
    records: Vec<Record>,
    /// Every try of it.
    pub(crate) history: History,
    /// Answers with 503.
    pub(crate) unavailable: u64,
    /// Requests without an answer.
    pub(crate) cut_off: u64,
}

impl Fleet {
    /// Stocks the shelves and sends the clients off; each buys at one of `shops`.
    pub(crate) async fn send_off(shops: &[Caller]) -> Self {
        for product in 1..=PRODUCTS {
            shops[0].stock(i64::try_from(product).expect("few products"), STOCK).await;
        }
        let board = Arc::new(Board::default());
        let history = History::new();
        let mut clients = JoinSet::new();
        for (number, shop) in (0..CLIENTS).zip(shops.iter().cycle()) {
            let client = Client { shop: shop.clone(), board: Arc::clone(&board), history: history.clone() };
            clients.spawn(client.buy(number));
        }
        Self { clients, board, history }
    }

    /// Waits until so many more steps have been acknowledged.
    pub(crate) async fn until_acknowledged(&self, more: u64) {
        let target = self.board.acknowledged.load(Ordering::Relaxed) + more;
        eventually("the clients get on", async || self.board.acknowledged.load(Ordering::Relaxed) >= target)
            .await;
    }

    /// Waits until a client has been told 503.
    pub(crate) async fn until_unavailable(&self) {
        eventually("a 503", async || self.board.unavailable.load(Ordering::Relaxed) > 0).await;
    }

    /// Calls the clients home.
    pub(crate) async fn come_home(mut self) -> Ledger {
        self.board.stop.store(true, Ordering::Relaxed);
        let mut records = Vec::new();
        while let Some(client) = self.clients.join_next().await {
            records.extend(client.expect("no client met an answer that must not be"));
        }
        Ledger {
            records,
            history: self.history,
            unavailable: self.board.unavailable.load(Ordering::Relaxed),
            cut_off: self.board.cut_off.load(Ordering::Relaxed),
        }
    }
}

struct Client {
    shop: Caller,
    board: Arc<Board>,
    history: History,
}

impl Client {
    async fn buy(self, number: u64) -> Vec<Record> {
        let mut records = Vec::new();
        for turn in number.. {
            if self.board.stop.load(Ordering::Relaxed) {
                break;
            }
            if records.len() >= ORDERS_HURRIED {
                sleep(PAUSE).await;
            }
            let mut record =
                Record { order: new_order(), lines: cart(number, turn), acknowledged: None, in_doubt: None };
            let then =
                [None, Some(Step::Commit), Some(Step::Release)][usize::try_from(turn % 3).expect("small")];
            for step in [Some(Step::Reserve), then].into_iter().flatten() {
                match self.take(step, &record).await {
                    Reply::Done => record.acknowledged = Some(step),
                    Reply::Refused => break,
                    Reply::InDoubt => {
                        record.in_doubt = Some(step);
                        break;
                    }
                }
            }
            records.push(record);
        }
        records
    }

    async fn take(&self, step: Step, record: &Record) -> Reply {
        let reply = match self.history.ask(&self.shop, asked(step, record)).await {
            Err(_) => {
                self.board.cut_off.fetch_add(1, Ordering::Relaxed);
                Reply::InDoubt
            }
            Ok(answer) if answer.status == 503 => {
                self.board.unavailable.fetch_add(1, Ordering::Relaxed);
                let code = answer.code();
                answer.is_problem(503, &code);
                if matches!(code.as_str(), "overloaded" | "unavailable") {
                    Reply::Refused
                } else {
                    Reply::InDoubt
                }
            }
            Ok(answer) => {
                answer.is(if step == Step::Reserve { 201 } else { 200 });
                self.board.acknowledged.fetch_add(1, Ordering::Relaxed);
                return Reply::Done;
            }
        };
        sleep(PAUSE).await;
        reply
    }
}

fn asked(step: Step, record: &Record) -> Asked {
    match step {
        Step::Reserve => history::reserve(record.order, &record.lines),
        Step::Commit => history::commit(record.order),
        Step::Release => history::release(record.order),
    }
}

/// One to three products; product 1 is in every third cart, so that there is a hot row.
fn cart(number: u64, turn: u64) -> Vec<(i64, u32)> {
    let seed = number * 7 + turn * 13;
    let mut cart = Vec::new();
    for line in 0..=turn % 3 {
        let product = if line == 2 { 1 } else { 2 + (seed + line * 5) % (PRODUCTS - 1) };
        let quantity = 1 + u32::try_from(seed % 3).expect("small");
        cart.push((i64::try_from(product).expect("few products"), quantity));
    }
    cart
}

impl Ledger {
    /// I5, I6 and I2: every order stands where its client was told, or, in doubt, where the step in doubt leads to;
    /// the products' figures are the sums of the orders; the audit agrees.
    pub(crate) async fn check(&self, shop: &Caller) {
        let standing = self.standing(shop).await;
        for record in &self.records {
            let status = standing.get(&record.order).map(String::as_str);
            let possible = [record.acknowledged, record.in_doubt.or(record.acknowledged)];
            assert!(
                possible.map(|step| step.map(Step::status)).contains(&status),
                "{status:?} after {record:#?}"
            );
        }
        self.check_products(shop, &standing).await;
        shop.audit_is_ok().await;
    }

    /// I6, I7: asking again settles every doubt, once. Then everything is checked again.
    pub(crate) async fn settle_doubts_and_check(&mut self, shop: &Caller) {
        for record in &mut self.records {
            let Some(step) = record.in_doubt.take() else { continue };
            let answer = self.history.ask(shop, asked(step, record)).await.expect("an answer");
            assert!(matches!(answer.status, 200 | 201), "{answer:#?} for {record:#?}");
            record.acknowledged = Some(step);
        }
        self.check(shop).await;
    }

    /// The status of every order that is known to the service.
    async fn standing(&self, shop: &Caller) -> HashMap<Uuid, String> {
        let look = |order: Uuid| async move {
            let answer = shop.reservation(order).await;
            if answer.status == 404 {
                return None;
            }
            Some((order, answer.is(200)["status"].as_str().unwrap_or_default().to_owned()))
        };
        let orders = self.records.iter().map(|record| look(record.order));
        stream::iter(orders).buffer_unordered(32).filter_map(async |known| known).collect().await
    }

    async fn check_products(&self, shop: &Caller, standing: &HashMap<Uuid, String>) {
        let (mut held, mut sold) = (HashMap::new(), HashMap::new());
        for record in &self.records {
            let sums: &mut HashMap<i64, i64> = match standing.get(&record.order).map(String::as_str) {
                Some("HELD") => &mut held,
                Some("COMMITTED") => &mut sold,
                _ => continue,
            };
            for (product, quantity) in &record.lines {
                *sums.entry(*product).or_default() += i64::from(*quantity);
            }
        }
        for product in 1..=i64::try_from(PRODUCTS).expect("few products") {
            let of = |sums: &HashMap<i64, i64>| sums.get(&product).copied().unwrap_or_default();
            let (on_hand, held) = (STOCK - of(&sold), of(&held));
            assert_eq!(shop.counts(product).await, (on_hand, held, on_hand - held), "product {product}");
        }
    }
}
