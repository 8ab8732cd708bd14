//! What holds in every state, and where quiet time ends.

use order_service::saga::{PaymentStatus, Phase, StockStatus};
use stateright::Property;

use super::network::Order;
use super::outside::Money;
use super::said::Fact;
use super::state::{Blame, Past, State};
use crate::saga::fakes::Hold;
use crate::saga::world::Told;

/// More steps than any quiet time takes.
const QUIET_MAX: u8 = 30;

pub(super) const SOUND: &str = "a saga keeps its own rules";
pub(super) const CONFIRMED: &str = "confirmed means paid and committed";
pub(super) const NO_STOCK_AT_END: &str = "an order that ended keeps no stock";
pub(super) const NO_MONEY_AT_END: &str = "an order that ended keeps no money that it could know of";
pub(super) const SOLD_IS_PAID: &str = "no stock is sold that was not paid";
pub(super) const RESTOCKED_WAS_SOLD: &str = "no stock is put back that was not sold";
pub(super) const REFUNDED_IS_REFUNDED: &str = "an order that says refunded is refunded";
pub(super) const RESTS_SETTLED: &str = "a quiet order comes to rest completed or fully compensated";
pub(super) const BOOKS_AGREE: &str = "at rest the order and the others agree about money and stock";
pub(super) const QUIET_ENDS: &str = "a quiet order comes to rest";
pub(super) const ENDED_ONCE: &str = "an order ends once";
pub(super) const NEVER_BOTH: &str = "no order is confirmed or shipped after it ended";
pub(super) const CONFIRMED_ONCE: &str = "an order is confirmed once";
pub(super) const NO_TURNING_BACK: &str = "terminal is terminal";
pub(super) const ASKED_ONCE: &str = "the money is asked for once";
pub(super) const REFUND_OF_SOMETHING: &str = "nothing is refunded that was not paid";
pub(super) const COMMIT_OF_PAID: &str = "no stock is committed that was not paid";
pub(super) const NO_FALSE_ALARM: &str = "no alarm without a contradiction";

fn always(name: &'static str, condition: fn(&Order, &State) -> bool) -> Property<Order> {
    Property::always(name, condition)
}

/// Each of them, always.
pub(super) fn all() -> Vec<Property<Order>> {
    vec![
        always(SOUND, |order, state| order.automaton().is_sound(state.saga)),
        always(CONFIRMED, confirmed_means_paid_and_committed),
        always(NO_STOCK_AT_END, ended_keeps_no_stock),
        always(NO_MONEY_AT_END, ended_keeps_no_known_money),
        always(SOLD_IS_PAID, |_, state| !state.is_sold() || state.was_paid()),
        always(RESTOCKED_WAS_SOLD, |_, state| state.stock.sold() >= 0),
        always(REFUNDED_IS_REFUNDED, |order, state| {
            order.saga(state).payment != PaymentStatus::Refunded || state.money == Money::Refunded
        }),
        always(RESTS_SETTLED, |order, state| is_settled(order, state) || !order.is_at_rest(state)),
        always(BOOKS_AGREE, |order, state| books_agree(order, state) || !order.is_at_rest(state)),
        always(QUIET_ENDS, |_, state| state.quiet.is_none_or(|quiet| quiet.steps < QUIET_MAX)),
        always(ENDED_ONCE, |_, state| state.blame != Some(Blame::EndedTwice)),
        always(NEVER_BOTH, |_, state| state.blame != Some(Blame::ConfirmedAfterItsEnd)),
        always(CONFIRMED_ONCE, |_, state| state.blame != Some(Blame::ConfirmedTwice)),
        always(NO_TURNING_BACK, |_, state| state.blame != Some(Blame::TurnedBack)),
        always(ASKED_ONCE, |_, state| state.blame != Some(Blame::AskedTwice)),
        always(REFUND_OF_SOMETHING, |_, state| state.blame != Some(Blame::RefundedNothing)),
        always(COMMIT_OF_PAID, |_, state| state.blame != Some(Blame::CommittedUnpaid)),
        always(NO_FALSE_ALARM, |_, state| state.blame != Some(Blame::FalseAlarm)),
    ]
}

/// Also while everything is still under way. Money that its owner charged back is the one thing that nobody can help.
fn confirmed_means_paid_and_committed(order: &Order, state: &State) -> bool {
    match order.saga(state).phase {
        Phase::Confirmed | Phase::Shipped | Phase::Delivered => {
            state.is_sold() && (state.money == Money::Charged || state.past.has(Past::ChargedBack))
        }
        Phase::Reserving | Phase::Paying | Phase::Committing | Phase::Compensating | Phase::Ended => true,
    }
}

/// A hold that a late try makes goes when inventory hears of the end.
fn ended_keeps_no_stock(order: &Order, state: &State) -> bool {
    let saga = order.saga(state);
    let is_left_to_people = saga.stock == StockStatus::Abandoned;
    let is_kept = state.is_sold() || state.stock.hold == Hold::Held && !state.due.has(Told::EndedToInventory);
    saga.phase != Phase::Ended || is_left_to_people || !is_kept
}

/// Late money that the order has not heard of is on its way to be known.
fn ended_keeps_no_known_money(order: &Order, state: &State) -> bool {
    let saga = order.saga(state);
    let is_left_to_people = saga.payment == PaymentStatus::Abandoned;
    let is_news = state.owed.has(Fact::PaymentSucceeded);
    saga.phase != Phase::Ended || is_left_to_people || state.money != Money::Charged || is_news
}

/// One of two, and never both (I13).
fn is_settled(order: &Order, state: &State) -> bool {
    let saga = order.saga(state);
    let nothing_waits = order.outstanding(state).is_empty() && state.owed.is_empty() && state.due.is_empty();
    let is_good = match saga.phase {
        Phase::Confirmed => state.is_sold() && state.money == Money::Charged,
        Phase::Shipped | Phase::Delivered => confirmed_means_paid_and_committed(order, state),
        Phase::Ended => {
            let is_stock_back = !state.is_sold() && state.stock.hold != Hold::Held;
            let is_money_back = !matches!(state.money, Money::Charged | Money::Refunding);
            (is_stock_back || saga.stock == StockStatus::Abandoned)
                && (is_money_back || saga.payment == PaymentStatus::Abandoned)
        }
        Phase::Reserving | Phase::Paying | Phase::Committing | Phase::Compensating => false,
    };
    nothing_waits && is_good
}

/// The order and the others say the same about money and stock.
fn books_agree(order: &Order, state: &State) -> bool {
    let saga = order.saga(state);
    let money_agrees = match saga.payment {
        PaymentStatus::Paid => state.money == Money::Charged,
        PaymentStatus::Refunded => state.money == Money::Refunded,
        PaymentStatus::None | PaymentStatus::Failed => !state.was_paid(),
        PaymentStatus::Abandoned => true,
        PaymentStatus::Requested | PaymentStatus::Refunding => false,
    };
    let stock_agrees = match saga.stock {
        StockStatus::Committed => state.is_sold(),
        StockStatus::Restocked => state.stock.restocks == 1,
        // A hold that is lost has nothing to release, and a release may be what ended one.
        StockStatus::Released | StockStatus::Refused | StockStatus::Lost => {
            matches!(state.stock.hold, Hold::Released | Hold::Lost)
        }
        StockStatus::Abandoned => true,
        StockStatus::Requested
        | StockStatus::Held
        | StockStatus::Committing
        | StockStatus::Releasing
        | StockStatus::Restocking => false,
    };
    money_agrees && stock_agrees
}
