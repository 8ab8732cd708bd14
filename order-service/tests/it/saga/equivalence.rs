//! Orchestration and choreography, fed with the same, end the same: final status, net money, net stock.

use std::collections::HashSet;

use order_service::saga::{
    Cell, Input, Mode, OrderStatus, PaymentStatus, Saga, StockStatus, begin, samples, step,
};
use proptest::collection;
use proptest::prelude::{ProptestConfig, any, proptest};

use super::fakes::Method;
use super::world::World;

/// Whether the two know the same about money and stock. What was asked for, and by whom, is theirs.
fn net(saga: &Saga) -> (OrderStatus, StockStatus, Option<PaymentStatus>) {
    let money = match saga.payment {
        PaymentStatus::None | PaymentStatus::Requested | PaymentStatus::Failed => None,
        PaymentStatus::Paid
        | PaymentStatus::Refunding
        | PaymentStatus::Refunded
        | PaymentStatus::Abandoned => Some(saga.payment),
    };
    (saga.status, saga.stock, money)
}

/// The same fact, answer, or wish for both. Deadlines and operators speak of a saga's own actions, so they are left to the worlds below.
fn is_common(input: &Input) -> bool {
    !matches!(input, Input::PaymentDeadline { .. } | Input::ActionFailing { .. } | Input::Skip { .. })
}

fn plain(saga: Saga) -> Saga {
    Saga { version: 1, payment_timer: saga.payment_timer.map(|_| 1), reason: None, ..saga }
}

#[test]
fn whatever_both_are_told_in_whatever_order_both_stand_the_same() {
    let mut pairs = vec![[Mode::Orchestration, Mode::Choreography].map(|mode| plain(begin(mode).saga))];
    let mut seen: HashSet<[Saga; 2]> = pairs.iter().cloned().collect();
    while let Some(pair) = pairs.pop() {
        assert_eq!(net(&pair[0]), net(&pair[1]), "{pair:#?}");
        for (_, input) in samples(&pair[0]).into_iter().filter(|(_, input)| is_common(input)) {
            let after = [0, 1].map(|which| plain(step(&pair[which], &input).saga));
            if seen.insert(after.clone()) {
                pairs.push(after);
            }
        }
    }
    assert!(seen.len() > 50, "only {} pairs were tried", seen.len());
}

/// What the outside decides; the same for both.
#[derive(Clone, Copy, Debug)]
struct Outcomes {
    method: Method,
    is_available: bool,
    /// The hold runs out before the commit; whether the stock is still there then.
    expires: Option<bool>,
    cancel_at_end: bool,
}

fn outcomes() -> Vec<Outcomes> {
    let mut all = Vec::new();
    for method in [Method::Approve, Method::Decline, Method::Silent] {
        for is_available in [true, false] {
            for expires in [None, Some(true), Some(false)] {
                for cancel_at_end in [false, true] {
                    all.push(Outcomes { method, is_available, expires, cancel_at_end });
                }
            }
        }
    }
    all
}

/// One order under these outcomes; the schedule picks what comes next of all that is on its way.
fn live(mode: Mode, outcomes: Outcomes, schedule: &[usize]) -> World {
    let mut world = World::new(mode, outcomes.method, outcomes.is_available);
    for pick in schedule {
        if let Some(stays_available) = outcomes.expires {
            world.expire(stays_available);
        }
        match pick % 5 {
            0 if !world.events.is_empty() => {
                let event = world.events.remove(pick / 5 % world.events.len());
                world.apply(event);
            }
            1 if !world.told.is_empty() => {
                let told = world.told.remove(pick / 5 % world.told.len());
                world.consume(told);
            }
            2 | 3 => {
                if let Some(action) = world.saga.outstanding.first().copied() {
                    world.call(action);
                }
            }
            _ => world.decide(),
        }
    }
    while world.saga.stock == StockStatus::Requested && world.round() {}
    if let Some(stays_available) = outcomes.expires {
        world.expire(stays_available);
    }
    let mut world = world.ends_well();
    if outcomes.cancel_at_end {
        world.apply(Input::Cancel { reason: None });
        world = world.ends_well();
    }
    world
}

fn ends(world: &World) -> (OrderStatus, i64, i64) {
    (world.saga.status, world.inventory.sold(), world.provider.kept())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn under_the_same_outcomes_both_end_with_the_same_status_money_and_stock(
        one in collection::vec(any::<usize>(), 0..20), other in collection::vec(any::<usize>(), 0..20),
    ) {
        for outcomes in outcomes() {
            let orchestrated = live(Mode::Orchestration, outcomes, &one);
            let choreographed = live(Mode::Choreography, outcomes, &other);
            assert_eq!(ends(&orchestrated), ends(&choreographed), "{outcomes:?} {orchestrated:#?} {choreographed:#?}");
        }
    }
}

#[test]
fn the_outcomes_lead_to_every_end() {
    let mut seen: HashSet<OrderStatus> = HashSet::new();
    for mode in [Mode::Orchestration, Mode::Choreography] {
        for outcomes in outcomes() {
            seen.insert(live(mode, outcomes, &[]).saga.status);
        }
    }
    let all = [OrderStatus::Confirmed, OrderStatus::Cancelled, OrderStatus::PaymentFailed];
    assert_eq!(seen, HashSet::from(all));
}

#[test]
fn choreography_refused_stock_dominates_whenever_the_money_answers() {
    let refused = Input::ReserveRefused { reason: "insufficient_stock".to_owned() };
    let declined = Input::PaymentDeclined { reason: "declined".to_owned() };
    let orders: [&[&Input]; 4] = [
        &[&refused, &Input::PaymentSucceeded],
        &[&Input::PaymentSucceeded, &refused],
        &[&refused, &declined],
        &[&declined, &refused],
    ];
    for order in orders {
        let mut saga = begin(Mode::Choreography).saga;
        for input in order {
            saga = step(&saga, input).saga;
        }
        assert_eq!(saga.status, OrderStatus::Cancelled, "{order:?}");
        let is_paid = order.contains(&&Input::PaymentSucceeded);
        assert_eq!(saga.payment == PaymentStatus::Refunding, is_paid, "{order:?}");
    }
}

#[test]
fn choreography_both_answers_in_any_order_lead_to_the_commit() {
    for order in [[Input::Reserved, Input::PaymentSucceeded], [Input::PaymentSucceeded, Input::Reserved]] {
        let mut saga = begin(Mode::Choreography).saga;
        for input in &order {
            saga = step(&saga, input).saga;
        }
        let last = step(&saga, &Input::StockCommitted);
        assert_eq!((last.cell, last.saga.status), (Cell::Apply, OrderStatus::Confirmed), "{order:?}");
    }
}
