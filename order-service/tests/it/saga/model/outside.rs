//! Inventory and the provider, for one order of one unit. Inventory is the fake of the other tests; chance is an argument.

use order_service::saga::Action;

use super::said::Fact;
use super::state::State;
use crate::saga::fakes::Hold;
use crate::saga::world::Told;

/// The payment's state at the provider. The payment's id is the key, so it charges once at most.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Money {
    Unknown,
    Pending,
    Declined,
    Charged,
    Refunding,
    Refunded,
}

impl State {
    /// A call reaches the other side. No answer if there is none that the saga could hear.
    pub(super) fn execute(&mut self, call: Action, is_free: bool) -> Option<Fact> {
        let before = self.stock.hold;
        self.stock.is_available = is_free;
        let answer = match call {
            Action::ReserveInventory => Some(self.stock.reserve()),
            Action::CommitInventory => Some(self.stock.commit()),
            Action::ReleaseInventory => Some(self.stock.release()),
            Action::RestockInventory => Some(self.stock.restock()),
            Action::ProcessPayment | Action::AskPayment | Action::RefundPayment => None,
        };
        self.stock.is_available = false;
        self.announce(before);
        match call {
            Action::ProcessPayment => {
                self.process();
                Some(self.ask())
            }
            Action::AskPayment => Some(self.ask()),
            Action::RefundPayment => self.refund(),
            Action::ReserveInventory
            | Action::CommitInventory
            | Action::ReleaseInventory
            | Action::RestockInventory => answer.map(|input| Fact::of(&input)),
        }
    }

    /// Another service consumes what the order told.
    pub(super) fn consume(&mut self, told: Told, is_free: bool) {
        match told {
            Told::CreatedToInventory if is_free => {
                self.execute(Action::ReserveInventory, true);
            }
            // Refused, so a tombstone is left; also if another delivery of the same event was luckier meanwhile.
            Told::CreatedToInventory if matches!(self.stock.hold, Hold::Unknown | Hold::Held) => {
                self.execute(Action::ReleaseInventory, false);
            }
            Told::CreatedToInventory => {}
            Told::CreatedToPayment => self.process(),
            Told::ConfirmedToInventory => {
                self.execute(Action::CommitInventory, is_free);
            }
            Told::EndedToInventory => {
                self.execute(Action::ReleaseInventory, false);
            }
        }
    }

    /// The hold runs out.
    pub(super) fn expire(&mut self) {
        self.stock.hold = Hold::Expired;
        self.tell(Fact::ReservationExpired);
    }

    /// What inventory tells of a change.
    fn announce(&mut self, before: Hold) {
        let after = self.stock.hold;
        let is_unled = self.is_unled;
        match (before, after) {
            (before, after) if before == after => {}
            (Hold::Unknown, Hold::Held) if is_unled => self.tell(Fact::Reserved),
            (Hold::Unknown, Hold::Released) if is_unled => self.tell(Fact::ReserveRefused),
            (_, Hold::Committed) if is_unled => self.tell(Fact::StockCommitted),
            (_, Hold::Lost) => self.tell(Fact::CommitLost),
            _ => {}
        }
    }

    /// An event for the order: it must be heard, and may be heard again.
    pub(super) fn tell(&mut self, fact: Fact) {
        self.said.insert(fact);
        self.owed.insert(fact);
    }

    fn process(&mut self) {
        if self.money == Money::Unknown {
            self.money = Money::Pending;
        }
    }

    fn ask(&self) -> Fact {
        match self.money {
            Money::Unknown => Fact::PaymentUnknown,
            Money::Pending => Fact::PaymentAccepted,
            Money::Declined => Fact::PaymentDeclined,
            // Until a refund is done, the provider has the money.
            Money::Charged | Money::Refunding => Fact::PaymentSucceeded,
            Money::Refunded => Fact::PaymentRefunded,
        }
    }

    fn refund(&mut self) -> Option<Fact> {
        match self.money {
            // An unknown or failed payment is not refunded: an error, and the call is tried again.
            Money::Unknown | Money::Declined => None,
            Money::Pending | Money::Refunding | Money::Refunded => Some(self.ask()),
            Money::Charged => {
                self.money = Money::Refunding;
                Some(self.ask())
            }
        }
    }

    /// The provider has the money.
    pub(super) fn approve(&mut self) {
        self.money = Money::Charged;
        self.tell(Fact::PaymentSucceeded);
    }

    /// The provider says no.
    pub(super) fn decline(&mut self) {
        self.money = Money::Declined;
        self.tell(Fact::PaymentDeclined);
    }

    /// The money is back; a provider may keep silent about it.
    pub(super) fn refunded(&mut self, is_told: bool) {
        self.money = Money::Refunded;
        if is_told {
            self.tell(Fact::PaymentRefunded);
        }
    }

    /// An operator does by hand what an action was for. None if that cannot be done.
    pub(super) fn by_hand(mut self, action: Action) -> Option<Self> {
        let is_done = match action {
            Action::ReserveInventory => self.execute(action, true) == Some(Fact::Reserved),
            Action::CommitInventory => self.execute(action, true) == Some(Fact::StockCommitted),
            Action::ReleaseInventory => self.execute(action, false) == Some(Fact::StockReleased),
            Action::RestockInventory => self.execute(action, false) == Some(Fact::Restocked),
            Action::ProcessPayment => self.execute(action, false).is_some(),
            // Nobody waits for an answer any more.
            Action::AskPayment => true,
            Action::RefundPayment => {
                let has_money = matches!(self.money, Money::Charged | Money::Refunding | Money::Refunded);
                if has_money {
                    self.refunded(true);
                }
                has_money
            }
        };
        is_done.then_some(self)
    }
}
