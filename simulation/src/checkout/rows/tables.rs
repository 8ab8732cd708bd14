//! What the database keeps.

use std::collections::{BTreeMap, BTreeSet};

use event_contracts::orders::VERSION;
use order_service::saga::{Action, Cell, Effect, EventKind, Input, Saga};
use order_service::store::{ApplyError, Cause, Order, event};
use service_kit::events::Incoming;
use uuid::Uuid;

use super::Moment;
use crate::checkout::goals::Goal;
use crate::checkout::mutant::Mutant;

/// A call to make.
#[derive(Clone, Copy, Debug)]
pub(in crate::checkout) struct Call {
    pub(super) attempts: u32,
    /// When it is made, or taken over; in microseconds.
    pub(super) due: i64,
    pub(super) token: Option<Uuid>,
}

/// What a caller's key stands for.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) fingerprint: String,
    pub(super) order: Uuid,
    /// A repeat was answered with the order.
    pub(super) is_told: bool,
}

/// A deadline.
#[derive(Clone, Copy, Debug)]
pub(in crate::checkout) struct Timer {
    pub(super) version: u64,
    pub(super) due: i64,
    pub(super) attempts: u32,
}

/// An event that an order told.
#[derive(Clone, Debug)]
pub(in crate::checkout) struct Told {
    pub(in crate::checkout) order: Uuid,
    pub(in crate::checkout) event: Incoming,
}

/// A step of a saga.
#[derive(Clone, Debug)]
pub(in crate::checkout) struct Stepped {
    pub(in crate::checkout) order: Uuid,
    pub(in crate::checkout) input: Input,
    pub(in crate::checkout) cell: Cell,
    pub(in crate::checkout) before: Saga,
    pub(in crate::checkout) after: Saga,
}

/// Every table.
#[derive(Clone, Debug, Default)]
pub(in crate::checkout) struct Tables {
    pub(in crate::checkout) orders: BTreeMap<Uuid, Order>,
    pub(in crate::checkout) calls: BTreeMap<(Uuid, Action), Call>,
    pub(in crate::checkout) timers: BTreeMap<Uuid, Timer>,
    /// Callers' keys, by user and key.
    pub(super) keys: BTreeMap<(String, String), Key>,
    /// Keys that a 503 gave free.
    pub(super) freed: BTreeSet<(String, String)>,
    pub(super) inbox: BTreeSet<Uuid>,
    pub(super) money: BTreeSet<(Uuid, String)>,
    /// The outbox: everything that was ever told, in the order of the commits.
    pub(in crate::checkout) told: Vec<Told>,
    /// Everything that ever happened to sagas.
    pub(in crate::checkout) steps: Vec<Stepped>,
    /// What became of the last step on a key whose COMMIT had no answer, until somebody looks.
    pub(super) unknown: BTreeMap<String, Goal>,
    /// How often a call was left to the workers.
    pub(super) work: u64,
    /// Orders before their last change, for a mutant.
    pub(super) before: BTreeMap<Uuid, Order>,
}

impl Tables {
    /// How many calls somebody is at.
    pub(in crate::checkout) fn calls_under_way(&self) -> usize {
        self.calls.values().filter(|call| call.token.is_some()).count()
    }

    /// Writes what a step decided. `leased`: the caller makes this call himself, under this token.
    pub(super) fn write(
        &mut self,
        moment: &Moment,
        order: &Order,
        effects: &[Effect],
        cause: &Cause,
        leased: Option<(Action, Uuid)>,
    ) -> Result<(), ApplyError> {
        for effect in effects {
            match effect {
                Effect::Publish(kind) => self.publish(moment, order, kind, cause)?,
                Effect::Start(action) => {
                    let token = leased.and_then(|(leased, token)| (leased == *action).then_some(token));
                    self.start(moment, order.id, *action, token);
                }
                Effect::Finish { action, .. } => drop(self.calls.remove(&(order.id, *action))),
                Effect::StartPaymentTimer => {
                    let after = micros(moment.options.payment_deadline);
                    let timer =
                        Timer { version: order.saga.version, due: moment.micros() + after, attempts: 0 };
                    self.timers.insert(order.id, timer);
                }
                Effect::Alarm(what) => {
                    moment.stage.trace.note("alarm", || format!("{}: {what}", order.id));
                }
            }
        }
        Ok(())
    }

    fn start(&mut self, moment: &Moment, order: Uuid, action: Action, token: Option<Uuid>) {
        let (stage, now) = (&moment.stage, moment.micros());
        if stage.is(Mutant::LostCompensation) && action.is_compensating() && stage.dice().percent(20) {
            return;
        }
        let call = match token {
            Some(_) => Call { attempts: 1, due: now + micros(moment.options.lease), token },
            None => Call { attempts: 0, due: now, token },
        };
        self.work += u64::from(token.is_none());
        self.calls.insert((order, action), call);
    }

    fn publish(
        &mut self,
        moment: &Moment,
        order: &Order,
        kind: &EventKind,
        cause: &Cause,
    ) -> Result<(), ApplyError> {
        let stage = &moment.stage;
        let times = if stage.is(Mutant::RepeatedStep) && stage.dice().percent(10) { 2 } else { 1 };
        for _ in 0..times {
            let row = event(moment.ids.id(), order, kind, cause)?;
            let event = Incoming {
                id: row.id(),
                event_type: row.topic().to_owned(),
                version: VERSION,
                key: order.id.to_string(),
                aggregate_version: order.saga.version,
                traceparent: None,
                payload: row.payload().as_bytes().to_vec(),
            };
            self.told.push(Told { order: order.id, event });
        }
        Ok(())
    }
}

/// A duration as the database counts it.
pub(super) fn micros(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 4)
}
