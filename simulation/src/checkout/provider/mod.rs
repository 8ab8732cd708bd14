//! A payment provider: it accepts under a payment's id, decides when it likes, tells at least once, and gives back what it is asked to.
//! Its books are durable.

mod books;
mod port;

use std::sync::Arc;
use std::time::Duration;

use event_contracts::Money;
use parking_lot::Mutex;
use service_kit::events::Incoming;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::books::{Books, Status};
pub(super) use self::books::{Payment, Verdict};
pub(super) use self::port::ProviderPort;
use super::stage::Stage;
use crate::dice::Dice;

/// How a customer may pay; a method says what the provider will do.
pub(super) const METHODS: [&str; 10] =
    ["approve", "approve", "approve", "decline", "slow", "slow", "later", "silent", "twice", "turns"];

/// Cheap to clone; clones are the same provider.
#[derive(Clone, Debug)]
pub(super) struct Provider(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    stage: Stage,
    dice: Dice,
    books: Mutex<Books>,
    /// Who is silent speaks when all is well again.
    healed: CancellationToken,
}

/// What it knows of a payment, as it answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Answer {
    Unknown,
    Is(Status),
}

impl Provider {
    pub(super) fn new(seed: u64, stage: Stage) -> Self {
        let dice = Dice::of(seed, "provider");
        let books = Mutex::new(Books::new(Dice::of(seed, "ids of payments")));
        Self(Arc::new(Inner { stage, dice, books, healed: CancellationToken::new() }))
    }

    /// Commits to a payment, or answers what stands there.
    pub(super) fn accept(&self, id: Uuid, order: Uuid, amount: Money, method: &str) -> Answer {
        let is_new = self.0.books.lock().accept(id, order, amount);
        if is_new {
            self.0.stage.trace.note("provider", || format!("accepts {id} of {order} by {method}"));
            self.decide_later(id, method.to_owned());
        }
        self.state(id)
    }

    /// What became of it.
    pub(super) fn state(&self, id: Uuid) -> Answer {
        self.0.books.lock().payments.get(&id).map_or(Answer::Unknown, |payment| Answer::Is(payment.status))
    }

    /// Commits to giving the money back, if there is any.
    pub(super) fn refund(&self, id: Uuid) -> Answer {
        if self.0.books.lock().begin_refund(id) {
            let (provider, after) = (self.clone(), self.0.dice.millis(0..=800));
            let copies = self.0.dice.range(1..=2);
            self.0.stage.tasks.spawn(async move {
                tokio::time::sleep(after).await;
                provider.settle(id, Verdict::Refund, copies);
            });
        }
        self.state(id)
    }

    /// Makes up its mind in its own time.
    fn decide_later(&self, id: Uuid, method: String) {
        let dice = &self.0.dice;
        let (soon, slow, later) =
            (dice.millis(0..=300), dice.millis(300..=2_500), dice.millis(2_000..=6_000));
        let provider = self.clone();
        self.0.stage.tasks.spawn(async move {
            match method.as_str() {
                "decline" => provider.settle_after(soon, id, Verdict::Decline, 1).await,
                "slow" => provider.settle_after(slow, id, Verdict::Charge, 1).await,
                "later" => provider.settle_after(later, id, Verdict::Charge, 1).await,
                "silent" => {
                    provider.0.healed.cancelled().await;
                    provider.settle_after(slow, id, Verdict::Charge, 1).await;
                }
                "twice" => provider.settle_after(soon, id, Verdict::Charge, 2).await,
                "turns" => {
                    provider.settle_after(soon, id, Verdict::Decline, 1).await;
                    provider.settle_after(slow, id, Verdict::Charge, 1).await;
                }
                _ => provider.settle_after(soon, id, Verdict::Charge, 1).await,
            }
        });
    }

    async fn settle_after(&self, time: Duration, id: Uuid, verdict: Verdict, copies: u64) {
        tokio::time::sleep(time).await;
        self.settle(id, verdict, copies);
    }

    fn settle(&self, id: Uuid, verdict: Verdict, copies: u64) {
        if self.0.books.lock().settle(id, verdict, copies) {
            self.0.stage.trace.note("provider", || format!("{verdict:?}s {id}"));
        }
    }

    /// From now on nobody is silent.
    pub(super) fn heal(&self) {
        self.0.healed.cancel();
    }

    /// Whether nothing is left to decide.
    pub(super) fn is_at_rest(&self) -> bool {
        let books = self.0.books.lock();
        books.payments.values().all(|payment| !matches!(payment.status, Status::Accepted | Status::Refunding))
    }

    /// What it told when it had told so much already.
    pub(super) fn events_after(&self, known: usize) -> Vec<Incoming> {
        self.0.books.lock().told.iter().skip(known).cloned().collect()
    }

    /// Every payment.
    pub(super) fn payments(&self) -> Vec<Payment> {
        self.0.books.lock().payments.values().copied().collect()
    }
}
