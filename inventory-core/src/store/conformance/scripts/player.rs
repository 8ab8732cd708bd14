//! Runs a script as the writer would, and writes down what the store said.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use super::draw::{Ending, PRODUCTS, Step};
use super::events::EveryFact;
use crate::chance::Chance;
use crate::clock::Timestamp;
use crate::command::Command;
use crate::decide::{Decision, decide};
use crate::ids::{BatchId, OrderId, ProductId};
use crate::outcome::Outcome;
use crate::quantity::Units;
use crate::store::{CommitFailure, Effects, Footprint, Locked, Session, Store, StoreError, StoreErrorKind};

/// When a script begins: long ago, so that every hold of it is over by any store's clock.
const BEGINNING: Timestamp = Timestamp::from_micros(1_600_000_000_000_000);

/// A store being played on.
pub(super) struct Player {
    store: Arc<dyn Store>,
    /// None when it was lost.
    session: Option<Box<dyn Session>>,
    chance: Chance,
    now: Timestamp,
    lines: Vec<String>,
}

/// A batch that was begun and decided.
struct Decided {
    batch: BatchId,
    footprint: Footprint,
    decision: Decision,
}

impl Player {
    pub(super) fn new(store: Arc<dyn Store>, seed: u64) -> Self {
        Self { store, session: None, chance: Chance::new(Some(seed)), now: BEGINNING, lines: Vec::new() }
    }

    pub(super) fn finish(self) -> Vec<String> {
        self.lines
    }

    fn note(&mut self, what: &str, said: &impl Debug) {
        self.lines.push(format!("{what}: {said:?}"));
    }

    pub(super) async fn step(&mut self, step: &Step) -> Result<(), StoreError> {
        self.now = self.now.plus(step.after);
        self.note("STEP", step);
        let is_done = self.batch(step, false).await?;
        if !is_done {
            self.batch(step, true).await?;
        }
        let orders: Vec<OrderId> = step.commands.iter().filter_map(Command::order).collect();
        let mut read = self.store.read(&PRODUCTS.map(ProductId::new), &sorted(orders)).await?;
        read.products.sort_unstable_by_key(|product| product.id);
        read.known_orders.sort_unstable();
        self.note("now there is", &read);
        Ok(())
    }

    /// One try; false if it has to be tried again with every order read.
    async fn batch(&mut self, step: &Step, read_all: bool) -> Result<bool, StoreError> {
        let mut session = match self.session.take() {
            Some(session) => session,
            None => self.store.open_session().await?,
        };
        let footprint = Footprint::of(&step.commands, |_| read_all, false);
        let Some(decided) = self.decide(&mut *session, footprint, &step.commands).await else {
            self.session = Some(session);
            return Ok(true);
        };
        let refuses = |outcome: &Outcome| matches!(outcome, Outcome::Reserve(Err(_)));
        let is_final = read_all || !decided.decision.outcomes.iter().any(refuses);
        if !is_final || decided.decision.effects.is_empty() {
            self.note("nothing to write", &decided.decision.outcomes);
            session.rollback().await?;
            self.session = Some(session);
            return Ok(is_final);
        }
        self.note("outcomes", &decided.decision.outcomes);
        let said = self.end(session, &decided, &step.ending).await?;
        Ok(said != Err(StoreErrorKind::Conflict))
    }

    /// Begins and decides by the script's time; none if the store refused.
    async fn decide(
        &mut self,
        session: &mut dyn Session,
        footprint: Footprint,
        commands: &[Command],
    ) -> Option<Decided> {
        let batch = self.chance.batch_id();
        let locked = match begin(session, batch, &footprint).await {
            Ok(locked) => Locked { now: self.now, ..locked },
            Err(error) => {
                self.note("begin", &error.kind);
                return None;
            }
        };
        self.lines.push(format!("locked: {}", text_of(&locked)));
        let decision = decide(locked, commands, batch, &EveryFact);
        Some(Decided { batch, footprint, decision })
    }

    /// Ends a batch that was decided. The session is put back, unless it is to be lost.
    async fn end(
        &mut self,
        mut session: Box<dyn Session>,
        decided: &Decided,
        ending: &Ending,
    ) -> Result<Result<(), StoreErrorKind>, StoreError> {
        let effects = &decided.decision.effects;
        let said = match ending {
            Ending::Lost => return self.lose(session, decided).await,
            Ending::RolledBack => {
                let said = session.persist(effects).await.map_err(|error| error.kind);
                session.rollback().await?;
                said
            }
            Ending::Spoiled => write(&mut *session, &spoiled(effects)).await,
            Ending::PassedOver(others) => {
                self.pass_over(others).await?;
                write(&mut *session, effects).await
            }
            Ending::WaitedFor(others) => {
                self.wait_for(others).await?;
                write(&mut *session, effects).await
            }
            Ending::Committed | Ending::Resolved | Ending::BegunTwice | Ending::WrittenTwice => {
                write(&mut *session, effects).await
            }
        };
        self.note("written", &said);
        if said.is_ok() {
            self.afterwards(&mut *session, decided, ending).await?;
        }
        self.session = Some(session);
        Ok(said)
    }

    /// Writes, loses the session and asks how the batch ended.
    async fn lose(
        &mut self,
        mut session: Box<dyn Session>,
        decided: &Decided,
    ) -> Result<Result<(), StoreErrorKind>, StoreError> {
        let said = session.persist(&decided.decision.effects).await.map_err(|error| error.kind);
        let backend = session.backend();
        drop(session);
        let resolved = self.store.resolve(decided.batch, backend).await?;
        self.note("written and lost", &(said, resolved));
        Ok(said)
    }

    /// What is done with a batch that was committed.
    async fn afterwards(
        &mut self,
        session: &mut dyn Session,
        decided: &Decided,
        ending: &Ending,
    ) -> Result<(), StoreError> {
        match ending {
            Ending::Resolved => {
                let resolved = self.store.resolve(decided.batch, session.backend()).await?;
                self.note("resolved", &resolved);
            }
            Ending::BegunTwice => {
                let begun = match session.begin(decided.batch, &decided.footprint).await {
                    // A store that has not locked yet says so when it does.
                    Ok(locked) => session.persist(&Effects::none(decided.batch, locked.now)).await,
                    Err(error) => Err(error),
                };
                self.note("begun twice", &begun.map_err(|error| error.kind));
            }
            Ending::WrittenTwice => {
                let batch = self.chance.batch_id();
                session.begin(batch, &decided.footprint).await?;
                // Events are not repeated: whether a store takes an event's id twice is its own affair.
                let mut again = Effects { outbox: Vec::new(), ..decided.decision.effects.clone() };
                again.journal.batch = batch;
                let said = write(session, &again).await;
                self.note("written twice", &said);
            }
            _ => {}
        }
        Ok(())
    }

    /// Another session runs a batch, passing over what is locked.
    async fn pass_over(&mut self, commands: &[Command]) -> Result<(), StoreError> {
        let mut session = self.store.open_session().await?;
        let footprint = Footprint::of(commands, |_| true, true);
        let Some(decided) = self.decide(&mut *session, footprint, commands).await else { return Ok(()) };
        self.note("outcomes of the other", &decided.decision.outcomes);
        if decided.decision.effects.is_empty() {
            return session.rollback().await;
        }
        let said = write(&mut *session, &decided.decision.effects).await;
        self.note("the other committed", &said);
        Ok(())
    }

    /// Another session begins, and waits for what is locked until it may not wait any longer.
    async fn wait_for(&mut self, commands: &[Command]) -> Result<(), StoreError> {
        let mut session = self.store.open_session().await?;
        let batch = self.chance.batch_id();
        let begun = session.begin(batch, &Footprint::of(commands, |_| true, false)).await;
        self.note("the other waits", &begun.as_ref().map(|_| ()).map_err(|error| error.kind));
        if begun.is_ok() { session.rollback().await } else { Ok(()) }
    }
}

/// Begins, and again if reservations were told as they were a moment before: which of them is a store's own affair.
async fn begin(
    session: &mut dyn Session,
    batch: BatchId,
    footprint: &Footprint,
) -> Result<Locked, StoreError> {
    let locked = session.begin(batch, footprint).await?;
    match session.persist(&Effects::none(batch, locked.now)).await {
        Err(error) if error.kind == StoreErrorKind::Conflict => session.begin(batch, footprint).await,
        made_sure => made_sure.map(|()| locked),
    }
}

/// Writes and commits. A store may refuse at either.
async fn write(session: &mut dyn Session, effects: &Effects) -> Result<(), StoreErrorKind> {
    session.persist(effects).await.map_err(|error| error.kind)?;
    session.commit().await.map_err(|failure| match failure {
        CommitFailure::Definite(error) => error.kind,
        CommitFailure::Unknown(_) => StoreErrorKind::Unavailable,
    })
}

/// With more held of the last product than there is. A batch that changes no product is left as it is.
fn spoiled(effects: &Effects) -> Effects {
    let mut spoiled = effects.clone();
    if let Some(last) = spoiled.products.last_mut() {
        last.after.held = last.after.on_hand + Units::stored(1);
    }
    spoiled
}

/// What was locked, in a fixed order and without the time.
fn text_of(locked: &Locked) -> String {
    let products: BTreeMap<_, _> = locked.products.iter().collect();
    let reservations: BTreeMap<_, _> = locked.reservations.iter().collect();
    let adjustments: BTreeMap<_, _> = locked.adjustments.iter().collect();
    let customers: BTreeMap<_, _> = locked.customer_units.iter().collect();
    let delivered = sorted(locked.delivered.iter().collect());
    let skipped = &locked.skipped;
    format!("{products:?} {reservations:?} {adjustments:?} {customers:?} {delivered:?} skipped {skipped:?}")
}

fn sorted<T: Ord>(mut list: Vec<T>) -> Vec<T> {
    list.sort_unstable();
    list.dedup();
    list
}
