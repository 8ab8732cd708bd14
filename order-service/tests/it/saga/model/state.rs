//! Everything there is of one order, as small as it can be: a state of the model.

use order_service::saga::Action;

use super::automaton::SagaId;
use super::bits::{Bits, Element};
use super::outside::Money;
use super::said::Fact;
use crate::saga::fakes::{Hold, Inventory};
use crate::saga::world::Told;

/// What once happened, and stays so.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Past {
    /// `order.confirmed` was told.
    Confirmed,
    /// `order.failed` or `order.cancelled` was told.
    Ended,
    /// `order.shipped` was told.
    Shipped,
    /// The provider was, or may have been, asked for the money.
    Asked,
    /// The provider gave the money back without being asked.
    ChargedBack,
}

impl Element for Past {
    const ALL: &'static [Self] =
        &[Self::Confirmed, Self::Ended, Self::Shipped, Self::Asked, Self::ChargedBack];

    fn place(self) -> usize {
        self as usize
    }
}

impl Element for Told {
    const ALL: &'static [Self] = &[
        Self::CreatedToInventory,
        Self::CreatedToPayment,
        Self::ConfirmedToInventory,
        Self::EndedToInventory,
    ];

    fn place(self) -> usize {
        self as usize
    }
}

/// A step that must never be taken. The model goes no further than that.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Blame {
    EndedTwice,
    ConfirmedAfterItsEnd,
    ConfirmedTwice,
    TurnedBack,
    AskedTwice,
    RefundedNothing,
    CommittedUnpaid,
    FalseAlarm,
}

/// Nothing is lost, doubled or overtaken any more.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Quiet {
    /// The provider makes no decision any more.
    pub(super) is_silent: bool,
    /// Steps since it became quiet.
    pub(super) steps: u8,
}

/// Everything there is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct State {
    pub(super) saga: SagaId,
    /// The other services choreograph: they act on `order.created`, and inventory tells of holds.
    pub(super) is_unled: bool,
    pub(super) stock: Inventory,
    pub(super) money: Money,
    /// Calls that were ever begun: each may reach the other side now, or again.
    pub(super) calls: Bits<Action>,
    /// Every answer and event that was ever given to the order: each may be heard now, or again.
    pub(super) said: Bits<Fact>,
    /// Events that the order did not hear yet, and will.
    pub(super) owed: Bits<Fact>,
    /// Every event that the order ever told: each may be consumed now, or again.
    pub(super) told: Bits<Told>,
    /// Those that were not consumed yet, and will be.
    pub(super) due: Bits<Told>,
    pub(super) past: Bits<Past>,
    pub(super) blame: Option<Blame>,
    pub(super) quiet: Option<Quiet>,
}

impl State {
    /// Before anything happened.
    pub(super) fn blank() -> Self {
        Self {
            saga: 0,
            is_unled: false,
            stock: Inventory { hold: Hold::Unknown, is_available: false, restocks: 0 },
            money: Money::Unknown,
            calls: Bits::NONE,
            said: Bits::NONE,
            owed: Bits::NONE,
            told: Bits::NONE,
            due: Bits::NONE,
            past: Bits::NONE,
            blame: None,
            quiet: None,
        }
    }

    /// Whether somebody listens to this.
    pub(super) fn is_consumed(&self, told: Told) -> bool {
        match told {
            Told::CreatedToInventory | Told::CreatedToPayment => self.is_unled,
            Told::ConfirmedToInventory | Told::EndedToInventory => true,
        }
    }

    /// A unit is sold and did not come back.
    pub(super) fn is_sold(&self) -> bool {
        self.stock.sold() == 1
    }

    /// The money is, or was, with the provider.
    pub(super) fn was_paid(&self) -> bool {
        matches!(self.money, Money::Charged | Money::Refunding | Money::Refunded)
    }
}
