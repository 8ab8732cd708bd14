//! Defects on purpose: each of these must be caught.

use std::fmt;

/// What the checkout gets wrong.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Mutant {
    /// A step's effects are sometimes written twice.
    RepeatedStep,
    /// A step is sometimes decided on the order as it was before somebody else's step.
    UnlockedOrder,
    /// A customer's key is not looked at: the repeat of a placement is another order.
    UnkeptKey,
    /// A key is given back although a repeat was told of its order.
    TakenBackKey,
    /// A step is sometimes answered whose COMMIT never arrived.
    EarlyAnswer,
    /// The intent to undo something is sometimes not stored.
    LostCompensation,
    /// A refund is taken as made without asking anybody.
    ForgottenRefund,
    /// Every request for money goes under a payment id of its own.
    NewPaymentKey,
    /// Every try to restock goes under an adjustment id of its own.
    UnkeyedRestock,
    /// A release does not wait for inventory's answer.
    HastyRelease,
    /// A commit without an answer is taken as lost.
    ImpatientCommit,
    /// What the provider tells is sometimes taken note of and not heard.
    DroppedMoney,
    /// Events of one order overtake each other in the relay.
    OvertakingEvents,
}

impl Mutant {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::RepeatedStep,
        Self::UnlockedOrder,
        Self::UnkeptKey,
        Self::TakenBackKey,
        Self::EarlyAnswer,
        Self::LostCompensation,
        Self::ForgottenRefund,
        Self::NewPaymentKey,
        Self::UnkeyedRestock,
        Self::HastyRelease,
        Self::ImpatientCommit,
        Self::DroppedMoney,
        Self::OvertakingEvents,
    ];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RepeatedStep => "repeated-step",
            Self::UnlockedOrder => "unlocked-order",
            Self::UnkeptKey => "unkept-key",
            Self::TakenBackKey => "taken-back-key",
            Self::EarlyAnswer => "early-answer",
            Self::LostCompensation => "lost-compensation",
            Self::ForgottenRefund => "forgotten-refund",
            Self::NewPaymentKey => "new-payment-key",
            Self::UnkeyedRestock => "unkeyed-restock",
            Self::HastyRelease => "hasty-release",
            Self::ImpatientCommit => "impatient-commit",
            Self::DroppedMoney => "dropped-money",
            Self::OvertakingEvents => "overtaking-events",
        }
    }
}

impl fmt::Display for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
