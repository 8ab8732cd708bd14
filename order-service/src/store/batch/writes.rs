//! What a batch writes: rows by table, each table by one statement.

use service_kit::events::outbox;
use service_kit::sql::Transaction;
use uuid::Uuid;

use crate::store::actions::{Finished, Postponed, Started};
use crate::store::log::Line;
use crate::store::row::{ItemRow, OrderRow};
use crate::store::timers::TimerSet;
use crate::store::{actions, log, row, timers};

/// What a batch writes. Rows of one order come from one change.
#[derive(Default)]
pub(in crate::store) struct Writes {
    pub(in crate::store) placed: Vec<OrderRow>,
    pub(in crate::store) items: Vec<ItemRow>,
    pub(in crate::store) changed: Vec<OrderRow>,
    pub(in crate::store) lines: Vec<Line>,
    pub(in crate::store) events: Vec<outbox::Row>,
    started: Vec<Started>,
    finished: Vec<Finished>,
    pub(in crate::store) postponed: Vec<Postponed>,
    set: Vec<TimerSet>,
    cleared: Vec<Uuid>,
    pub(in crate::store) alarms: Vec<(Uuid, String)>,
}

impl Writes {
    /// Stores an intent; whatever was said about the same call before counts no longer.
    pub(in crate::store) fn start(&mut self, started: Started) {
        self.finished.retain(|finished| finished.call != started.call);
        self.started.retain(|other| other.call != started.call);
        self.started.push(started);
    }

    /// Forgets an intent; whatever was said about the same call before counts no longer.
    pub(in crate::store) fn finish(&mut self, finished: Finished) {
        self.started.retain(|started| started.call != finished.call);
        self.finished.push(finished);
    }

    /// Sets an order's timer, in place of the one that it had.
    pub(in crate::store) fn set_timer(&mut self, timer: TimerSet) {
        self.cleared.retain(|order| *order != timer.order);
        self.set.push(timer);
    }

    /// Takes an order's timer away.
    pub(in crate::store) fn clear_timer(&mut self, order: Uuid) {
        self.cleared.push(order);
    }

    /// Whether it leaves calls for a worker.
    pub(in crate::store) fn has_work(&self) -> bool {
        self.started.iter().any(|started| started.token.is_none())
    }

    pub(super) fn append(&mut self, other: Self) {
        self.placed.extend(other.placed);
        self.items.extend(other.items);
        self.changed.extend(other.changed);
        self.lines.extend(other.lines);
        self.events.extend(other.events);
        self.started.extend(other.started);
        self.finished.extend(other.finished);
        self.postponed.extend(other.postponed);
        self.set.extend(other.set);
        self.cleared.extend(other.cleared);
        self.alarms.extend(other.alarms);
    }

    /// Writes everything. Orders first: the rest refers to them.
    pub(super) async fn write(&self, tx: &mut Transaction) -> Result<(), sqlx::Error> {
        row::insert(tx, &self.placed, &self.items).await?;
        row::update(tx, &self.changed).await?;
        log::write(tx, &self.lines).await?;
        outbox::write_all(tx, &self.events).await?;
        actions::finish(tx, &self.finished).await?;
        actions::start(tx, &self.started).await?;
        actions::postpone(tx, &self.postponed).await?;
        timers::clear(tx, &self.cleared).await?;
        timers::set(tx, &self.set).await
    }
}
