//! How a step is put together: a copy of the saga, and what follows from each change to it.

use super::{Action, Cell, Effect, EventKind, OrderStatus, PaymentStatus, Phase, Saga, Step, StockStatus};

/// A step in the making.
pub(super) struct Change<'a> {
    before: &'a Saga,
    pub(super) next: Saga,
    effects: Vec<Effect>,
}

impl<'a> Change<'a> {
    /// Nothing changed yet.
    pub(super) fn of(before: &'a Saga) -> Self {
        Self { before, next: before.clone(), effects: Vec::new() }
    }

    /// The action begins, unless it is under way.
    pub(super) fn start(mut self, action: Action) -> Self {
        if self.next.outstanding.insert(action) {
            self.effects.push(Effect::Start(action));
        }
        self
    }

    /// The action did what it was for, if it was under way.
    pub(super) fn done(self, action: Action) -> Self {
        self.finish(action, true, None)
    }

    /// The action did not do what it was for, or is no longer wanted, if it was under way.
    pub(super) fn dropped(self, action: Action, details: &str) -> Self {
        self.finish(action, false, Some(details))
    }

    /// The action is over, if it was under way.
    pub(super) fn finish(mut self, action: Action, succeeded: bool, details: Option<&str>) -> Self {
        if self.next.outstanding.remove(&action) {
            self.effects.push(Effect::Finish { action, succeeded, details: details.map(str::to_owned) });
        }
        self
    }

    /// Others are told.
    pub(super) fn publish(mut self, kind: EventKind) -> Self {
        self.effects.push(Effect::Publish(kind));
        self
    }

    /// An operator should look.
    pub(super) fn alarm(mut self, words: String) -> Self {
        self.effects.push(Effect::Alarm(words));
        self
    }

    /// The time to pay begins.
    pub(super) fn start_timer(mut self) -> Self {
        self.next.payment_timer = Some(self.before.version + 1);
        self.effects.push(Effect::StartPaymentTimer);
        self
    }

    /// No deadline runs any more.
    pub(super) fn stop_timer(mut self) -> Self {
        self.next.payment_timer = None;
        self
    }

    /// Where the order is now.
    pub(super) fn phase(mut self, phase: Phase, status: OrderStatus) -> Self {
        self.next.phase = phase;
        self.next.status = status;
        self
    }

    /// What is known about the stock now.
    pub(super) fn stock(mut self, stock: StockStatus) -> Self {
        self.next.stock = stock;
        self
    }

    /// What is known about the money now.
    pub(super) fn payment(mut self, payment: PaymentStatus) -> Self {
        self.next.payment = payment;
        self
    }

    /// Whether nothing changed so far.
    pub(super) fn is_unchanged(&self) -> bool {
        self.next == *self.before
    }

    /// The step.
    pub(super) fn end(mut self, cell: Cell, because: &'static str) -> Step {
        self.settle_phase();
        let is_old_work_left = self.next.outstanding.iter().any(|it| self.before.outstanding.contains(it));
        self.next.is_stuck &= is_old_work_left;
        if self.next != *self.before {
            self.next.version = self.before.version + 1;
        }
        self.effects.sort_by_key(rank);
        Step { saga: self.next, effects: self.effects, cell, because }
    }

    /// Undoing is over when nothing is outstanding, and only then.
    fn settle_phase(&mut self) {
        match self.next.phase {
            Phase::Compensating | Phase::Ended => {
                let is_over = self.next.outstanding.is_empty();
                self.next.phase = if is_over { Phase::Ended } else { Phase::Compensating };
            }
            Phase::Reserving
            | Phase::Paying
            | Phase::Committing
            | Phase::Confirmed
            | Phase::Shipped
            | Phase::Delivered => {}
        }
    }
}

/// What is over is logged before what begins.
fn rank(effect: &Effect) -> u8 {
    match effect {
        Effect::Finish { .. } => 0,
        Effect::Publish(_) => 1,
        Effect::Start(_) => 2,
        Effect::StartPaymentTimer => 3,
        Effect::Alarm(_) => 4,
    }
}

/// Nothing changes: it was known, or no longer matters.
pub(super) fn duplicate(saga: &Saga, because: &'static str) -> Step {
    Change::of(saga).end(Cell::Duplicate, because)
}

/// Nothing changes: what is outstanding decides.
pub(super) fn defer(saga: &Saga, because: &'static str) -> Step {
    Change::of(saga).end(Cell::Defer, because)
}

/// Nothing changes: the wish is not allowed now.
pub(super) fn refuse(saga: &Saga, because: &'static str) -> Step {
    Change::of(saga).end(Cell::Refuse, because)
}

/// Nothing changes, and an operator should look.
pub(super) fn alarm(saga: &Saga, because: &'static str) -> Step {
    Change::of(saga).alarm(because.to_owned()).end(Cell::Alarm, because)
}

/// An action keeps failing: stuck if it is one of ours.
pub(super) fn failing(saga: &Saga, action: Action, attempts: u32, error: &str) -> Step {
    if !saga.outstanding.contains(&action) {
        return duplicate(saga, "the action is no longer wanted");
    }
    let mut change = Change::of(saga);
    change.next.is_stuck = true;
    let words = format!("{} failed {attempts} times and is still tried: {error}", action.name());
    change.alarm(words).end(Cell::Alarm, "an action keeps failing; it is still tried")
}
