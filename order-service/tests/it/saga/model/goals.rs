//! What must be reachable, so that the model is not true of nothing.

use order_service::saga::{Mode, OrderStatus, PaymentStatus, Phase, StockStatus};
use stateright::Property;

use super::network::Order;
use super::outside::Money;
use super::state::{Past, State};
use crate::saga::fakes::Hold;
use crate::saga::world::Told;

fn sometimes(name: &'static str, condition: fn(&Order, &State) -> bool) -> Property<Order> {
    Property::sometimes(name, condition)
}

/// Each of them, sometimes.
pub(super) fn all(mode: Mode) -> Vec<Property<Order>> {
    let mut goals = common();
    goals.extend(match mode {
        Mode::Orchestration => vec![
            sometimes("cancelled, never charged, the stock free", |order, state| {
                order.saga(state).status == OrderStatus::Cancelled
                    && state.money == Money::Unknown
                    && state.stock.hold == Hold::Released
                    && order.is_at_rest(state)
            }),
            sometimes("the reserve is given up, though the stock was held", |order, state| {
                let saga = order.saga(state);
                saga.stock == StockStatus::Releasing
                    && saga.payment == PaymentStatus::None
                    && state.stock.hold == Hold::Held
            }),
            sometimes("one try was refused, and another holds the stock late", |order, state| {
                order.saga(state).stock == StockStatus::Refused && state.stock.hold == Hold::Held
            }),
        ],
        Mode::Choreography => vec![
            sometimes("paid before the stock answered, then refused, and refunded", |order, state| {
                let saga = order.saga(state);
                saga.stock == StockStatus::Refused
                    && state.money == Money::Refunded
                    && !state.past.has(Past::ChargedBack)
                    && order.is_at_rest(state)
            }),
            sometimes("a release overtakes the reserve and leaves a tombstone", |_, state| {
                state.stock.hold == Hold::Released && state.due.has(Told::CreatedToInventory)
            }),
            sometimes("declined before the stock answered, and it still waits", |order, state| {
                let saga = order.saga(state);
                saga.phase == Phase::Reserving && saga.payment == PaymentStatus::Failed
            }),
        ],
    });
    goals
}

fn common() -> Vec<Property<Order>> {
    vec![
        sometimes("completed", |order, state| {
            order.saga(state).status == OrderStatus::Confirmed && order.is_at_rest(state)
        }),
        sometimes("delivered", |order, state| order.saga(state).status == OrderStatus::Delivered),
        sometimes("a success is on its way to an order that was cancelled first", |order, state| {
            let saga = order.saga(state);
            saga.status == OrderStatus::Cancelled
                && saga.payment == PaymentStatus::Failed
                && state.money == Money::Charged
        }),
        sometimes("payment failed, and the success that comes late is refunded", |order, state| {
            order.saga(state).status == OrderStatus::PaymentFailed
                && is_refunded(state)
                && order.is_at_rest(state)
        }),
        sometimes("paid, but the stock is lost, so it is refunded", |order, state| {
            state.stock.hold == Hold::Lost && is_refunded(state) && order.is_at_rest(state)
        }),
        sometimes("a late commit gets the stock of a hold that ran out", |order, state| {
            order.saga(state).phase == Phase::Committing && state.stock.hold == Hold::Expired
        }),
        sometimes("a cancel meets a commit that was first, so the stock is put back", |order, state| {
            state.stock.restocks == 1
                && is_refunded(state)
                && !state.past.has(Past::Confirmed)
                && order.is_at_rest(state)
        }),
        sometimes("a confirmed order is cancelled, refunded and put back", |order, state| {
            state.stock.restocks == 1
                && is_refunded(state)
                && state.past.has(Past::Confirmed)
                && order.is_at_rest(state)
        }),
        sometimes("the money is charged back after the goods left", |order, state| {
            state.past.has(Past::Shipped)
                && order.saga(state).payment == PaymentStatus::Refunded
                && order.is_at_rest(state)
        }),
        sometimes("an undoing is stuck", |order, state| {
            order.saga(state).is_stuck && order.saga(state).phase == Phase::Compensating
        }),
        sometimes("stock and money are left to people", |order, state| {
            let saga = order.saga(state);
            saga.stock == StockStatus::Abandoned && saga.payment == PaymentStatus::Abandoned
        }),
        sometimes("a silent provider leaves the payment undecided for ever", |order, state| {
            order.saga(state).status == OrderStatus::PaymentFailed
                && state.money == Money::Pending
                && order.is_at_rest(state)
        }),
        sometimes("a success dominates the decline before it", |order, state| {
            let saga = order.saga(state);
            saga.phase == Phase::Compensating
                && saga.status == OrderStatus::PaymentFailed
                && state.money == Money::Charged
        }),
    ]
}

fn is_refunded(state: &State) -> bool {
    state.money == Money::Refunded && !state.past.has(Past::ChargedBack)
}
