//! The orders' database: what order-service's store does over SQL, at the granularity of its transactions. A step is one of them: the
//! order's row, the calls to make, the timer, the events, all or nothing.
//!
//! What is modelled is what can go wrong around it: locks that are waited for, COMMITs whose answer never comes (taken effect, not, or
//! later under the lock), a clock that is set, workers that come with an answer after their lease.

mod client;
mod steps;
mod tables;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use order_service::saga::Input;
use order_service::store::{
    Applied, ApplyError, Cause, Heard, Hearing, Order, Placed, Placement, StoreOptions,
};
use parking_lot::Mutex;
use tokio::sync::{Mutex as Lock, OwnedMutexGuard};
use tokio::time::Instant;
use uuid::Uuid;

pub(super) use self::client::Rows;
pub(super) use self::tables::{Stepped, Tables};
use super::goals::Goal;
use super::mutant::Mutant;
use super::stage::Stage;
use super::troubles::Trouble;
use crate::dice::Dice;

/// How long a step waits for its order's row.
const LOCK_TIMEOUT: Duration = Duration::from_millis(800);
/// When the database's time begins, in microseconds.
const BEGINNING: i64 = 1_780_000_000_000_000;

/// The server. Cheap to clone; clones are the same database.
#[derive(Clone, Debug)]
pub(super) struct Database(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    stage: Stage,
    options: StoreOptions,
    ids: Dice,
    begun: Instant,
    /// How far the clock is off, in microseconds.
    offset: AtomicI64,
    tables: Mutex<Tables>,
    locks: Mutex<BTreeMap<String, Arc<Lock<()>>>>,
}

/// What a step is decided with.
pub(super) struct Moment {
    pub(super) now: DateTime<Utc>,
    pub(super) options: StoreOptions,
    pub(super) ids: Dice,
    pub(super) stage: Stage,
}

impl Moment {
    pub(super) fn micros(&self) -> i64 {
        self.now.timestamp_micros()
    }
}

fn away(what: &str) -> ApplyError {
    ApplyError::Sql(lost(what))
}

fn lost(what: &str) -> sqlx::Error {
    sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::ConnectionReset, what.to_owned()))
}

impl Database {
    pub(super) fn new(seed: u64, stage: Stage, options: StoreOptions) -> Self {
        let ids = Dice::of(seed, "ids of orders");
        let (tables, locks) = (Mutex::default(), Mutex::default());
        let (begun, offset) = (Instant::now(), AtomicI64::new(0));
        Self(Arc::new(Inner { stage, options, ids, begun, offset, tables, locks }))
    }

    /// Looks at the tables as they are.
    pub(super) fn look<T>(&self, look: impl FnOnce(&mut Tables) -> T) -> T {
        look(&mut self.0.tables.lock())
    }

    pub(super) fn options(&self) -> &StoreOptions {
        &self.0.options
    }

    /// A fresh id.
    pub(super) fn id(&self) -> Uuid {
        self.0.ids.id()
    }

    /// Sets the clock by so many milliseconds.
    pub(super) fn set_clock(&self, by: i64) {
        self.0.stage.troubles.note(Trouble::ClockStep);
        self.0.stage.trace.note("database", || format!("sets its clock by {by} ms"));
        if by < 0 {
            self.0.stage.reach(Goal::ClockSetBack);
        }
        self.0.offset.fetch_add(by * 1_000, Ordering::Relaxed);
    }

    fn moment(&self) -> Moment {
        let elapsed = i64::try_from(self.0.begun.elapsed().as_micros()).unwrap_or(0);
        let micros = BEGINNING + elapsed + self.0.offset.load(Ordering::Relaxed);
        Moment {
            now: DateTime::from_timestamp_micros(micros).unwrap_or_default(),
            options: self.0.options,
            ids: self.0.ids.clone(),
            stage: self.0.stage.clone(),
        }
    }

    /// One statement outside transactions.
    async fn statement<T: Send>(
        &self,
        run: impl FnOnce(&mut Tables, &Moment) -> T + Send,
    ) -> Result<T, sqlx::Error> {
        let stage = &self.0.stage;
        stage.turn().await;
        if stage.strikes(Trouble::Refused) {
            return Err(lost("refused (simulated)"));
        }
        let done = run(&mut self.0.tables.lock(), &self.moment());
        stage.turn().await;
        Ok(done)
    }

    async fn lock(&self, key: &str) -> Result<OwnedMutexGuard<()>, ApplyError> {
        let lock = self.0.locks.lock().entry(key.to_owned()).or_default().clone();
        if lock.try_lock().is_err() {
            self.0.stage.reach(Goal::StepWaited);
        }
        let waited = tokio::time::timeout(LOCK_TIMEOUT, lock.lock_owned()).await;
        waited.map_err(|_elapsed| away("a lock timeout (simulated)"))
    }

    /// One transaction on what `key` locks. What is decided is written, whether anybody hears of it or not.
    async fn transact<T: Send + 'static>(
        &self,
        key: String,
        change: impl FnOnce(&mut Tables, &Moment) -> Result<T, ApplyError> + Send + 'static,
    ) -> Result<T, ApplyError> {
        let stage = &self.0.stage;
        stage.turn().await;
        if stage.strikes(Trouble::Refused) {
            return Err(away("refused (simulated)"));
        }
        let guard = self.lock(&key).await?;
        stage.turn().await;
        if stage.strikes(Trouble::UnknownAborted) {
            if stage.is(Mutant::EarlyAnswer) {
                return change(&mut self.0.tables.lock().clone(), &self.moment());
            }
            self.look(|tables| tables.unknown.insert(key, Goal::UnknownAborted));
            return Err(away("no answer to COMMIT (simulated)"));
        }
        if stage.strikes(Trouble::LateCommit) {
            self.hold(guard, key, change);
            return Err(away("no answer to COMMIT (simulated)"));
        }
        if let Some(goal) = self.look(|tables| tables.unknown.remove(&key)) {
            stage.reach(goal);
        }
        let answer = change(&mut self.0.tables.lock(), &self.moment());
        drop(guard);
        stage.turn().await;
        if stage.strikes(Trouble::UnknownCommitted) {
            self.look(|tables| tables.unknown.insert(key, Goal::UnknownCommitted));
            return Err(away("no answer to COMMIT (simulated)"));
        }
        answer
    }

    /// COMMIT stays on its way for a while; the order's row stays locked until it arrives, or never does.
    fn hold<T: Send + 'static>(
        &self,
        guard: OwnedMutexGuard<()>,
        key: String,
        change: impl FnOnce(&mut Tables, &Moment) -> Result<T, ApplyError> + Send + 'static,
    ) {
        let (database, dice) = (self.clone(), self.0.stage.dice().clone());
        let (held, arrives) = (dice.millis(10..=2_500), dice.percent(60));
        self.0.stage.tasks.spawn(async move {
            tokio::time::sleep(held).await;
            let goal = if arrives { Goal::UnknownCommitted } else { Goal::UnknownAborted };
            if arrives {
                // Nobody is left to hear the answer.
                let _ = change(&mut database.0.tables.lock(), &database.moment());
            }
            database.look(|tables| tables.unknown.insert(key, goal));
            drop(guard);
        });
    }

    /// Places an order.
    pub(super) async fn place(&self, placement: &Placement) -> Result<Placed, ApplyError> {
        let (placement, ids) = (placement.clone(), [self.id(), self.id(), self.id()]);
        let key = lock_of(&placement.user_id, &placement.key);
        self.transact(key, move |tables, moment| tables.place(moment, &placement, ids)).await
    }

    /// Lets the key of an order that came to nothing be used again; false if it has to stand.
    pub(super) async fn give_key_back(&self, user: &str, key: &str, order: Uuid) -> Result<bool, ApplyError> {
        let name = (user.to_owned(), key.to_owned());
        let change =
            move |tables: &mut Tables, moment: &Moment| Ok(tables.give_key_back(moment, &name, order));
        self.transact(lock_of(user, key), change).await
    }

    /// Gives the saga an input.
    pub(super) async fn apply(&self, order: Uuid, input: Input) -> Result<Applied, ApplyError> {
        let change = move |tables: &mut Tables, moment: &Moment| {
            tables.apply(moment, order, &input, &Cause::default())
        };
        self.transact(order.to_string(), change).await
    }

    /// Hears an event, once.
    pub(super) async fn hear(&self, heard: Heard) -> Result<Hearing, ApplyError> {
        let key = heard.order.to_string();
        self.transact(key, move |tables, moment| tables.hear(moment, &heard)).await
    }

    /// An order as it is now.
    pub(super) async fn read(&self, order: Uuid) -> Result<Option<Order>, ApplyError> {
        Ok(self.statement(|tables, _| tables.orders.get(&order).cloned()).await?)
    }

    /// An operator: everything this order waits for is tried now.
    pub(super) async fn hurry(&self, order: Uuid) -> Result<(), sqlx::Error> {
        self.statement(|tables, moment| tables.hurry(moment, order)).await
    }
}

/// What a placement locks.
fn lock_of(user: &str, key: &str) -> String {
    format!("{user} {key}")
}
