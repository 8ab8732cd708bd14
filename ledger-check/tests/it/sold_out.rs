//! "Sold out", justified and not.

use std::time::Duration;

use ledger_check::history::Answer;
use ledger_check::{Options, Violation};

use crate::toy::{Toy, adjust, commit, release, reserve, sold_out};

/// Δ of the default options, in microseconds.
fn delta() -> i64 {
    i64::try_from(Options::default().staleness.as_micros()).unwrap()
}

fn unjustified(violation: &Violation) -> bool {
    matches!(violation, Violation::SoldOutUnjustified { .. })
}

#[test]
fn i14_a_refusal_from_memory_older_than_delta_is_found() {
    let mut toy = Toy::stocked(&[(1, 2)]);
    let (a, b) = (toy.id(), toy.id());
    toy.ask(reserve(a, &[(1, 2)]));
    toy.ask(release(a));
    let released = toy.now;
    toy.now = released + delta() - 10;
    let mut fresh = toy.clone();
    fresh.pretend(reserve(b, &[(1, 1)]), sold_out(1, 1, 0));
    fresh.is_clean();
    toy.wait(1);
    toy.pretend(reserve(b, &[(1, 1)]), sold_out(1, 1, 0));
    let verdict = toy.is_caught(unjustified);
    assert!(verdict.to_string().contains("never fewer than 2"), "{verdict}");
    let patient = Options { staleness: Duration::from_millis(51), ..Options::default() };
    assert!(toy.check_with(&patient).is_clean());
}

#[test]
fn i14_a_refusal_while_there_always_was_enough_is_found() {
    let mut toy = Toy::stocked(&[(1, 2)]);
    let a = toy.id();
    toy.pretend(reserve(a, &[(1, 2)]), sold_out(1, 2, 1));
    toy.is_caught(unjustified);
}

#[test]
fn i14_a_refusal_ahead_of_time_is_found() {
    let mut toy = Toy::stocked(&[(1, 2)]);
    let (a, b) = (toy.id(), toy.id());
    toy.pretend(reserve(b, &[(1, 1)]), sold_out(1, 1, 0));
    toy.ask(reserve(a, &[(1, 2)]));
    toy.is_caught(unjustified);
}

#[test]
fn i14_a_take_under_way_that_is_committed_later_justifies() {
    let mut toy = Toy::stocked(&[(1, 2)]);
    let (a, b) = (toy.id(), toy.id());
    let asked_at = toy.now;
    toy.pretend(reserve(b, &[(1, 1)]), sold_out(1, 1, 0));
    toy.batch(&[reserve(a, &[(1, 2)])]);
    toy.wait(10);
    toy.tell(reserve(a, &[(1, 2)]), asked_at, Some((toy.now, crate::toy::held())));
    toy.is_clean();
}

#[test]
fn i14_a_take_that_never_commits_justifies_only_while_it_is_open() {
    for answer in [Answer::Unavailable, Answer::Overloaded] {
        let mut toy = Toy::stocked(&[(1, 2)]);
        let (a, b, c) = (toy.id(), toy.id(), toy.id());
        let asked_at = toy.now;
        toy.pretend(reserve(b, &[(1, 1)]), sold_out(1, 1, 0));
        toy.tell(reserve(a, &[(1, 2)]), asked_at, Some((toy.now, answer)));
        toy.is_clean();
        toy.wait(delta() + 100);
        toy.pretend(reserve(c, &[(1, 1)]), sold_out(1, 1, 0));
        toy.is_caught(unjustified);
    }
}

#[test]
fn i14_a_caller_that_died_stands_in_the_way_for_a_while() {
    let mut toy = Toy::stocked(&[(1, 2)]);
    let (a, b) = (toy.id(), toy.id());
    toy.tell(reserve(a, &[(1, 2)]), toy.now, None);
    toy.wait(1_000_000);
    toy.pretend(reserve(b, &[(1, 1)]), sold_out(1, 1, 0));
    toy.is_clean();
    let options = Options { outcome_open_max: Duration::from_millis(500), ..Options::default() };
    assert!(toy.check_with(&options).violations.iter().any(unjustified));
}

#[test]
fn i14_refusals_do_not_justify_one_another() {
    let mut toy = Toy::stocked(&[(1, 1)]);
    let asked_at = toy.now;
    toy.wait(100);
    for _ in 0..5 {
        let order = toy.id();
        toy.tell(reserve(order, &[(1, 1)]), asked_at, Some((toy.now, sold_out(1, 1, 0))));
    }
    assert_eq!(toy.check().violations.iter().filter(|v| unjustified(v)).count(), 5);
}

#[test]
fn i14_a_cart_that_is_refused_holds_its_other_lines_for_a_moment() {
    let mut toy = Toy::stocked(&[(1, 1), (2, 0)]);
    let (cart, b) = (toy.id(), toy.id());
    let asked_at = toy.now;
    toy.wait(100);
    toy.tell(reserve(cart, &[(1, 1), (2, 1)]), asked_at, Some((toy.now, sold_out(2, 1, 0))));
    toy.tell(reserve(b, &[(1, 1)]), asked_at, Some((toy.now, sold_out(1, 1, 0))));
    toy.is_clean();
}

#[test]
fn i14_a_figure_that_never_was_is_found() {
    let mut toy = Toy::stocked(&[(1, 3)]);
    let order = toy.id();
    toy.pretend(reserve(order, &[(1, 5)]), sold_out(1, 5, 2));
    toy.is_caught(|v| matches!(v, Violation::SoldOutFigure { told: 2, least: 3, most: 3, .. }));
    let mut toy = Toy::stocked(&[(1, 3)]);
    let order = toy.id();
    toy.pretend(reserve(order, &[(1, 5)]), sold_out(1, 5, 5));
    toy.is_caught(|v| matches!(v, Violation::SoldOutFigure { told: 5, .. }));
}

#[test]
fn i14_stock_that_is_written_off_meanwhile_justifies() {
    let mut toy = Toy::stocked(&[(1, 3)]);
    let (a, order) = (toy.id(), toy.id());
    toy.ask(reserve(a, &[(1, 1)]));
    toy.ask(commit(a));
    toy.ask(adjust("broken", 1, -2));
    toy.ask(reserve(order, &[(1, 1)]));
    toy.is_clean();
    toy.ask(adjust("found", 1, 2));
    toy.wait(delta() + 1);
    let late = toy.id();
    toy.pretend(reserve(late, &[(1, 1)]), sold_out(1, 1, 0));
    toy.is_caught(unjustified);
}

/// A batch of what was asked before somebody was refused, and of what was asked after: it was committed later than the refusal.
fn refused_before(batch: [ledger_check::history::Asked; 2]) -> Toy {
    let mut toy = Toy::stocked(&[(1, 2)]);
    let refused = toy.id();
    let asked_at = toy.now;
    toy.pretend(reserve(refused, &[(1, 1)]), sold_out(1, 1, 0));
    let asked_later = toy.now + 5;
    toy.wait(10);
    let answers = toy.batch(&batch);
    toy.wait(10);
    for ((asked, answer), asked_at) in batch.into_iter().zip(answers).zip([asked_at, asked_later]) {
        toy.tell(asked, asked_at, Some((toy.now, answer)));
    }
    toy
}

#[test]
fn i14_what_is_lowered_under_way_justifies_only_once_it_is_asked_for() {
    let (a, b) = (uuid::Uuid::from_u128(50), uuid::Uuid::from_u128(51));
    refused_before([reserve(a, &[(1, 2)]), release(b)]).is_clean();
    refused_before([release(b), reserve(a, &[(1, 2)])]).is_caught(unjustified);
    refused_before([adjust("broken", 1, -2), adjust("found", 1, 1)]).is_clean();
    refused_before([adjust("found", 1, 1), adjust("broken", 1, -2)]).is_caught(unjustified);
}

#[test]
fn i14_a_figure_above_all_there_was_is_found() {
    let mut toy = Toy::stocked(&[(1, 3)]);
    let order = toy.id();
    toy.pretend(reserve(order, &[(1, 5)]), sold_out(1, 5, 4));
    toy.is_caught(|v| matches!(v, Violation::SoldOutFigure { told: 4, most: 3, .. }));
}
