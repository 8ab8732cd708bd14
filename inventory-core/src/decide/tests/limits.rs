//! Per-customer limits: what counts, from when, and what a batch makes of it.

use std::time::Duration;

use super::ledger::Ledger;
use super::table::answer;
use super::{
    TTL, commit, commit_items, customer, expire, order, product, quantity, release, release_items,
    reserve_for, set, stock, units,
};
use crate::command::{Command, SetStock};
use crate::error::ReserveError;
use crate::outcome::Outcome;

fn limit(p: i64, on_hand: i64, limit: i64) -> Command {
    Command::Set(SetStock { per_customer_limit: Some(quantity(limit)), ..stock(p, on_hand) })
}

/// Product 1 limited to 5 per customer, 100 on hand.
fn ledger() -> Ledger {
    let mut ledger = Ledger::new();
    ledger.one(limit(1, 100, 5));
    ledger.pass(Duration::from_secs(1));
    ledger
}

fn taken(ledger: &Ledger, who: &str) -> i64 {
    ledger.customer_units.get(&(customer(who), product(1))).map_or(0, |taken| taken.get())
}

#[test]
fn what_is_held_and_bought_counts_and_what_is_given_back_does_not() {
    let mut ledger = ledger();
    ledger.run(&[reserve_for(1, &[(1, 2)], "ann"), reserve_for(2, &[(1, 3)], "ann")]);
    assert_eq!(taken(&ledger, "ann"), 5);
    let refused = ReserveError::CustomerLimit { product: product(1), limit: quantity(5), taken: units(5) };
    assert_eq!(ledger.one(reserve_for(3, &[(1, 1)], "ann")), Outcome::Reserve(Err(refused)));
    assert_eq!(answer(&ledger.one(reserve_for(4, &[(1, 5)], "bob"))), "ok HELD");
    ledger.one(commit(1));
    assert_eq!(taken(&ledger, "ann"), 5);
    ledger.one(release_items(2, &[(1, 1)]));
    assert_eq!(taken(&ledger, "ann"), 4);
    ledger.one(commit_items(2, &[(1, 1)]));
    assert_eq!(taken(&ledger, "ann"), 3);
    ledger.one(release(4));
    assert!(!ledger.customer_units.contains_key(&(customer("bob"), product(1))), "zero leaves no row");
}

#[test]
fn a_limit_is_judged_on_what_earlier_commands_of_the_batch_took() {
    let mut ledger = ledger();
    let outcomes = ledger.run(&[
        reserve_for(1, &[(1, 3)], "ann"),
        reserve_for(2, &[(1, 3)], "ann"),
        release(1),
        reserve_for(3, &[(1, 3)], "ann"),
    ]);
    let answers: Vec<_> = outcomes.iter().map(answer).collect();
    assert_eq!(answers, ["ok HELD", "customer_limit", "ok RELEASED", "ok HELD"]);
}

#[test]
fn an_expired_hold_stops_counting_and_a_late_commit_counts_again_even_above_the_limit() {
    let mut ledger = ledger();
    ledger.one(reserve_for(1, &[(1, 4)], "ann"));
    ledger.pass(TTL);
    assert_eq!(answer(&ledger.one(reserve_for(2, &[(1, 4)], "ann"))), "customer_limit", "not swept yet");
    ledger.one(expire(1));
    assert_eq!(taken(&ledger, "ann"), 0);
    ledger.one(reserve_for(2, &[(1, 4)], "ann"));
    assert_eq!(answer(&ledger.one(commit(1))), "ok COMMITTED late");
    assert_eq!(taken(&ledger, "ann"), 8);
}

#[test]
fn reservations_older_than_the_limit_never_count() {
    let mut ledger = Ledger::stocked(&[(1, 100)]);
    ledger.one(reserve_for(1, &[(1, 4)], "ann"));
    ledger.pass(Duration::from_secs(1));
    ledger.one(limit(1, 100, 5));
    assert_eq!(taken(&ledger, "ann"), 0);
    assert_eq!(answer(&ledger.one(reserve_for(2, &[(1, 5)], "ann"))), "ok HELD");
    ledger.one(release(1));
    assert_eq!(taken(&ledger, "ann"), 5);
}

#[test]
fn a_limit_that_starts_in_a_batch_counts_what_the_batch_created_before() {
    let mut ledger = Ledger::stocked(&[(1, 100), (2, 100)]);
    let outcomes = ledger.run(&[
        reserve_for(1, &[(1, 2), (2, 1)], "ann"),
        reserve_for(2, &[(1, 2)], "ann"),
        reserve_for(3, &[(1, 9)], "ann"),
        release(3),
        limit(1, 100, 5),
        reserve_for(4, &[(1, 2)], "ann"),
        reserve_for(5, &[(1, 1)], "ann"),
    ]);
    assert_eq!(answer(&outcomes[5]), "customer_limit");
    assert_eq!(answer(&outcomes[6]), "ok HELD");
    assert_eq!(taken(&ledger, "ann"), 5);
    assert_eq!(ledger.products[&product(1)].limited_since, Some(ledger.reservations[&order(1)].created_at));
}

#[test]
fn changing_a_limit_keeps_its_start_and_a_set_without_one_keeps_it() {
    let mut ledger = ledger();
    let since = ledger.products[&product(1)].limited_since;
    ledger.one(reserve_for(1, &[(1, 4)], "ann"));
    ledger.pass(Duration::from_secs(1));
    ledger.run(&[limit(1, 100, 3), set(1, 90)]);
    let limited = &ledger.products[&product(1)];
    assert_eq!((limited.per_customer_limit, limited.limited_since), (Some(quantity(3)), since));
    let above = ReserveError::CustomerLimit { product: product(1), limit: quantity(3), taken: units(4) };
    assert_eq!(ledger.one(reserve_for(2, &[(1, 1)], "ann")), Outcome::Reserve(Err(above)));
}
