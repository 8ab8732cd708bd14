//! Inventory and the provider as they answer by contract, for one order of one unit.

use order_service::saga::Input;

/// The order's state in inventory.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Hold {
    Unknown,
    Held,
    Committed,
    Released,
    Expired,
    Lost,
}

/// Inventory, as the table in the contract has it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Inventory {
    pub(super) hold: Hold,
    /// Whether a unit is there for a reserve, or for a late commit.
    pub(super) is_available: bool,
    pub(super) restocks: u32,
}

impl Inventory {
    pub(super) fn reserve(&mut self) -> Input {
        match self.hold {
            Hold::Unknown if self.is_available => {
                self.hold = Hold::Held;
                Input::Reserved
            }
            Hold::Unknown => refused("insufficient_stock"),
            Hold::Held | Hold::Committed => Input::Reserved,
            Hold::Released => refused("already_released"),
            Hold::Expired | Hold::Lost => refused("reservation_expired"),
        }
    }

    pub(super) fn commit(&mut self) -> Input {
        match self.hold {
            Hold::Held | Hold::Committed => self.hold = Hold::Committed,
            Hold::Expired if self.is_available => self.hold = Hold::Committed,
            Hold::Expired => self.hold = Hold::Lost,
            Hold::Unknown | Hold::Released | Hold::Lost => {}
        }
        if self.hold == Hold::Committed { Input::StockCommitted } else { Input::CommitLost }
    }

    pub(super) fn release(&mut self) -> Input {
        match self.hold {
            Hold::Committed => return Input::StockCommitted,
            Hold::Unknown | Hold::Held | Hold::Released | Hold::Expired => self.hold = Hold::Released,
            Hold::Lost => {}
        }
        Input::StockReleased
    }

    /// The adjustment is keyed by order and line: a repeat changes nothing.
    pub(super) fn restock(&mut self) -> Input {
        self.restocks = 1;
        Input::Restocked
    }

    /// Units that left for good.
    pub(super) fn sold(&self) -> i64 {
        i64::from(self.hold == Hold::Committed) - i64::from(self.restocks)
    }
}

fn refused(code: &str) -> Input {
    Input::ReserveRefused { reason: code.to_owned() }
}

/// How the provider was told to behave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Method {
    Approve,
    Decline,
    Silent,
    /// Says no, and later yes.
    DeclineThenApprove,
}

/// The payment's state at the provider.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Money {
    Unknown,
    Pending,
    Declined,
    Charged,
    Refunded,
}

/// The provider. The payment id is the key, so it charges once at most.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Provider {
    pub(super) method: Method,
    pub(super) money: Money,
}

impl Provider {
    pub(super) fn process(&mut self) -> Input {
        if self.money == Money::Unknown {
            self.money = Money::Pending;
        }
        Input::PaymentAccepted
    }

    pub(super) fn ask(&self) -> Input {
        match self.money {
            Money::Unknown => Input::PaymentUnknown,
            Money::Pending => Input::PaymentAccepted,
            Money::Declined => declined(),
            Money::Charged => Input::PaymentSucceeded,
            Money::Refunded => Input::PaymentRefunded,
        }
    }

    /// No answer if there is nothing to give back: the call fails and is tried again.
    pub(super) fn refund(&mut self) -> Option<Input> {
        match self.money {
            Money::Charged | Money::Refunded => {
                self.money = Money::Refunded;
                Some(Input::PaymentRefunded)
            }
            Money::Unknown | Money::Pending | Money::Declined => None,
        }
    }

    /// Makes up its mind, and tells.
    pub(super) fn decide(&mut self) -> Option<Input> {
        match (self.money, self.method) {
            (Money::Pending, Method::Approve) | (Money::Declined, Method::DeclineThenApprove) => {
                self.money = Money::Charged;
                Some(Input::PaymentSucceeded)
            }
            (Money::Pending, Method::Decline | Method::DeclineThenApprove) => {
                self.money = Money::Declined;
                Some(declined())
            }
            _ => None,
        }
    }

    /// What the buyer is out of pocket.
    pub(super) fn kept(&self) -> i64 {
        i64::from(self.money == Money::Charged)
    }
}

fn declined() -> Input {
    Input::PaymentDeclined { reason: "declined".to_owned() }
}
