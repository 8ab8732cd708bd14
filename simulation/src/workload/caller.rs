//! How one caller asks: some engine, again after a failure, gone in the middle if chance wants it; and everything is written down.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use inventory_core::command::SetStock;
use inventory_core::ids::ProductId;
use inventory_core::quantity::{Quantity, Units};
use tokio::time::Instant;

use super::{LIMIT, LIMITED};
use crate::dice::Dice;
use crate::faults::Fault;
use crate::history::{Asked, Heard, History, Op};
use crate::ledger::World;
use crate::processes::{Processes, Running};

/// What callers share. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Shop {
    pub(crate) processes: Arc<Processes>,
    pub(crate) history: History,
    pub(crate) world: World,
}

/// One of them.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    shop: Shop,
    number: u32,
    pub(super) dice: Dice,
}

impl Caller {
    pub(crate) fn new(shop: &Shop, seed: u64, number: u32) -> Self {
        Self { shop: shop.clone(), number, dice: Dice::of(seed, &format!("caller {number}")) }
    }

    /// Every engine that runs.
    pub(super) fn engines(&self) -> Vec<Running> {
        self.shop.processes.all()
    }

    /// Asks one engine, once.
    pub(crate) async fn ask(&self, asked: Asked) -> Heard {
        loop {
            if let Some(running) = self.shop.processes.pick(&self.dice) {
                let patience = self.shop.world.faults.strikes(Fault::Cancel).then(|| self.dice.range(0..=9));
                return self.ask_of(&running, asked, patience).await;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Asks this engine. With `patience` the caller goes away when the call has been pending so often.
    pub(crate) async fn ask_of(&self, running: &Running, asked: Asked, patience: Option<u64>) -> Heard {
        let trace = &self.shop.world.trace;
        let who = format!("caller {}", self.number);
        trace.note(&who, || format!("asks {}: {asked:?}", running.process));
        let begun = Instant::now();
        let contended = running.engine.stats().contended;
        let call = asked.clone().of(running.engine.clone());
        let heard = tokio::select! {
            biased;
            () = running.death.cancelled() => Heard::Nothing,
            heard = leave_after(patience, call) => heard.unwrap_or(Heard::Nothing),
        };
        trace.note(&who, || format!("hears {heard:?}"));
        let waited = running.engine.stats().contended > contended;
        let ended = Instant::now();
        let op = Op {
            caller: self.number,
            process: running.process,
            begun,
            ended,
            asked,
            heard: heard.clone(),
            waited,
        };
        self.shop.history.note(op);
        heard
    }

    /// Asks until there is a yes or a no, or patience ends.
    pub(super) async fn insist(&self, asked: &Asked, tries: u64) -> Heard {
        let mut tried = 0;
        loop {
            let heard = self.ask(asked.clone()).await;
            tried += 1;
            if tried >= tries || !heard.is_worth_repeating() {
                return heard;
            }
            tokio::time::sleep(self.dice.millis(1..=300)).await;
        }
    }

    /// Sets a product's stock, however long it takes.
    pub(super) async fn put(&self, product: ProductId, on_hand: Units) {
        let limit = (product == LIMITED).then(|| Quantity::new(LIMIT.into()).unwrap_or(Quantity::ONE));
        let set = SetStock { per_customer_limit: limit, ..SetStock::level(product, on_hand) };
        self.insist(&Asked::Set(set), 1_000).await;
    }
}

/// Runs a call until its end, or until it was pending more often than `patience`: then it is dropped as it stands.
async fn leave_after(patience: Option<u64>, call: impl Future<Output = Heard>) -> Option<Heard> {
    let mut call = pin!(call);
    let mut pending = 0;
    poll_fn(|cx| match call.as_mut().poll(cx) {
        Poll::Ready(heard) => Poll::Ready(Some(heard)),
        Poll::Pending if patience.is_some_and(|patience| pending >= patience) => Poll::Ready(None),
        Poll::Pending => {
            pending += 1;
            Poll::Pending
        }
    })
    .await
}
