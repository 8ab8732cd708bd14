//! What is done to an order in one transaction: the guards of order-service's store, in memory.

use std::time::Duration;

use order_service::saga::{self, Action, Cell, Input, Step};
use order_service::store::timers::Due;
use order_service::store::waiting::{STUCK_ATTEMPTS, Waiting};
use order_service::store::{
    Applied, ApplyError, Cause, Claim, Heard, Hearing, Order, Placed, Placement, Retry, Settled,
};
use uuid::Uuid;

use super::Moment;
use super::tables::{Key, Stepped, Tables, micros};
use crate::checkout::goals::Goal;
use crate::checkout::mutant::Mutant;

impl Tables {
    /// Places an order, unless its key stands for one already. `ids`: the order's, the payment's, the lease's.
    pub(super) fn place(
        &mut self,
        moment: &Moment,
        placement: &Placement,
        [id, payment_id, token]: [Uuid; 3],
    ) -> Result<Placed, ApplyError> {
        let key = (placement.user_id.clone(), placement.key.clone());
        if let Some(kept) = self.keys.get_mut(&key).filter(|_| !moment.stage.is(Mutant::UnkeptKey)) {
            moment.stage.reach(Goal::KeyReplayed);
            let is_same = kept.fingerprint == placement.fingerprint;
            kept.is_told |= is_same;
            return Ok(if is_same { Placed::Replayed(kept.order) } else { Placed::Conflict(kept.order) });
        }
        if self.freed.contains(&key) {
            moment.stage.reach(Goal::KeyFreed);
        }
        let fingerprint = placement.fingerprint.clone();
        self.keys.insert(key, Key { fingerprint, order: id, is_told: false });
        let begun = saga::begin(moment.options.mode);
        let is_mine = begun.saga.outstanding.contains(&Action::ReserveInventory);
        let token = is_mine.then_some(token);
        let order = Order {
            id,
            user_id: placement.user_id.clone(),
            items: placement.items.clone(),
            total: placement.total,
            payment_id,
            payment_method: placement.payment_method.clone(),
            traceparent: None,
            saga: begun.saga,
            created_at: moment.now,
            updated_at: moment.now,
        };
        let leased = token.map(|token| (Action::ReserveInventory, token));
        self.write(moment, &order, &begun.effects, &Cause::default(), leased)?;
        moment
            .stage
            .trace
            .note("order", || format!("{id} is placed, to be paid by {}", order.payment_method));
        self.orders.insert(id, order.clone());
        Ok(Placed::New { order: Box::new(order), token })
    }

    /// Tells the saga what came in, and writes what it decides.
    pub(super) fn apply(
        &mut self,
        moment: &Moment,
        id: Uuid,
        input: &Input,
        cause: &Cause,
    ) -> Result<Applied, ApplyError> {
        let order = self.order(moment, id)?;
        let Step { saga, effects, cell, because } = saga::step(&order.saga, input);
        moment.stage.trace.note("order", || {
            let (from, to) = (order.saga.phase, saga.phase);
            format!("{id} {input:?}: {cell:?}, {from:?} to {to:?} at {}", saga.version)
        });
        let changed = saga != order.saga;
        let (before, after) = (order.saga.clone(), saga.clone());
        self.steps.push(Stepped { order: id, input: input.clone(), cell, before, after });
        if !changed && effects.is_empty() {
            return Ok(Applied { order, cell, because, changed });
        }
        let timer_was = order.saga.payment_timer;
        let next = Order { saga, updated_at: moment.now.max(order.updated_at), ..order.clone() };
        if timer_was.is_some() && next.saga.payment_timer != timer_was {
            self.timers.remove(&id);
        }
        self.write(moment, &next, &effects, cause, None)?;
        if moment.stage.is(Mutant::UnlockedOrder) {
            self.before.insert(id, order);
        }
        self.orders.insert(id, next.clone());
        Ok(Applied { order: next, cell, because, changed })
    }

    fn order(&self, moment: &Moment, id: Uuid) -> Result<Order, ApplyError> {
        let stage = &moment.stage;
        if stage.is(Mutant::UnlockedOrder)
            && stage.dice().percent(10)
            && let Some(before) = self.before.get(&id)
        {
            return Ok(before.clone());
        }
        self.orders.get(&id).cloned().ok_or(ApplyError::Unknown(id))
    }

    /// Lets a key be used again, unless somebody was told of the order that it stands for.
    pub(super) fn give_key_back(&mut self, moment: &Moment, name: &(String, String), order: Uuid) -> bool {
        let Some(key) = self.keys.get(name).filter(|key| key.order == order) else { return false };
        if key.is_told && !moment.stage.is(Mutant::TakenBackKey) {
            moment.stage.reach(Goal::KeyKept);
            return false;
        }
        self.keys.remove(name);
        self.freed.insert(name.clone());
        true
    }

    /// An event of another service, once.
    pub(super) fn hear(&mut self, moment: &Moment, heard: &Heard) -> Result<Hearing, ApplyError> {
        let stage = &moment.stage;
        let is_first = self.inbox.insert(heard.id);
        let fact = heard.money.map(|money| (money.payment, heard.event_type.clone()));
        let is_news = fact.is_none_or(|fact| self.money.insert(fact));
        if !is_first || !is_news {
            stage.reach(if is_first { Goal::SameFactAgain } else { Goal::SameEventAgain });
            return Ok(Hearing::Duplicate);
        }
        if stage.is(Mutant::DroppedMoney) && heard.money.is_some() && stage.dice().percent(20) {
            return Ok(Hearing::Duplicate);
        }
        let order = self.orders.get(&heard.order).ok_or(ApplyError::Unknown(heard.order))?;
        if heard.money.is_some_and(|money| money.payment != order.payment_id || money.amount != order.total) {
            return Err(ApplyError::Foreign(format!("this is not the money of order {}", order.id)));
        }
        let cause = Cause { id: Some(heard.id.to_string()), traceparent: None };
        let applied = self.apply(moment, heard.order, &heard.input, &cause)?;
        Ok(Hearing::Applied(Box::new(applied)))
    }

    fn holds_lease(&self, moment: &Moment, claim: &Claim) -> bool {
        let call = self.calls.get(&(claim.order, claim.action));
        let holds = call.is_some_and(|call| call.token == Some(claim.token));
        if !holds && call.is_some() {
            moment.stage.reach(Goal::LeaseLost);
        }
        holds
    }

    /// The answer of a call, under the lease of whoever made it.
    pub(super) fn settle(
        &mut self,
        moment: &Moment,
        claim: &Claim,
        input: &Input,
        again: &Retry,
    ) -> Result<Settled, ApplyError> {
        if !self.holds_lease(moment, claim) {
            return Ok(Settled::LeaseLost);
        }
        let applied = self.apply(moment, claim.order, input, &Cause::default())?;
        if applied.order.saga.outstanding.contains(&claim.action) {
            self.postpone(moment, claim, again.after);
        }
        Ok(Settled::Applied(Box::new(applied)))
    }

    /// A call that failed, under the lease of whoever made it.
    pub(super) fn retry(
        &mut self,
        moment: &Moment,
        claim: &Claim,
        retry: &Retry,
    ) -> Result<Settled, ApplyError> {
        if !self.holds_lease(moment, claim) {
            return Ok(Settled::LeaseLost);
        }
        self.postpone(moment, claim, retry.after);
        let Claim { order, action, attempts, .. } = *claim;
        if !retry.tell {
            let order = self.orders.get(&order).cloned().ok_or(ApplyError::Unknown(order))?;
            let (cell, because) = (Cell::Duplicate, "nothing happened");
            return Ok(Settled::Applied(Box::new(Applied { order, cell, because, changed: false })));
        }
        moment.stage.reach(Goal::ActionFailing);
        let input = Input::ActionFailing { action, attempts, error: retry.error.clone() };
        Ok(Settled::Applied(Box::new(self.apply(moment, order, &input, &Cause::default())?)))
    }

    /// The call is tried later, if this claim still holds it.
    pub(super) fn postpone(&mut self, moment: &Moment, claim: &Claim, after: Duration) {
        let call = self.calls.get_mut(&(claim.order, claim.action));
        if let Some(call) = call.filter(|call| call.token == Some(claim.token)) {
            call.token = None;
            call.due = moment.micros() + micros(after);
        }
    }

    /// Forgets a call that its saga does not know of any more.
    pub(super) fn forget(&mut self, claim: &Claim) {
        let key = (claim.order, claim.action);
        if self.calls.get(&key).is_some_and(|call| call.token == Some(claim.token)) {
            self.calls.remove(&key);
        }
    }

    /// Leases calls that are due.
    pub(super) fn claim(&mut self, moment: &Moment, most: usize) -> Vec<Claim> {
        let (now, token) = (moment.micros(), moment.ids.id());
        let mut due: Vec<_> = self.calls.iter_mut().filter(|(_, call)| call.due <= now).collect();
        due.sort_by_key(|(key, call)| (call.due, **key));
        let claims = due.into_iter().take(most).map(|((order, action), call)| {
            if call.token.is_some() {
                moment.stage.reach(Goal::LeaseTakenOver);
            }
            call.attempts += 1;
            call.token = Some(token);
            call.due = now + micros(moment.options.lease);
            Claim { order: *order, action: *action, attempts: call.attempts, token }
        });
        claims.collect()
    }

    pub(super) fn hurry(&mut self, moment: &Moment, order: Uuid) {
        for (_, call) in self.calls.iter_mut().filter(|((of, _), _)| *of == order) {
            if call.token.take().is_some() {
                moment.stage.reach(Goal::Hurried);
            }
            call.due = moment.micros();
        }
    }

    pub(super) fn due_timers(&self, moment: &Moment, most: usize) -> Vec<Due> {
        let due = self.timers.iter().filter(|(_, timer)| timer.due <= moment.micros());
        let due =
            due.map(|(order, timer)| Due { order: *order, version: timer.version, attempts: timer.attempts });
        due.take(most).collect()
    }

    /// Takes the timer away and tells the saga.
    pub(super) fn fire(&mut self, moment: &Moment, due: &Due) -> Result<Option<Applied>, ApplyError> {
        if self.timers.get(&due.order).is_none_or(|timer| timer.version != due.version) {
            moment.stage.reach(Goal::StaleTimer);
            return Ok(None);
        }
        self.timers.remove(&due.order);
        let input = Input::PaymentDeadline { set_at_version: due.version };
        self.apply(moment, due.order, &input, &Cause::default()).map(Some)
    }

    pub(super) fn postpone_timer(&mut self, moment: &Moment, due: &Due, after: Duration) {
        let timer = self.timers.get_mut(&due.order);
        if let Some(timer) = timer.filter(|timer| timer.version == due.version) {
            timer.attempts += 1;
            timer.due = moment.micros() + micros(after);
        }
    }

    pub(super) fn waiting(&self) -> Waiting {
        let stuck = self.calls.values().filter(|call| i64::from(call.attempts) >= STUCK_ATTEMPTS).count();
        Waiting { calls: self.calls.len() as u64, stuck: stuck as u64, overdue: Duration::ZERO }
    }
}
