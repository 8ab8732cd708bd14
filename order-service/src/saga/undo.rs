//! How undoing begins. It is derived from what was **started**: an action whose outcome is unknown is undone like one that succeeded.

use super::change::Change;
use super::{Action, EventKind, OrderStatus, PaymentStatus, Phase, StockStatus};

/// How an order without a sale ends.
#[derive(Clone, Copy)]
pub(super) enum Ending {
    /// CANCELLED.
    Cancelled,
    /// PAYMENT_FAILED.
    PaymentFailed,
}

impl Change<'_> {
    /// The order ends without a sale: tells others, and begins to undo whatever was begun.
    pub(super) fn undo(mut self, ending: Ending, reason: &str) -> Self {
        self.next.reason = Some(reason.to_owned());
        let told = match ending {
            Ending::Cancelled => {
                self.phase(Phase::Compensating, OrderStatus::Cancelled).publish(EventKind::Cancelled)
            }
            Ending::PaymentFailed => {
                self.phase(Phase::Compensating, OrderStatus::PaymentFailed).publish(EventKind::Failed)
            }
        };
        told.stop_timer().undo_stock(reason).undo_payment(reason)
    }

    fn undo_stock(self, reason: &str) -> Self {
        match self.next.stock {
            // The release leaves a tombstone, so a reserve that is still on its way is refused.
            StockStatus::Requested => self.dropped(Action::ReserveInventory, reason).release(),
            StockStatus::Held => self.release(),
            // If the commit was first, the release is refused as `already_committed`, and that leads to the restock.
            StockStatus::Committing => self.dropped(Action::CommitInventory, reason).release(),
            StockStatus::Committed => self.restock(),
            StockStatus::Refused
            | StockStatus::Lost
            | StockStatus::Releasing
            | StockStatus::Released
            | StockStatus::Restocking
            | StockStatus::Restocked
            | StockStatus::Abandoned => self,
        }
    }

    fn undo_payment(self, reason: &str) -> Self {
        match self.next.payment {
            PaymentStatus::Requested => {
                self.dropped(Action::ProcessPayment, reason).start(Action::AskPayment)
            }
            PaymentStatus::Paid => self.refund(),
            PaymentStatus::None
            | PaymentStatus::Failed
            | PaymentStatus::Refunding
            | PaymentStatus::Refunded
            | PaymentStatus::Abandoned => self,
        }
    }

    /// The hold, if there is one, is to go.
    pub(super) fn release(self) -> Self {
        self.stock(StockStatus::Releasing).start(Action::ReleaseInventory)
    }

    /// What was sold is to go back on the shelf.
    pub(super) fn restock(self) -> Self {
        self.stock(StockStatus::Restocking).start(Action::RestockInventory)
    }

    /// The money is to go back.
    pub(super) fn refund(self) -> Self {
        self.payment(PaymentStatus::Refunding).start(Action::RefundPayment)
    }
}
