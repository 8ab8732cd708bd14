//! A delivery takes effect once, whatever else happened to the order.

use super::ledger::Ledger;
use super::table::answer;
use super::{
    TTL, commit, commit_items, delivered, delivery, expire, product, release, release_items, reserve, units,
};
use crate::command::Command;

/// Product 1 with 10 on hand; order 1 holds 4 of it.
fn ledger() -> Ledger {
    let mut ledger = Ledger::stocked(&[(1, 10)]);
    ledger.one(reserve(1, &[(1, 4)]));
    ledger
}

fn answer_of(ledger: &mut Ledger, command: &Command) -> String {
    answer(&ledger.one(command.clone()))
}

#[test]
fn i7_a_partial_release_under_a_delivery_takes_effect_once() {
    let mut ledger = ledger();
    let part = delivered(release_items(1, &[(1, 3)]), "m");
    let outcomes = ledger.run(&[part.clone(), part.clone()]);
    assert_eq!(outcomes[0], outcomes[1], "within a batch");
    let again = ledger.decide(std::slice::from_ref(&part));
    assert!(again.effects.is_empty(), "and after it");
    assert_eq!(again.outcomes[0], outcomes[0]);
    assert_eq!(ledger.products[&product(1)].held, units(1));
    let journalled = ledger.journal.last().unwrap().commands[0].remark.clone().unwrap();
    assert_eq!(journalled.delivery, Some(delivery("m")));
    assert_eq!(answer_of(&mut ledger, &delivered(release_items(1, &[(1, 1)]), "n")), "ok RELEASED");
    assert_eq!(answer_of(&mut ledger, &delivered(release_items(1, &[(1, 1)]), "n")), "ok RELEASED");
    ledger.one(delivered(release_items(1, &[(1, 1)]), "o"));
}

#[test]
fn i7_a_refused_partial_release_is_refused_again() {
    let mut ledger = ledger();
    let more = delivered(release_items(1, &[(1, 5)]), "m");
    assert_eq!(answer_of(&mut ledger, &more), "more_than_held");
    assert_eq!(answer_of(&mut ledger, &more), "more_than_held");
    ledger.one(release(1));
    let late = delivered(release_items(1, &[(1, 1)]), "n");
    assert_eq!(answer_of(&mut ledger, &late), "already_released");
    assert_eq!(answer_of(&mut ledger, &late), "already_released");
}

#[test]
fn a_commit_that_came_before_its_reserve_is_handled_for_good() {
    let mut ledger = Ledger::stocked(&[(1, 10)]);
    let early = delivered(commit(1), "m");
    assert_eq!(answer_of(&mut ledger, &early), "not_found");
    ledger.one(reserve(1, &[(1, 4)]));
    assert_eq!(answer_of(&mut ledger, &early), "not_found");
    assert_eq!(ledger.products[&product(1)].held, units(4), "no effect");
    assert_eq!(answer_of(&mut ledger, &delivered(commit(1), "n")), "ok COMMITTED");
    assert_eq!(answer_of(&mut ledger, &early), "ok COMMITTED");
}

#[test]
fn i7_a_partial_release_that_came_before_its_reserve_takes_effect_when_it_is_repeated_and_then_no_more() {
    let mut ledger = Ledger::stocked(&[(1, 10)]);
    let early = delivered(release_items(1, &[(1, 3)]), "m");
    assert_eq!(answer_of(&mut ledger, &early), "not_found");
    ledger.one(reserve(1, &[(1, 4)]));
    for repeat in 1..3 {
        assert_eq!(answer_of(&mut ledger, &early), "ok HELD");
        assert_eq!(ledger.products[&product(1)].held, units(1), "repeat {repeat}");
    }
}

#[test]
fn a_repeated_delivery_answers_from_where_the_order_stands_now() {
    let (held, more) = ([(1, 4)], [(1, 5)]);
    let states: [(&[Command], bool, [&str; 4]); 5] = [
        (&[], false, ["not_found", "not_found", "ok HELD", "ok HELD"]),
        (&[commit(1)], false, ["ok COMMITTED", "conflict", "already_committed", "already_committed"]),
        (&[release(1)], false, ["already_released", "already_released", "ok RELEASED", "ok RELEASED"]),
        (&[], true, ["expired", "expired", "ok HELD", "expired"]),
        (&[expire(1)], true, ["expired", "expired", "ok EXPIRED", "expired"]),
    ];
    for (commands, overdue, expected) in states {
        let mut ledger = ledger();
        // Deliveries handled for another order: nothing of them may take effect here.
        for message in ["commit", "commit more", "release", "release part"] {
            ledger.one(delivered(release(99), message));
        }
        if overdue {
            ledger.pass(TTL);
        }
        for command in commands {
            ledger.one(command.clone());
        }
        let repeats = [
            delivered(commit_items(1, &held), "commit"),
            delivered(commit_items(1, &more), "commit more"),
            delivered(release(1), "release"),
            delivered(release_items(1, &more), "release part"),
        ];
        for (repeat, expected) in repeats.iter().zip(expected) {
            let decision = ledger.decide(std::slice::from_ref(repeat));
            assert!(decision.effects.is_empty(), "{repeat:?}");
            assert_eq!(answer(&decision.outcomes[0]), expected, "{repeat:?} after {commands:?}");
        }
    }
}

#[test]
fn a_repeat_of_an_order_that_was_pruned_answers_without_a_second_tombstone() {
    let mut ledger = ledger();
    let (whole, part) = (delivered(release(1), "m"), delivered(release_items(2, &[(1, 1)]), "m"));
    ledger.one(whole.clone());
    ledger.reservations.clear();
    for (command, expected) in
        [(whole, "ok RELEASED"), (part, "not_found"), (delivered(commit(2), "m"), "not_found")]
    {
        let decision = ledger.decide(std::slice::from_ref(&command));
        assert!(decision.effects.is_empty());
        assert_eq!(answer(&decision.outcomes[0]), expected);
    }
}

#[test]
fn a_handled_delivery_is_recorded_even_if_nothing_else_changed() {
    let mut ledger = ledger();
    ledger.one(commit(1));
    for (n, command) in
        [commit(1), release(1), commit(2), release_items(1, &[(1, 1)])].into_iter().enumerate()
    {
        let decision = ledger.decide(&[delivered(command, &format!("m{n}"))]);
        assert_eq!(decision.effects.deliveries, [delivery(&format!("m{n}"))]);
        assert_eq!(decision.effects.journal.commands, []);
        assert!(!decision.effects.is_empty());
    }
}
