//! What is true of every saga after every step. A saga that breaks a rule is a bug, never bad luck.

use super::{Action, DEFINITION, Mode, OrderStatus, PaymentStatus, Phase, Saga, StockStatus};

/// Tells the first rule that the saga breaks. Sagas of a newer definition are not judged.
pub fn check(saga: &Saga) -> Result<(), &'static str> {
    if saga.definition > DEFINITION {
        return Ok(());
    }
    phase(saga)?;
    outstanding(saga)?;
    timer(saga)?;
    let is_shipped = matches!(saga.phase, Phase::Shipped | Phase::Delivered);
    must(saga.tracking_number.is_some() == is_shipped, "exactly shipped orders have a tracking number")?;
    must(!saga.is_stuck || !saga.outstanding.is_empty(), "only what is outstanding can be stuck")
}

fn phase(saga: &Saga) -> Result<(), &'static str> {
    let Saga { status, stock, payment, .. } = *saga;
    match saga.phase {
        Phase::Reserving => {
            must(status == OrderStatus::Pending, "reserving is PENDING")?;
            must(stock == StockStatus::Requested, "reserving awaits the stock's answer")?;
            must(is_before_refund(payment), "reserving refunds nothing")
        }
        Phase::Paying => {
            must(status == OrderStatus::AwaitingPayment, "paying is AWAITING_PAYMENT")?;
            must(stock == StockStatus::Held, "paying holds the stock")?;
            must(payment == PaymentStatus::Requested, "paying awaits the money's answer")
        }
        Phase::Committing => {
            must(status == OrderStatus::AwaitingPayment, "committing is AWAITING_PAYMENT")?;
            must(stock == StockStatus::Committing, "committing awaits the commit's answer")?;
            must(payment == PaymentStatus::Paid, "only paid stock is committed")
        }
        Phase::Confirmed => {
            must(status == OrderStatus::Confirmed, "confirmed is CONFIRMED")?;
            must(stock == StockStatus::Committed, "CONFIRMED means committed")?;
            must(payment == PaymentStatus::Paid, "CONFIRMED means paid")
        }
        Phase::Shipped | Phase::Delivered => {
            must(matches!(status, OrderStatus::Shipped | OrderStatus::Delivered), "shipped is SHIPPED")?;
            must(stock == StockStatus::Committed, "SHIPPED means committed")?;
            must(matches!(payment, PaymentStatus::Paid | PaymentStatus::Refunded), "SHIPPED means paid once")
        }
        Phase::Compensating | Phase::Ended => {
            let is_over = matches!(status, OrderStatus::Cancelled | OrderStatus::PaymentFailed);
            must(is_over, "undoing is CANCELLED or PAYMENT_FAILED")?;
            must(saga.reason.is_some(), "an order that ends without a sale says why")?;
            let is_ended = saga.phase == Phase::Ended;
            must(is_ended == (is_free(stock) && is_settled(payment)), "ended means that all is undone")?;
            let is_wanted = matches!(
                stock,
                StockStatus::Requested | StockStatus::Held | StockStatus::Committing | StockStatus::Committed
            );
            must(!is_wanted && payment != PaymentStatus::Paid, "undoing keeps neither stock nor money")
        }
    }
}

/// Each status that waits for an answer has the action which brings it, and nothing else is outstanding.
fn outstanding(saga: &Saga) -> Result<(), &'static str> {
    let has = |action| saga.outstanding.contains(&action);
    let is_reserving = saga.stock == StockStatus::Requested && saga.mode == Mode::Orchestration;
    must(has(Action::ReserveInventory) == is_reserving, "orchestrated stock is asked for by a call")?;
    must(has(Action::CommitInventory) == (saga.stock == StockStatus::Committing), "committing commits")?;
    must(has(Action::ReleaseInventory) == (saga.stock == StockStatus::Releasing), "releasing releases")?;
    must(has(Action::RestockInventory) == (saga.stock == StockStatus::Restocking), "restocking restocks")?;
    must(has(Action::RefundPayment) == (saga.payment == PaymentStatus::Refunding), "refunding refunds")?;
    let is_asked_for = has(Action::ProcessPayment);
    must(!is_asked_for || saga.phase == Phase::Paying, "money is asked for while the stock is held")?;
    let is_asked_about = has(Action::AskPayment);
    must(!is_asked_about || saga.payment == PaymentStatus::Requested, "only open payments are asked about")?;
    let is_askable = matches!(saga.phase, Phase::Paying | Phase::Compensating);
    must(!is_asked_about || is_askable, "payments are asked about once overdue or undone")?;
    must(!(is_asked_for && is_asked_about), "a payment is asked for or about, not both")?;
    let is_open_at_end = saga.phase == Phase::Compensating && saga.payment == PaymentStatus::Requested;
    must(!is_open_at_end || is_asked_about, "an ending order asks about its open payment")
}

/// Whatever waits for an event has a deadline, so nothing waits for ever.
fn timer(saga: &Saga) -> Result<(), &'static str> {
    let is_waiting = match saga.phase {
        Phase::Reserving => saga.mode == Mode::Choreography,
        Phase::Paying => !saga.outstanding.contains(&Action::AskPayment),
        Phase::Committing
        | Phase::Confirmed
        | Phase::Shipped
        | Phase::Delivered
        | Phase::Compensating
        | Phase::Ended => false,
    };
    must(saga.payment_timer.is_some() == is_waiting, "exactly what waits for an event has a deadline")?;
    must(saga.payment_timer.is_none_or(|at| at <= saga.version), "a timer is not set in the future")
}

fn is_before_refund(payment: PaymentStatus) -> bool {
    match payment {
        PaymentStatus::None | PaymentStatus::Requested | PaymentStatus::Paid | PaymentStatus::Failed => true,
        PaymentStatus::Refunding | PaymentStatus::Refunded | PaymentStatus::Abandoned => false,
    }
}

fn is_free(stock: StockStatus) -> bool {
    match stock {
        StockStatus::Refused
        | StockStatus::Lost
        | StockStatus::Released
        | StockStatus::Restocked
        | StockStatus::Abandoned => true,
        StockStatus::Requested
        | StockStatus::Held
        | StockStatus::Committing
        | StockStatus::Committed
        | StockStatus::Releasing
        | StockStatus::Restocking => false,
    }
}

fn is_settled(payment: PaymentStatus) -> bool {
    match payment {
        PaymentStatus::None | PaymentStatus::Failed | PaymentStatus::Refunded | PaymentStatus::Abandoned => {
            true
        }
        PaymentStatus::Requested | PaymentStatus::Paid | PaymentStatus::Refunding => false,
    }
}

fn must(holds: bool, rule: &'static str) -> Result<(), &'static str> {
    if holds { Ok(()) } else { Err(rule) }
}
