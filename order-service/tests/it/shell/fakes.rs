//! Inventory and a payment provider that keep their word by default, and can be told not to.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use order_service::store::Order;
use order_service::worker::{
    CommitAnswer, Inventory, NoAnswer, PaymentState, Payments, Refusal, ReleaseAnswer, ReserveAnswer,
};
use tokio::sync::Notify;
use uuid::Uuid;

/// What becomes of a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Act {
    /// As it should be.
    Well,
    /// No answer, and nothing was done.
    Fail,
    /// No answer, and it was done.
    DoAndFail,
    /// It is done at once, and answers when the test opens the gate.
    DoAndWait,
    /// It answers what is, and does nothing.
    Unchanged,
    /// It is not done before the test opens the gate.
    Wait,
    /// No answer when the test opens the gate, and nothing was done.
    WaitAndFail,
}

/// A script: what becomes of the next calls of each name; afterwards they go as the default says.
#[derive(Default)]
struct Script {
    next: HashMap<&'static str, VecDeque<Act>>,
    always: HashMap<&'static str, Act>,
    seen: Vec<(&'static str, Uuid)>,
}

/// What both fakes have in common.
#[derive(Default)]
pub(crate) struct Stage {
    script: Mutex<Script>,
    /// Opened once per waiting call.
    pub(crate) gate: Notify,
    /// Rung by each call that arrives.
    pub(crate) arrived: Notify,
}

impl Stage {
    fn lock(&self) -> std::sync::MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn next(&self, call: &'static str, acts: impl IntoIterator<Item = Act>) {
        self.lock().next.entry(call).or_default().extend(acts);
    }

    pub(crate) fn always(&self, call: &'static str, act: Act) {
        self.lock().always.insert(call, act);
    }

    /// How often this was called for this order.
    pub(crate) fn calls(&self, call: &str, order: Uuid) -> usize {
        self.lock().seen.iter().filter(|(name, of)| *name == call && *of == order).count()
    }

    async fn play<T>(
        &self,
        call: &'static str,
        order: Uuid,
        effect: impl FnOnce() -> T + Send,
    ) -> Result<T, NoAnswer> {
        let act = {
            let mut script = self.lock();
            script.seen.push((call, order));
            let next = script.next.get_mut(call).and_then(VecDeque::pop_front);
            next.or_else(|| script.always.get(call).copied()).unwrap_or(Act::Well)
        };
        self.arrived.notify_one();
        match act {
            Act::Well | Act::Unchanged => Ok(effect()),
            Act::Fail => Err(NoAnswer::new("the test says no")),
            Act::DoAndFail => {
                effect();
                Err(NoAnswer::new("the test lost the answer"))
            }
            Act::DoAndWait => {
                let answer = effect();
                self.gate.notified().await;
                Ok(answer)
            }
            Act::Wait => {
                self.gate.notified().await;
                Ok(effect())
            }
            Act::WaitAndFail => {
                self.gate.notified().await;
                Err(NoAnswer::new("the test says no, late"))
            }
        }
    }
}

/// What is held for an order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Hold {
    Held,
    Committed,
    Released,
    Restocked,
    Lost,
}

#[derive(Default)]
pub(crate) struct FakeInventory {
    pub(crate) stage: Stage,
    holds: Mutex<HashMap<Uuid, Hold>>,
    /// Products that are sold out.
    pub(crate) short: Mutex<Vec<i64>>,
}

impl FakeInventory {
    fn holds(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, Hold>> {
        self.holds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn hold(&self, order: Uuid) -> Option<Hold> {
        self.holds().get(&order).copied()
    }

    /// As another would ask for it.
    pub(crate) fn reserve_now(&self, order: &Order) {
        self.holds().insert(order.id, Hold::Held);
    }

    /// The hold ran out and the stock went to others.
    pub(crate) fn lose(&self, order: Uuid) {
        self.holds().insert(order, Hold::Lost);
    }
}

#[async_trait]
impl Inventory for FakeInventory {
    async fn reserve(&self, order: &Order) -> Result<ReserveAnswer, NoAnswer> {
        let refuse = |code: &str| {
            let members = serde_json::json!({"items": [{"productId": 1}]});
            let members = members.as_object().cloned().unwrap_or_default();
            ReserveAnswer::Refused(Refusal {
                code: code.to_owned(),
                detail: "The test says so.".to_owned(),
                members,
            })
        };
        let effect = || {
            let short = self.short.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let mut holds = self.holds();
            match holds.get(&order.id) {
                Some(Hold::Held | Hold::Committed) => ReserveAnswer::Held,
                Some(Hold::Released) => refuse("already_released"),
                Some(Hold::Lost | Hold::Restocked) => refuse("reservation_expired"),
                None if order.items.iter().any(|item| short.contains(&item.product_id)) => {
                    refuse("insufficient_stock")
                }
                None => {
                    holds.insert(order.id, Hold::Held);
                    ReserveAnswer::Held
                }
            }
        };
        self.stage.play("reserve", order.id, effect).await
    }

    async fn commit(&self, order: &Order) -> Result<CommitAnswer, NoAnswer> {
        let effect = || {
            let mut holds = self.holds();
            match holds.get(&order.id) {
                Some(Hold::Held | Hold::Committed) => {
                    holds.insert(order.id, Hold::Committed);
                    CommitAnswer::Committed
                }
                Some(Hold::Released | Hold::Lost | Hold::Restocked) | None => CommitAnswer::Lost,
            }
        };
        self.stage.play("commit", order.id, effect).await
    }

    async fn release(&self, order: &Order) -> Result<ReleaseAnswer, NoAnswer> {
        let effect = || {
            let mut holds = self.holds();
            match holds.get(&order.id) {
                Some(Hold::Committed | Hold::Restocked) => ReleaseAnswer::Committed,
                Some(Hold::Lost) => ReleaseAnswer::Released,
                Some(Hold::Held | Hold::Released) | None => {
                    holds.insert(order.id, Hold::Released);
                    ReleaseAnswer::Released
                }
            }
        };
        self.stage.play("release", order.id, effect).await
    }

    async fn restock(&self, order: &Order) -> Result<(), NoAnswer> {
        let effect = || {
            self.holds().insert(order.id, Hold::Restocked);
        };
        self.stage.play("restock", order.id, effect).await
    }
}

#[derive(Default)]
pub(crate) struct FakePayments {
    pub(crate) stage: Stage,
    payments: Mutex<HashMap<Uuid, PaymentState>>,
}

impl FakePayments {
    fn payments(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, PaymentState>> {
        self.payments.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set(&self, payment: Uuid, state: PaymentState) {
        self.payments().insert(payment, state);
    }

    pub(crate) fn state(&self, payment: Uuid) -> PaymentState {
        self.payments().get(&payment).cloned().unwrap_or(PaymentState::Unknown)
    }
}

#[async_trait]
impl Payments for FakePayments {
    async fn process(&self, order: &Order) -> Result<PaymentState, NoAnswer> {
        let effect = || {
            self.payments().entry(order.payment_id).or_insert(PaymentState::Pending);
            PaymentState::Pending
        };
        self.stage.play("process", order.id, effect).await
    }

    async fn ask(&self, order: &Order) -> Result<PaymentState, NoAnswer> {
        self.stage.play("ask", order.id, || self.state(order.payment_id)).await
    }

    async fn refund(&self, order: &Order) -> Result<PaymentState, NoAnswer> {
        let is_idle = self.stage.lock().always.get("refund") == Some(&Act::Unchanged);
        let effect = || {
            if !is_idle {
                self.set(order.payment_id, PaymentState::Refunded);
            }
            self.state(order.payment_id)
        };
        self.stage.play("refund", order.id, effect).await
    }
}
