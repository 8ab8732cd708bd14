//! The order of checks, and what refusals name.

use std::time::Duration;

use super::ledger::Ledger;
use super::table::answer;
use super::{
    TTL, TTL_MAX, commit, commit_items, customer, expire, extend, lines, order, product, quantity, release,
    release_items, reserve, reserve_for, stock, units,
};
use crate::command::Command;
use crate::error::{CommitError, Difference, ExtendError, ReleaseError, ReserveError, Shortage};
use crate::outcome::Outcome;
use crate::reservation::Status;

fn quantity_differs(p: i64, had: u32, asked: u32) -> Difference {
    Difference::Quantity { product: product(p), had, asked }
}

fn limited(p: i64, on_hand: i64, limit: i64) -> Command {
    Command::Set(crate::command::SetStock { per_customer_limit: Some(quantity(limit)), ..stock(p, on_hand) })
}

#[test]
fn a_reserve_is_refused_for_the_first_reason_in_the_contracts_order() {
    let mut ledger = Ledger::stocked(&[(1, 10), (2, 1)]);
    ledger.one(limited(3, 10, 1));
    ledger.one(reserve(1, &[(1, 1)]));
    ledger.one(release(1));
    // Everything is wrong with it: each reason mended shows the next.
    let everything = [(2, 9), (3, 2), (98, 1), (99, 1)];
    assert_eq!(answer(&ledger.one(reserve(1, &everything))), "conflict");
    assert_eq!(answer(&ledger.one(reserve(1, &[(1, 1)]))), "already_released");
    assert_eq!(
        ledger.one(reserve(2, &everything)),
        Outcome::Reserve(Err(ReserveError::ProductNotFound(vec![product(98), product(99)])))
    );
    let known = [(2, 9), (3, 2)];
    assert_eq!(
        ledger.one(reserve(2, &known)),
        Outcome::Reserve(Err(ReserveError::CustomerRequired { product: product(3), limit: quantity(1) }))
    );
    assert_eq!(
        ledger.one(reserve_for(2, &known, "ann")),
        Outcome::Reserve(Err(ReserveError::CustomerLimit {
            product: product(3),
            limit: quantity(1),
            taken: units(0)
        }))
    );
    assert_eq!(answer(&ledger.one(reserve_for(2, &[(2, 9), (3, 1)], "ann"))), "insufficient_stock");
    assert_eq!(answer(&ledger.one(reserve_for(2, &[(2, 1), (3, 1)], "ann"))), "ok HELD");
}

#[test]
fn i10_every_short_line_is_named_and_no_line_is_taken() {
    let mut ledger = Ledger::stocked(&[(1, 10), (2, 3), (3, 0)]);
    let short = |p, requested, available| Shortage {
        product: product(p),
        requested: quantity(requested),
        available: units(available),
        earliest_expiry_at: None,
    };
    let decision = ledger.decide(&[reserve(1, &[(3, 1), (1, 10), (2, 4)])]);
    assert_eq!(
        decision.outcomes,
        [Outcome::Reserve(Err(ReserveError::InsufficientStock(vec![short(2, 4, 3), short(3, 1, 0)])))]
    );
    assert!(decision.effects.is_empty());
}

#[test]
fn a_conflict_names_the_first_difference_even_of_an_ended_order() {
    let mut ledger = Ledger::stocked(&[(1, 10), (2, 10), (3, 10)]);
    let conflict = |difference| Outcome::Reserve(Err(ReserveError::Conflict { order: order(1), difference }));
    ledger.one(reserve_for(1, &[(1, 1), (2, 2)], "ann"));
    let had = [(1, 1), (2, 2)];
    let cases = [
        (vec![(1, 1), (2, 3)], quantity_differs(2, 2, 3)),
        (vec![(1, 1)], quantity_differs(2, 2, 0)),
        (vec![(2, 2)], quantity_differs(1, 1, 0)),
        (vec![(0, 5), (1, 1), (2, 2)], quantity_differs(0, 0, 5)),
        (vec![(1, 1), (2, 2), (3, 1)], quantity_differs(3, 0, 1)),
    ];
    for (asked, difference) in cases {
        assert_eq!(ledger.one(reserve_for(1, &asked, "ann")), conflict(difference), "{asked:?}");
    }
    let ann = Some("ann".to_owned());
    let other = Difference::Customer { had: ann.clone(), asked: Some("bob".to_owned()) };
    assert_eq!(ledger.one(reserve_for(1, &had, "bob")), conflict(other));
    assert_eq!(ledger.one(reserve(1, &had)), conflict(Difference::Customer { had: ann, asked: None }));
    // A partial release changes what is held, not what was asked for.
    ledger.one(release_items(1, &[(2, 1)]));
    assert_eq!(answer(&ledger.one(reserve_for(1, &had, "ann"))), "replayed HELD");
    ledger.pass(TTL);
    assert_eq!(answer(&ledger.one(reserve(1, &[(1, 1)]))), "conflict");
    ledger.one(expire(1));
    assert_eq!(answer(&ledger.one(reserve(1, &[(1, 1)]))), "conflict");
    assert_eq!(answer(&ledger.one(reserve_for(1, &had, "ann"))), "expired");
}

#[test]
fn a_tombstone_refuses_any_lines_as_released() {
    let mut ledger = Ledger::stocked(&[(1, 10)]);
    ledger.one(release(1));
    let tombstone = &ledger.reservations[&order(1)];
    assert!(tombstone.is_tombstone());
    assert_eq!(
        (tombstone.status, tombstone.expires_at, tombstone.ended_at),
        (Status::Released, ledger.now, Some(ledger.now))
    );
    assert_eq!(answer(&ledger.one(reserve_for(1, &[(99, 1)], "ann"))), "already_released");
}

#[test]
fn a_partial_commit_gives_the_rest_back_and_is_repeatable() {
    let mut ledger = Ledger::stocked(&[(1, 10), (2, 10)]);
    ledger.one(reserve(1, &[(1, 4), (2, 2)]));
    let more = CommitError::MoreThanHeld { product: product(2), held: 2 };
    assert_eq!(ledger.one(commit_items(1, &[(1, 4), (2, 3)])), Outcome::Commit(Err(more)));
    let none = CommitError::MoreThanHeld { product: product(3), held: 0 };
    assert_eq!(ledger.one(commit_items(1, &[(3, 1)])), Outcome::Commit(Err(none)));
    assert_eq!(answer(&ledger.one(commit_items(1, &[(1, 3)]))), "ok COMMITTED");
    let committed = &ledger.reservations[&order(1)];
    assert_eq!((&committed.lines, committed.late), (&lines(&[(1, 3)]), false));
    let stock = |ledger: &Ledger, p| {
        (ledger.products[&product(p)].on_hand.get(), ledger.products[&product(p)].held.get())
    };
    assert_eq!((stock(&ledger, 1), stock(&ledger, 2)), ((7, 0), (10, 0)));
    let kinds: Vec<_> = ledger.journal.last().unwrap().commands.iter().map(|c| c.kind.name()).collect();
    assert_eq!(kinds, ["release_part", "commit"]);
    assert_eq!(answer(&ledger.one(commit(1))), "ok COMMITTED");
    assert_eq!(answer(&ledger.one(commit_items(1, &[(1, 3)]))), "ok COMMITTED");
    let conflict = CommitError::Conflict { order: order(1), difference: quantity_differs(1, 3, 4) };
    assert_eq!(ledger.one(commit_items(1, &[(1, 4)])), Outcome::Commit(Err(conflict)));
}

#[test]
fn a_late_partial_commit_needs_only_its_items_to_be_free() {
    let mut ledger = Ledger::stocked(&[(1, 10), (2, 2)]);
    ledger.one(reserve(1, &[(1, 4), (2, 2)]));
    ledger.pass(TTL);
    ledger.run(&[expire(1), reserve(2, &[(2, 1)])]);
    assert_eq!(answer(&ledger.one(commit_items(1, &[(1, 5)]))), "more_than_held");
    assert_eq!(answer(&ledger.one(commit_items(1, &[(1, 4), (2, 1)]))), "ok COMMITTED late");
    assert_eq!(ledger.reservations[&order(1)].lines, lines(&[(1, 4), (2, 1)]));
    assert_eq!(ledger.journal.last().unwrap().commands[0].kind.name(), "commit_late");
}

#[test]
fn a_late_commit_of_a_cart_takes_all_lines_or_none() {
    let mut ledger = Ledger::stocked(&[(1, 10), (2, 2)]);
    ledger.one(reserve(1, &[(1, 4), (2, 2)]));
    ledger.pass(TTL);
    ledger.run(&[expire(1), reserve(2, &[(2, 1)])]);
    assert_eq!(answer(&ledger.one(commit(1))), "expired");
    assert_eq!(ledger.reservations[&order(1)].status, Status::Lost);
    assert_eq!(ledger.products[&product(1)].on_hand, units(10));
}

#[test]
fn an_overdue_partial_commit_is_late_and_gives_the_rest_back() {
    let mut ledger = Ledger::stocked(&[(1, 4)]);
    ledger.one(reserve(1, &[(1, 4)]));
    ledger.pass(TTL);
    assert_eq!(answer(&ledger.one(commit_items(1, &[(1, 1)]))), "ok COMMITTED late");
    assert_eq!(ledger.products[&product(1)].available(), units(3));
}

#[test]
fn a_partial_release_of_everything_ends_the_hold_and_keeps_its_last_lines() {
    let mut ledger = Ledger::stocked(&[(1, 10)]);
    ledger.one(reserve(1, &[(1, 4)]));
    let more = ReleaseError::MoreThanHeld { product: product(1), held: 4 };
    assert_eq!(ledger.one(release_items(1, &[(1, 5)])), Outcome::Release(Err(more)));
    assert_eq!(answer(&ledger.one(release_items(1, &[(1, 1)]))), "ok HELD");
    assert_eq!(answer(&ledger.one(release_items(1, &[(1, 3)]))), "ok RELEASED");
    assert_eq!(ledger.reservations[&order(1)].lines, lines(&[(1, 3)]));
    let kinds: Vec<_> =
        ledger.journal.iter().rev().take(2).flat_map(|e| &e.commands).map(|c| c.kind.name()).collect();
    assert_eq!(kinds, ["release", "release_part"]);
}

#[test]
fn extend_moves_the_end_forward_only_and_not_beyond_the_ceiling() {
    let mut ledger = Ledger::stocked(&[(1, 10)]);
    ledger.one(reserve(1, &[(1, 4)]));
    let (created, end) = (ledger.now, ledger.now.plus(TTL));
    assert!(ledger.decide(&[extend(1, TTL)]).effects.is_empty());
    assert!(ledger.decide(&[extend(1, Duration::from_secs(1))]).effects.is_empty());
    ledger.pass(Duration::from_secs(1));
    ledger.one(extend(1, TTL));
    assert_eq!(ledger.reservations[&order(1)].expires_at, end.plus(Duration::from_secs(1)));
    let ceiling = created.plus(TTL_MAX);
    for ttl in [TTL_MAX, Duration::MAX] {
        let refused = ExtendError::TtlTooLong { expires_at_max: ceiling };
        assert_eq!(ledger.one(extend(1, ttl)), Outcome::Extend(Err(refused)));
    }
    assert_eq!(answer(&ledger.one(extend(1, TTL_MAX - Duration::from_secs(1)))), "ok HELD");
    assert_eq!(ledger.reservations[&order(1)].expires_at, ceiling);
}

#[test]
fn i8_a_hold_ends_at_its_time_to_the_microsecond() {
    let mut ledger = Ledger::stocked(&[(1, 10)]);
    ledger.one(reserve(1, &[(1, 4)]));
    ledger.pass(TTL - Duration::from_micros(1));
    assert_eq!(answer(&ledger.one(expire(1))), "not_yet");
    ledger.pass(Duration::from_micros(1));
    assert_eq!(answer(&ledger.one(extend(1, TTL))), "expired");
    assert_eq!(answer(&ledger.one(expire(1))), "expired now");
    assert_eq!(ledger.reservations[&order(1)].ended_at, Some(ledger.now));
}

#[test]
fn a_command_whose_product_is_not_locked_fails_safely() {
    let mut ledger = Ledger::stocked(&[(1, 10), (2, 10)]);
    ledger.one(reserve(1, &[(1, 4), (2, 1)]));
    ledger.one(reserve(2, &[(1, 1)]));
    let commands = [
        commit(1),
        commit_items(1, &[(2, 1)]),
        release(1),
        release_items(1, &[(1, 1)]),
        reserve(3, &[(1, 1), (2, 1)]),
        super::set(1, 50),
        super::adjust(1, "a", 1),
        expire(2),
    ];
    for overdue in [false, true] {
        if overdue {
            ledger.pass(TTL);
        }
        for command in
            commands.iter().filter(|c| !overdue || matches!(c, Command::Commit(_) | Command::Expire(_)))
        {
            let mut locked = ledger.lock(std::slice::from_ref(command), true);
            locked.products.remove(&product(1));
            locked.skipped = vec![product(1)];
            let batch = crate::ids::BatchId::new(uuid::Uuid::nil());
            let one = std::slice::from_ref(command);
            let decision = super::super::decide(locked, one, batch, &super::ledger::PlainEvents);
            assert!(decision.effects.is_empty(), "{command:?}");
            let answer = answer(&decision.outcomes[0]);
            let safe = answer == "failed" || answer == "not_yet" || answer.contains("Unavailable");
            assert!(safe, "{command:?}: {answer}");
        }
    }
}

#[test]
fn a_reserve_remembers_its_customer_and_times() {
    let mut ledger = Ledger::stocked(&[(1, 10)]);
    ledger.one(reserve_for(1, &[(1, 4)], "ann"));
    let held = &ledger.reservations[&order(1)];
    assert_eq!(held.customer, Some(customer("ann")));
    assert_eq!(
        (held.created_at, held.expires_at, held.expires_at_max, held.ended_at),
        (ledger.now, ledger.now.plus(TTL), ledger.now.plus(TTL_MAX), None)
    );
    let journalled = &ledger.journal.last().unwrap().commands[0];
    assert_eq!(journalled.remark.as_ref().unwrap().customer, Some(customer("ann")));
}
