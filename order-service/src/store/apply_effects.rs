//! Writing what a step decided: the order's row, the history, the calls to make, the events, the timer.

use chrono::{DateTime, Utc};
use event_contracts::orders::{
    OrderCancelled, OrderConfirmed, OrderCreated, OrderFailed, OrderShipped, VERSION,
};
use event_contracts::topics;
use serde::Serialize;
use service_kit::events::{Outgoing, outbox};
use service_kit::sql::{Sql, Transaction};
use uuid::Uuid;

use super::apply::Cause;
use super::log::{self, Line};
use super::row::name_of;
use super::timeline::{EntryKind, EntryStatus};
use super::{Order, StoreOptions, actions, key, timers};
use crate::inputs;
use crate::saga::{Action, Effect, EventKind, Input};

/// Who writes the events.
pub(crate) const SOURCE: &str = "order-service";

/// What a step's writes have in common.
pub(super) struct Writing<'a> {
    /// What came in; none for a placement.
    pub(super) came: Option<Came<'a>>,
    pub(super) cause: &'a Cause,
    pub(super) at: DateTime<Utc>,
    pub(super) options: &'a StoreOptions,
    /// The caller makes this call itself, under this token.
    pub(super) leased: Option<(Action, Uuid)>,
}

/// What came in, and what the saga said to it.
pub(super) struct Came<'a> {
    pub(super) input: &'a Input,
    pub(super) because: &'static str,
    /// The payment timer before the step.
    pub(super) timer_was: Option<u64>,
}

const UPDATE: Sql = Sql::each(
    "UPDATE orders SET status = $2::order_status, payment_status = $3, reason = $4, tracking_number = $5, saga_phase = $6, \
            saga_version = $7, saga_definition = $8, saga = $9::jsonb, updated_at = timestamptz 'epoch' + $10 * interval '1 microsecond' \
     WHERE order_id = $1::uuid",
    "UPDATE orders SET status = $2, payment_status = $3, reason = $4, tracking_number = $5, saga_phase = $6, \
            saga_version = $7, saga_definition = $8, saga = $9, updated_at = $10 \
     WHERE order_id = $1",
);

/// Writes a step's result. Answers whether there are calls to make, and events to send.
pub(super) async fn write(
    tx: &mut Transaction,
    order: &Order,
    effects: &[Effect],
    writing: &Writing<'_>,
) -> Result<(bool, bool), sqlx::Error> {
    let mut lines = Vec::with_capacity(effects.len() + 1);
    if let Some(came) = &writing.came {
        update(tx, order).await?;
        lines.push(input_line(came, writing.cause));
        // A caller who was told 503 may come again with the same key.
        if matches!(came.input, Input::ReserveGaveUp { .. }) {
            key::free(tx, order.id).await?;
        }
        // Before the effects, which may set another.
        if came.timer_was.is_some() && order.saga.payment_timer != came.timer_was {
            timers::clear(tx, order.id).await?;
        }
    }
    let (mut has_work, mut has_events) = (false, false);
    for effect in effects {
        match effect {
            Effect::Publish(kind) => {
                lines.push(publish(tx, order, kind, writing).await?);
                has_events = true;
            }
            Effect::Start(action) => {
                lines.push(step_line(*action, EntryStatus::Started, Some(key_of(order, *action))));
                let token = writing.leased.and_then(|(leased, token)| (leased == *action).then_some(token));
                actions::start(tx, order.id, *action, token, writing.options.lease).await?;
                has_work |= token.is_none();
            }
            Effect::Finish { action, succeeded, details } => {
                let status = if *succeeded { EntryStatus::Completed } else { EntryStatus::Failed };
                lines.push(step_line(*action, status, details.clone()));
                actions::finish(tx, order.id, *action).await?;
            }
            Effect::StartPaymentTimer => {
                timers::start(tx, order.id, order.saga.version, writing.options.payment_deadline).await?;
            }
            Effect::Alarm(what) => {
                tracing::error!(order = %order.id, %what, "an order needs an operator");
                lines.push(alarm_line(what));
            }
        }
    }
    log::write(tx, order.id, order.saga.version, writing.at, &lines).await?;
    Ok((has_work, has_events))
}

async fn update(tx: &mut Transaction, order: &Order) -> Result<(), sqlx::Error> {
    let saga = &order.saga;
    let text = serde_json::to_string(saga).map_err(|error| sqlx::Error::Encode(error.into()))?;
    sqlx::query(tx.sql(UPDATE))
        .bind(order.id.to_string())
        .bind(name_of(&saga.status))
        .bind(name_of(&saga.payment))
        .bind(saga.reason.as_deref())
        .bind(saga.tracking_number.as_deref())
        .bind(name_of(&saga.phase))
        .bind(i64::try_from(saga.version).unwrap_or(i64::MAX))
        .bind(i64::from(saga.definition))
        .bind(text)
        .bind(order.updated_at.timestamp_micros())
        .execute(tx.connection())
        .await?;
    Ok(())
}

fn input_line(came: &Came<'_>, cause: &Cause) -> Line {
    let (name, details) = inputs::describe(came.input);
    let details = match details {
        Some(details) => format!("{details}; {}", came.because),
        None => came.because.to_owned(),
    };
    Line {
        kind: EntryKind::Input,
        step: name.to_owned(),
        compensating: false,
        status: EntryStatus::Completed,
        details: Some(details),
        event: cause.id.clone(),
    }
}

fn step_line(action: Action, status: EntryStatus, details: Option<String>) -> Line {
    let compensating = action.is_compensating();
    Line { kind: EntryKind::Step, step: action.name().to_owned(), compensating, status, details, event: None }
}

fn alarm_line(what: &str) -> Line {
    Line {
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

async fn publish(
    tx: &mut Transaction,
    order: &Order,
    kind: &EventKind,
    writing: &Writing<'_>,
) -> Result<Line, sqlx::Error> {
    let (order_id, user_id) = (order.id, order.user_id.clone());
    let reason = || order.saga.reason.clone().unwrap_or_else(|| "unknown".to_owned());
    let (topic, id) = match kind {
        EventKind::Created => {
            let payload = OrderCreated {
                order_id,
                user_id,
                items: order.items.clone(),
                total_amount: order.total,
                payment_id: order.payment_id,
                payment_method: order.payment_method.clone(),
            };
            send(tx, order, topics::ORDER_CREATED, payload, writing).await?
        }
        EventKind::Confirmed => {
            let payload = OrderConfirmed {
                order_id,
                user_id,
                items: order.stock_items(),
                total_amount: order.total,
                payment_id: order.payment_id,
            };
            send(tx, order, topics::ORDER_CONFIRMED, payload, writing).await?
        }
        EventKind::Failed => {
            let payload = OrderFailed { order_id, user_id, reason: reason() };
            send(tx, order, topics::ORDER_FAILED, payload, writing).await?
        }
        EventKind::Cancelled => {
            let payload = OrderCancelled { order_id, user_id, reason: reason() };
            send(tx, order, topics::ORDER_CANCELLED, payload, writing).await?
        }
        EventKind::Shipped { tracking_number } => {
            let payload = OrderShipped { order_id, user_id, tracking_number: tracking_number.clone() };
            send(tx, order, topics::ORDER_SHIPPED, payload, writing).await?
        }
    };
    Ok(Line {
        kind: EntryKind::Event,
        step: topic.to_owned(),
        compensating: false,
        status: EntryStatus::Completed,
        details: None,
        event: Some(id.to_string()),
    })
}

async fn send<P: Serialize>(
    tx: &mut Transaction,
    order: &Order,
    topic: &'static str,
    payload: P,
    writing: &Writing<'_>,
) -> Result<(&'static str, Uuid), sqlx::Error> {
    let event = Outgoing {
        id: Uuid::now_v7(),
        topic,
        version: VERSION,
        at: writing.at,
        source: SOURCE,
        aggregate_type: "order",
        aggregate_id: order.id.to_string(),
        aggregate_version: order.saga.version,
        correlation_id: order.id.to_string(),
        causation_id: writing.cause.id.clone(),
        traceparent: writing.cause.traceparent.clone().or_else(|| order.traceparent.clone()),
        payload,
    };
    outbox::write(tx, &event).await?;
    Ok((topic, event.id))
}
