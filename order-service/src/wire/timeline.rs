//! An order's history, as told.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::order::WireTime;
use crate::store::plan::Plan;
use crate::store::timeline::{Entry, EntryKind, EntryStatus};

/// Everything that happened to an order, oldest first.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Timeline)]
pub struct TimelineBody {
    /// Which.
    pub order_id: Uuid,
    /// What happened.
    pub items: Vec<EntryBody>,
}

/// One thing that happened.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = TimelineEntry)]
pub struct EntryBody {
    /// Rises within the order.
    pub seq: i64,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: WireTime,
    /// The saga's version after it.
    pub version: i64,
    /// `STEP` (a call), `INPUT` (what came in), `EVENT` (what went out) or `ALARM`.
    #[schema(value_type = String)]
    pub kind: EntryKind,
    /// The step's, input's or event's name.
    pub name: String,
    /// Whether it undoes something.
    pub is_compensating: bool,
    /// `STARTED`, `COMPLETED` or `FAILED`.
    #[schema(value_type = String)]
    pub status: EntryStatus,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<String>,
    /// The event that was written, or what led to this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    /// Of events: whether the transport has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivered: Option<bool>,
}

impl From<Entry> for EntryBody {
    fn from(entry: Entry) -> Self {
        Self {
            seq: entry.seq,
            at: WireTime(entry.at),
            version: entry.version,
            kind: entry.kind,
            name: entry.name,
            is_compensating: entry.is_compensating,
            status: entry.status,
            details: entry.details,
            event_id: entry.event_id,
            delivered: entry.is_delivered,
        }
    }
}

/// What would happen next to an order.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Plan)]
pub struct PlanBody {
    /// Which.
    pub order_id: Uuid,
    /// Where its saga stands.
    pub phase: String,
    /// Whether an action keeps failing.
    pub is_stuck: bool,
    /// What would happen if everything answered well from now on.
    pub next: Vec<String>,
    /// Calls that will be made.
    pub actions: Vec<PlannedBody>,
    /// When the time to pay ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub payment_deadline: Option<WireTime>,
}

/// A call that will be made.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PlannedAction)]
pub struct PlannedBody {
    /// Which.
    pub action: String,
    /// Tries so far.
    pub attempts: i64,
    /// When it is tried, or taken over from whoever has it now.
    #[schema(value_type = String, format = DateTime)]
    pub due_at: WireTime,
    /// Whether somebody is at it.
    pub is_leased: bool,
    /// What was last seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
}

impl From<Plan> for PlanBody {
    fn from(plan: Plan) -> Self {
        let planned = |planned: crate::store::plan::Planned| PlannedBody {
            action: planned.action,
            attempts: planned.attempts,
            due_at: WireTime(planned.due_at),
            is_leased: planned.is_leased,
            last_error: planned.last_error,
        };
        Self {
            order_id: plan.order.id,
            phase: crate::store::row::name_of(&plan.order.saga.phase),
            is_stuck: plan.order.saga.is_stuck,
            next: crate::saga::plan(&plan.order.saga),
            actions: plan.actions.into_iter().map(planned).collect(),
            payment_deadline: plan.payment_deadline.map(WireTime),
        }
    }
}
