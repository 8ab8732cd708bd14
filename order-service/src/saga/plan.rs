//! What would happen next, for the operator's verb `plan`: the saga's own steps, fed with the good answers.

use super::Effect;
use super::{Action, EventKind, Input, Phase, Saga, Step, step};

/// The longest way from anywhere to rest.
const STEPS_MAX: usize = 8;

/// One line for each thing that would happen if everything answered well from now on, in order. The last says where it rests.
pub fn plan(saga: &Saga) -> Vec<String> {
    let mut lines = Vec::new();
    let mut now = saga.clone();
    for _ in 0..STEPS_MAX {
        let Some((cause, input)) = next(&now) else { break };
        let after = step(&now, &input);
        lines.push(format!("{cause}: {}{}", after.because, consequences(&after)));
        now = after.saga;
    }
    lines.push(format!("rests as {:?}, stock {:?}, payment {:?}", now.status, now.stock, now.payment));
    lines
}

/// What comes next, and what it would say.
fn next(saga: &Saga) -> Option<(String, Input)> {
    if let Some(action) = saga.outstanding.first() {
        return Some((format!("{} succeeds", action.name()), good_answer(*action, saga)));
    }
    match saga.phase {
        Phase::Reserving => Some(("inventory.stock.reserved comes".to_owned(), Input::Reserved)),
        Phase::Paying => Some(("payment.successful comes".to_owned(), Input::PaymentSucceeded)),
        Phase::Committing
        | Phase::Confirmed
        | Phase::Shipped
        | Phase::Delivered
        | Phase::Compensating
        | Phase::Ended => None,
    }
}

fn good_answer(action: Action, saga: &Saga) -> Input {
    match action {
        Action::ReserveInventory => Input::Reserved,
        Action::CommitInventory => Input::StockCommitted,
        Action::ReleaseInventory => Input::StockReleased,
        Action::RestockInventory => Input::Restocked,
        Action::ProcessPayment => Input::PaymentAccepted,
        // Good for an order that still wants the money is that it came; for one that ended, that it did not.
        Action::AskPayment if saga.phase == Phase::Paying => Input::PaymentSucceeded,
        Action::AskPayment => Input::PaymentUnknown,
        Action::RefundPayment => Input::PaymentRefunded,
    }
}

fn consequences(step: &Step) -> String {
    let words: Vec<&str> = step
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Start(action) => Some(action.name()),
            Effect::Publish(EventKind::Created) => Some("order.created"),
            Effect::Publish(EventKind::Confirmed) => Some("order.confirmed"),
            Effect::Publish(EventKind::Failed) => Some("order.failed"),
            Effect::Publish(EventKind::Cancelled) => Some("order.cancelled"),
            Effect::Publish(EventKind::Shipped { .. }) => Some("order.shipped"),
            Effect::StartPaymentTimer => Some("payment deadline"),
            Effect::Finish { .. } | Effect::Alarm(_) => None,
        })
        .collect();
    if words.is_empty() { String::new() } else { format!(" → {}", words.join(", ")) }
}
