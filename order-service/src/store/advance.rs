//! One step of an order's saga, from what is locked to what is written: the order's row, the history, the calls to make, the events,
//! the timer. Nothing here asks or tells the database anything.

use chrono::{DateTime, Utc};
use event_contracts::orders::{
    OrderCancelled, OrderConfirmed, OrderCreated, OrderFailed, OrderShipped, VERSION,
};
use event_contracts::topics;
use serde::Serialize;
use service_kit::events::{Outgoing, outbox};
use uuid::Uuid;

use super::actions::{Call, Finished, Started};
use super::apply::{Applied, ApplyError, Cause};
use super::batch::Writes;
use super::log::Line;
use super::row::{ItemRow, OrderRow, RowError};
use super::timeline::{EntryKind, EntryStatus};
use super::timers::TimerSet;
use super::{Order, StoreOptions, micros};
use crate::inputs;
use crate::saga::{Action, Cell, Effect, EventKind, Input, Step, step};

/// Who writes the events.
pub(crate) const SOURCE: &str = "order-service";

/// Tells the saga what came in, and says everything that is to be written for it.
pub(super) fn advance(
    (order, now): (&Order, DateTime<Utc>),
    input: &Input,
    cause: &Cause,
    options: &StoreOptions,
    writes: &mut Writes,
) -> Result<Applied, ApplyError> {
    let decided = step(&order.saga, input);
    let is_changed = decided.saga != order.saga;
    if decided.cell == Cell::Newer {
        let definition = i64::from(order.saga.definition);
        return Err(RowError::Newer { order: order.id, definition }.into());
    }
    let timer_was = order.saga.payment_timer;
    let mut order = order.clone();
    let Step { saga, cell, because, effects } = decided;
    if is_changed || !effects.is_empty() {
        order.saga = saga;
        order.updated_at = now;
        let mut writing = Writing { order: &order, cause, options, leased: None, writes };
        writing.line(input_line(input, because, cause));
        // Before the effects, which may set another.
        if timer_was.is_some() && order.saga.payment_timer != timer_was {
            writing.writes.clear_timer(order.id);
        }
        writing.effects(&effects)?;
        writes.changed.push(OrderRow::new(&order)?);
    }
    Ok(Applied { order, cell, because, changed: is_changed })
}

/// Says everything that is to be written for an order that is new. `token` leases its reserve to the caller.
pub(super) fn begin(
    order: &Order,
    begun: &Step,
    cause: &Cause,
    options: &StoreOptions,
    token: Option<Uuid>,
    writes: &mut Writes,
) -> Result<(), ApplyError> {
    writes.placed.push(OrderRow::new(order)?);
    writes.items.extend(ItemRow::all(order));
    let leased = token.map(|token| (Action::ReserveInventory, token));
    Writing { order, cause, options, leased, writes }.effects(&begun.effects)
}

/// What a step writes, and why.
struct Writing<'a> {
    /// As it is after the step.
    order: &'a Order,
    cause: &'a Cause,
    options: &'a StoreOptions,
    /// The caller makes this call itself, under this token.
    leased: Option<(Action, Uuid)>,
    writes: &'a mut Writes,
}

/// A line of the history, before it is known whose.
struct Entry {
    kind: EntryKind,
    step: String,
    compensating: bool,
    status: EntryStatus,
    details: Option<String>,
    event: Option<String>,
}

impl Writing<'_> {
    fn line(&mut self, entry: Entry) {
        let Entry { kind, step, compensating, status, details, event } = entry;
        let (order, version, at) = (self.order.id, self.order.saga.version, self.at().timestamp_micros());
        self.writes.lines.push(Line { order, version, at, kind, step, compensating, status, details, event });
    }

    fn at(&self) -> DateTime<Utc> {
        self.order.updated_at
    }

    fn effects(&mut self, effects: &[Effect]) -> Result<(), ApplyError> {
        let order = self.order;
        for effect in effects {
            match effect {
                Effect::Publish(kind) => {
                    let event = event(Uuid::now_v7(), order, kind, self.cause)?;
                    self.line(event_line(&event));
                    self.writes.events.push(event);
                }
                Effect::Start(action) => {
                    self.line(step_line(*action, EntryStatus::Started, Some(key_of(order, *action))));
                    let token = self.leased.and_then(|(leased, token)| (leased == *action).then_some(token));
                    self.writes.start(Started::new(order.id, *action, token, self.options.lease));
                }
                Effect::Finish { action, succeeded, details } => {
                    let status = if *succeeded { EntryStatus::Completed } else { EntryStatus::Failed };
                    self.line(step_line(*action, status, details.clone()));
                    self.writes.finish(Finished { call: Call { order: order.id, action: *action } });
                }
                Effect::StartPaymentTimer => {
                    let after = micros(self.options.payment_deadline);
                    let (order, version) = (order.id, order.saga.version);
                    self.writes.set_timer(TimerSet { order, version, after });
                }
                Effect::Alarm(what) => {
                    self.line(alarm_line(what));
                    self.writes.alarms.push((order.id, what.clone()));
                }
            }
        }
        Ok(())
    }
}

fn input_line(input: &Input, because: &str, cause: &Cause) -> Entry {
    let (name, details) = inputs::describe(input);
    let details = match details {
        Some(details) => format!("{details}; {because}"),
        None => because.to_owned(),
    };
    Entry {
        kind: EntryKind::Input,
        step: name.to_owned(),
        compensating: false,
        status: EntryStatus::Completed,
        details: Some(details),
        event: cause.id.clone(),
    }
}

fn step_line(action: Action, status: EntryStatus, details: Option<String>) -> Entry {
    let compensating = action.is_compensating();
    Entry {
        kind: EntryKind::Step,
        step: action.name().to_owned(),
        compensating,
        status,
        details,
        event: None,
    }
}

fn alarm_line(what: &str) -> Entry {
    Entry {
        kind: EntryKind::Alarm,
        step: "ALARM".to_owned(),
        compensating: false,
        status: EntryStatus::Failed,
        details: Some(what.to_owned()),
        event: None,
    }
}

/// The key under which a call may be repeated; in the history before the call is made.
fn key_of(order: &Order, action: Action) -> String {
    match action {
        Action::ReserveInventory | Action::CommitInventory | Action::ReleaseInventory => {
            format!("key {}", order.id)
        }
        Action::RestockInventory => format!("key restock:{}:<product>", order.id),
        Action::ProcessPayment | Action::AskPayment | Action::RefundPayment => {
            format!("key {}", order.payment_id)
        }
    }
}

fn event_line(event: &outbox::Row) -> Entry {
    Entry {
        kind: EntryKind::Event,
        step: event.topic().to_owned(),
        compensating: false,
        status: EntryStatus::Completed,
        details: None,
        event: Some(event.id().to_string()),
    }
}

/// What an order tells, as it is published, under this id.
///
/// # Errors
/// It could not be written as JSON; for plain data that does not happen.
pub fn event(id: Uuid, order: &Order, kind: &EventKind, cause: &Cause) -> Result<outbox::Row, ApplyError> {
    let (order_id, user_id) = (order.id, order.user_id.clone());
    let reason = || order.saga.reason.clone().unwrap_or_else(|| "unknown".to_owned());
    match kind {
        EventKind::Created => {
            let payload = OrderCreated {
                order_id,
                user_id,
                items: order.items.clone(),
                total_amount: order.total,
                payment_id: order.payment_id,
                payment_method: order.payment_method.clone(),
            };
            outgoing(id, order, topics::ORDER_CREATED, payload, cause)
        }
        EventKind::Confirmed => {
            let payload = OrderConfirmed {
                order_id,
                user_id,
                items: order.stock_items(),
                total_amount: order.total,
                payment_id: order.payment_id,
            };
            outgoing(id, order, topics::ORDER_CONFIRMED, payload, cause)
        }
        EventKind::Failed => {
            let payload = OrderFailed { order_id, user_id, reason: reason() };
            outgoing(id, order, topics::ORDER_FAILED, payload, cause)
        }
        EventKind::Cancelled => {
            let payload = OrderCancelled { order_id, user_id, reason: reason() };
            outgoing(id, order, topics::ORDER_CANCELLED, payload, cause)
        }
        EventKind::Shipped { tracking_number } => {
            let payload = OrderShipped { order_id, user_id, tracking_number: tracking_number.clone() };
            outgoing(id, order, topics::ORDER_SHIPPED, payload, cause)
        }
    }
}

fn outgoing<P: Serialize>(
    id: Uuid,
    order: &Order,
    topic: &'static str,
    payload: P,
    cause: &Cause,
) -> Result<outbox::Row, ApplyError> {
    let event = Outgoing {
        id,
        topic,
        version: VERSION,
        at: order.updated_at,
        source: SOURCE,
        aggregate_type: "order",
        aggregate_id: order.id.to_string(),
        aggregate_version: order.saga.version,
        correlation_id: order.id.to_string(),
        causation_id: cause.id.clone(),
        traceparent: cause.traceparent.clone().or_else(|| order.traceparent.clone()),
        payload,
    };
    Ok(outbox::Row::try_from(&event)?)
}
