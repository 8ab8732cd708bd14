//! What comes after the bad time: everything on its way arrives, everything outstanding is done, everything due falls due.

use order_service::saga::Input;

use super::world::World;

/// Far more rounds than any order needs.
const ROUNDS_MAX: usize = 60;

impl World {
    /// Goes on without faults until nothing moves any more.
    pub(super) fn drain(&mut self) {
        for _ in 0..ROUNDS_MAX {
            if !self.round() {
                return;
            }
        }
        panic!("it never rests: {self:#?}");
    }

    /// Drains, and demands a good end.
    pub(super) fn ends_well(mut self) -> Self {
        self.drain();
        self.assert_agrees();
        self
    }

    /// One thing happens, if anything can. Timers fire last.
    pub(super) fn round(&mut self) -> bool {
        if !self.requests.is_empty() {
            let action = self.requests.remove(0);
            let answer = self.execute(action);
            self.answers.extend(answer);
        } else if !self.answers.is_empty() {
            let answer = self.answers.remove(0);
            self.apply(answer);
        } else if !self.events.is_empty() {
            let event = self.events.remove(0);
            self.apply(event);
        } else if !self.told.is_empty() {
            let told = self.told.remove(0);
            self.consume(told);
        } else if let Some(action) = self.saga.outstanding.first().copied() {
            self.call(action);
        } else {
            self.decide();
            return !self.events.is_empty() || self.fire();
        }
        true
    }

    fn fire(&mut self) -> bool {
        match self.timers.pop() {
            Some(set_at_version) => {
                self.apply(Input::PaymentDeadline { set_at_version });
                true
            }
            None => false,
        }
    }
}
