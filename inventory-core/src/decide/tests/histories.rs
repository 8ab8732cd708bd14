//! Random commands over a few products, orders and customers, so that they meet each other often.

use std::time::Duration;

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::{Just, Strategy, any, prop_oneof};

use super::{adjust, commit, customer, delivery, expire, extend, lines, note, release, reserve, stock};
use crate::command::{Adjust, Command, Commit, Release, Reserve, SetStock};
use crate::limits::{QUANTITY_MAX, UNITS_MAX};
use crate::lines::Lines;
use crate::quantity::{Quantity, Units};

/// Products 1 to 4; 4 does not exist at first, 2 and 3 are limited.
const PRODUCTS: i64 = 4;

/// Batches, and how long before each.
pub(super) fn history() -> impl Strategy<Value = Vec<(Duration, Vec<Command>)>> {
    vec((1_u64..10, vec(command(), 1..8)), 1..20)
        .prop_map(|batches| batches.into_iter().map(|(s, c)| (Duration::from_secs(s), c)).collect())
}

/// The products that a history starts with.
pub(super) fn opening() -> Vec<Command> {
    let limited = |p, on_hand, limit| {
        Command::Set(SetStock { per_customer_limit: Quantity::new(limit).ok(), ..stock(p, on_hand) })
    };
    let low = SetStock { low_stock_threshold: Some(Units::stored(5)), ..stock(1, 6) };
    vec![Command::Set(low), limited(2, 12, 40), limited(3, 1_000, 20)]
}

fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        10 => usual_reserve(),
        1 => any_reserve(),
        3 => any_commit(),
        2 => any_release(),
        2 => (an_order(), 0_u64..40).prop_map(|(n, s)| extend(n, Duration::from_secs(s))),
        5 => an_order().prop_map(expire),
        1 => any_adjust(),
        1 => any_set().prop_map(Command::Set),
        1 => any_set().prop_map(Command::Import),
    ]
}

fn an_order() -> impl Strategy<Value = u128> {
    1_u128..12
}

/// What an order usually asks for: the same each time, so that repeats are replays.
fn usual_lines(n: u128) -> Vec<(i64, i64)> {
    let q = i64::try_from(n).unwrap();
    match n % 3 {
        0 => vec![(1, q % 4 + 1)],
        1 => vec![(2, q)],
        _ => vec![(1, 2), (3, q)],
    }
}

fn usual_reserve() -> impl Strategy<Value = Command> {
    (an_order(), 1_u64..12).prop_map(|(n, ttl_seconds)| {
        let Command::Reserve(usual) = reserve(n, &usual_lines(n)) else { unreachable!() };
        let customer = Some(customer(["ann", "bob"][usize::from(n > 4)]));
        let (ttl, ttl_max) = (Duration::from_secs(ttl_seconds), Duration::from_secs(30));
        Command::Reserve(Reserve { customer, ttl, ttl_max, ..usual })
    })
}

/// An order, and a part of it: mostly one that it usually holds.
fn a_part() -> impl Strategy<Value = (u128, Lines)> {
    prop_oneof![
        4 => (an_order(), 1_i64..4).prop_map(|(n, q)| (n, lines(&[(usual_lines(n)[0].0, q)]))),
        1 => (an_order(), some_lines()),
    ]
}

fn any_reserve() -> impl Strategy<Value = Command> {
    (an_order(), some_lines(), weighted(0.8, Just("ann"))).prop_map(|(n, lines, who)| {
        let Command::Reserve(any) = reserve(n, &[(1, 1)]) else { unreachable!() };
        Command::Reserve(Reserve { lines, customer: who.map(customer), ..any })
    })
}

fn any_commit() -> impl Strategy<Value = Command> {
    (a_part(), any::<bool>(), weighted(0.3, 0..5)).prop_map(|((n, items), whole, message)| {
        let Command::Commit(commit) = commit(n) else { unreachable!() };
        let delivery = message.map(|m| delivery(&format!("commit {n} {m}")));
        Command::Commit(Commit { items: (!whole).then_some(items), delivery, ..commit })
    })
}

fn any_release() -> impl Strategy<Value = Command> {
    (a_part(), weighted(0.6, 0..5)).prop_flat_map(|((n, items), message)| {
        weighted(0.6, Just(items)).prop_map(move |items| {
            let Command::Release(whole) = release(n) else { unreachable!() };
            // A key names one request: the same message always asks for the same.
            let delivery = message.map(|m| delivery(&format!("release {n} {m} {}", key_of(&items))));
            Command::Release(Release { items, delivery, reason: Some(note("because")), ..whole })
        })
    })
}

fn key_of(items: &Option<Lines>) -> String {
    let pairs = items.iter().flat_map(Lines::iter).map(|line| format!("{}x{}", line.product, line.quantity));
    pairs.collect::<Vec<_>>().join("+")
}

fn any_adjust() -> impl Strategy<Value = Command> {
    let delta = prop_oneof![
        8 => -8_i64..6,
        1 => Just(UNITS_MAX),
        1 => any::<i64>(),
    ];
    (1..=PRODUCTS, 0..12, delta).prop_map(|(p, key, delta)| {
        let Command::Adjust(any) = adjust(p, &format!("a{key}"), delta) else { unreachable!() };
        Command::Adjust(Adjust { reference: (key % 2 == 0).then(|| note("ref")), ..any })
    })
}

fn any_set() -> impl Strategy<Value = SetStock> {
    let on_hand = prop_oneof![8 => 0_i64..8, 1 => Just(UNITS_MAX)];
    let limit = weighted(0.3, (1_i64..20).prop_map(|limit| Quantity::new(limit).unwrap()));
    let threshold = weighted(0.3, (0_i64..10).prop_map(Units::stored));
    (1..=PRODUCTS, on_hand, limit, threshold, weighted(0.3, 1_u64..6)).prop_map(
        |(p, on_hand, per_customer_limit, low_stock_threshold, expected_admin_version)| SetStock {
            per_customer_limit,
            low_stock_threshold,
            expected_admin_version,
            ..stock(p, on_hand)
        },
    )
}

fn some_lines() -> impl Strategy<Value = Lines> {
    let quantity = prop_oneof![12 => 1_i64..7, 1 => Just(i64::from(QUANTITY_MAX))];
    vec((1..=PRODUCTS, quantity), 1..3).prop_filter_map("sum too large", |wanted| {
        let line = |(p, q)| crate::lines::Line {
            product: crate::ids::ProductId::new(p),
            quantity: Quantity::new(q).unwrap(),
        };
        Lines::new(wanted.into_iter().map(line)).ok()
    })
}

/// Takes away limits on products that have none yet: when such a limit starts is when a batch runs, so alone and
/// together differ by design for what was created in the same microsecond.
pub(super) fn without_new_limits(commands: &[Command], limited: impl Fn(i64) -> bool) -> Vec<Command> {
    let keep = |c: &SetStock| SetStock {
        per_customer_limit: c.per_customer_limit.filter(|_| limited(c.product.get())),
        ..c.clone()
    };
    commands
        .iter()
        .map(|command| match command {
            Command::Set(c) => Command::Set(keep(c)),
            Command::Import(c) => Command::Import(keep(c)),
            other => other.clone(),
        })
        .collect()
}
