//! Journals that a broken ledger would write.

use inventory_core::clock::Timestamp;
use inventory_core::ids::BatchId;
use inventory_core::journal::ChangeKind;
use inventory_core::quantity::Units;
use ledger_check::{Options, Violation};
use uuid::Uuid;

use crate::toy::{TTL, Toy, commit, extend, held, release, release_part, reserve};

fn shop() -> (Toy, Uuid, Uuid) {
    let mut toy = Toy::stocked(&[(1, 10), (2, 10)]);
    let (a, b) = (toy.id(), toy.id());
    (toy, a, b)
}

#[test]
fn i9_a_dropped_lock_makes_one_version_twice() {
    let (mut toy, a, b) = shop();
    let before = toy.state.clone();
    toy.ask(reserve(a, &[(1, 1)]));
    toy.state = before;
    toy.ask(reserve(b, &[(1, 1)]));
    let lost = toy.journal[3].batch.get();
    toy.is_caught(
        |v| matches!(v, Violation::VersionTwice { product: 1, version: 2, batch, .. } if *batch == lost),
    );
}

#[test]
fn i9_a_batch_that_is_missing_from_the_journal_leaves_a_gap() {
    let (mut toy, a, b) = shop();
    toy.ask(reserve(a, &[(1, 1)]));
    toy.ask(reserve(b, &[(1, 1)]));
    toy.journal.remove(2);
    toy.is_caught(|v| matches!(v, Violation::VersionGap { product: 1, after: 1, version: 3, .. }));
}

#[test]
fn i9_a_first_batch_that_is_missing_is_a_gap_too() {
    let (mut toy, a, _) = shop();
    toy.ask(reserve(a, &[(1, 1)]));
    toy.journal.remove(0);
    toy.is_caught(|v| matches!(v, Violation::VersionGap { product: 1, after: 0, version: 2, .. }));
}

#[test]
fn i9_a_version_that_names_another_batch_before_it_is_found() {
    let (mut toy, a, _) = shop();
    toy.ask(reserve(a, &[(1, 1)]));
    let stranger = BatchId::new(Uuid::from_u128(99));
    toy.journal[2].products[0].previous = Some(stranger);
    toy.is_caught(|v| matches!(v, Violation::VersionLink { product: 1, named: Some(named), .. } if *named == stranger.get()));
    toy.journal[2].products[0].previous = None;
    toy.is_caught(|v| matches!(v, Violation::VersionLink { product: 1, named: None, .. }));
    let mut first = shop().0;
    first.journal[0].products[0].previous = Some(stranger);
    first.is_caught(|v| matches!(v, Violation::VersionLink { version: 1, before: None, .. }));
}

#[test]
fn i1_more_held_than_on_hand_is_found() {
    let (mut toy, a, _) = shop();
    toy.force(a, ChangeKind::Reserve, &[(1, 11)]);
    toy.is_caught(|v| matches!(v, Violation::StockBounds { product: 1, on_hand: 10, held: 11, .. }));
}

#[test]
fn i2_a_version_that_is_not_the_sum_of_its_commands_is_found() {
    let (mut toy, a, _) = shop();
    toy.ask(reserve(a, &[(1, 2)]));
    toy.journal[2].products[0].held = Units::stored(1);
    toy.is_caught(|v| matches!(v, Violation::StockEffect { product: 1, held: 1, held_expected: 2, .. }));
}

#[test]
fn i2_held_units_that_no_order_holds_are_found() {
    let (mut toy, a, _) = shop();
    toy.ask(reserve(a, &[(1, 2)]));
    toy.force(a, ChangeKind::Release, &[(1, 1)]);
    toy.tell(release(a), toy.now, None);
    toy.is_caught(|v| matches!(v, Violation::HeldSum { product: 1, held: 1, by_orders: 0 }));
}

#[test]
fn i18_numbers_out_of_range_are_found_and_nothing_overflows() {
    let (mut toy, a, _) = shop();
    toy.ask(reserve(a, &[(1, 1)]));
    toy.journal[2].commands[0].lines[0].units = Units::stored(i64::MAX);
    toy.journal[2].products[0].held = Units::stored(i64::MIN);
    toy.journal[2].products[0].version = u64::MAX;
    toy.is_caught(|v| matches!(v, Violation::Overflow { product: 1, .. }));
}

#[test]
fn i4_a_commit_after_a_release_is_found() {
    let (mut toy, a, _) = shop();
    toy.ask(reserve(a, &[(1, 2)]));
    toy.ask(release(a));
    toy.force(a, ChangeKind::Commit, &[(1, 2)]);
    toy.pretend(commit(a), ledger_check::history::Answer::Committed { late: false });
    let order = a;
    toy.is_caught(
        |v| matches!(v, Violation::HoldLife { order: o, did: "commit", was: "RELEASED", .. } if *o == order),
    );
}

#[test]
fn i4_a_hold_that_is_released_twice_is_found() {
    let (mut toy, a, _) = shop();
    toy.ask(reserve(a, &[(1, 2)]));
    toy.ask(release(a));
    toy.force(a, ChangeKind::Release, &[(1, 2)]);
    toy.is_caught(|v| matches!(v, Violation::HoldLife { did: "release", was: "RELEASED", .. }));
    toy.is_caught(|v| matches!(v, Violation::StockBounds { held: -2, .. }));
}

#[test]
fn i4_every_step_that_the_table_does_not_have_is_found() {
    use ChangeKind::{CommitLate, Expire, Extend, Lose, ReleaseExpired, Reserve, Tombstone};
    for kind in [Reserve, Tombstone, CommitLate, ReleaseExpired, Lose] {
        let (mut toy, a, _) = shop();
        toy.ask(reserve(a, &[(1, 2)]));
        toy.force(a, kind, &[]);
        toy.is_caught(|v| matches!(v, Violation::HoldLife { was: "HELD", did, .. } if *did == kind.name()));
    }
    for kind in [Reserve, Expire, Extend, Lose, CommitLate] {
        let (mut toy, a, _) = shop();
        toy.ask(reserve(a, &[(1, 2)]));
        toy.ask(commit(a));
        toy.force(a, kind, &[]);
        toy.is_caught(|v| matches!(v, Violation::HoldLife { was: "COMMITTED", .. }));
    }
}

#[test]
fn i4_an_expired_hold_ends_only_once_more() {
    let (mut toy, a, _) = shop();
    toy.ask(reserve(a, &[(1, 2)]));
    toy.wait(2 * i64::try_from(TTL).unwrap());
    toy.sweep();
    toy.ask(commit(a));
    toy.is_clean();
    toy.force(a, ChangeKind::ReleaseExpired, &[]);
    toy.is_caught(|v| matches!(v, Violation::HoldLife { was: "COMMITTED", did: "release_expired", .. }));
}

#[test]
fn i4_a_hold_past_its_time_that_is_extended_is_found() {
    let (mut toy, a, _) = shop();
    toy.ask(reserve(a, &[(1, 2)]));
    toy.wait(2 * i64::try_from(TTL).unwrap());
    toy.force(a, ChangeKind::Extend, &[]);
    toy.tell(extend(a, TTL), toy.now, None);
    toy.is_caught(|v| matches!(v, Violation::HoldLife { was: "past its time", .. }));
}

#[test]
fn i10_a_cart_that_lost_a_line_is_found() {
    let (mut toy, a, _) = shop();
    toy.force(a, ChangeKind::Reserve, &[(1, 2)]);
    toy.pretend(reserve(a, &[(1, 2), (2, 1)]), held());
    toy.is_caught(|v| matches!(v, Violation::CartLines { product: 2, asked: 1, taken: 0, .. }));
}

#[test]
fn i10_an_end_that_leaves_a_line_behind_is_found() {
    let (mut toy, a, b) = shop();
    toy.ask(reserve(a, &[(1, 2), (2, 1)]));
    toy.force(a, ChangeKind::Release, &[(1, 2)]);
    toy.ask(reserve(b, &[(1, 2)]));
    toy.force(b, ChangeKind::ReleasePart, &[(2, 1)]);
    toy.is_caught(|v| matches!(v, Violation::HoldLines { product: 2, held: 1, moved: 0, .. }));
    toy.is_caught(|v| matches!(v, Violation::HoldLines { product: 2, held: 0, moved: 1, .. }));
}

#[test]
fn i10_an_entry_whose_parts_do_not_fit_is_found() {
    let break_it = |how: fn(&mut Toy)| {
        let (mut toy, a, _) = shop();
        toy.ask(reserve(a, &[(1, 2), (2, 1)]));
        how(&mut toy);
        toy.is_caught(|v| matches!(v, Violation::EntryShape { .. }));
    };
    break_it(|toy| toy.journal[2].products.truncate(1));
    break_it(|toy| toy.journal[2].commands[0].lines.truncate(1));
    break_it(|toy| toy.journal.push(toy.journal[2].clone()));
    break_it(|toy| toy.journal[2].commands[0].order = None);
    break_it(|toy| toy.journal[2].commands[0].lines[0].units = Units::stored(0));
    break_it(|toy| toy.journal[2].products[1].product = inventory_core::ids::ProductId::new(1));
}

#[test]
fn i9_carts_that_each_came_first_are_a_cycle() {
    let (mut toy, a, b) = shop();
    toy.ask(reserve(a, &[(1, 1), (2, 1)]));
    toy.ask(reserve(b, &[(1, 1), (2, 1)]));
    // By product 2 they are the other way round.
    let (first, second) = (toy.journal[2].products[1], toy.journal[3].products[1]);
    let (one, two) = (toy.journal[2].batch, toy.journal[3].batch);
    toy.journal[2].products[1].version = second.version;
    toy.journal[2].products[1].previous = Some(two);
    toy.journal[2].products[1].held = second.held;
    toy.journal[3].products[1].version = first.version;
    toy.journal[3].products[1].previous = first.previous;
    toy.journal[3].products[1].held = first.held;
    let verdict = toy.is_caught(|v| {
        matches!(v, Violation::Cycle { batches, products }
        if products[..] == [1, 2] && batches.len() == 2 && batches.contains(&one.get()))
    });
    assert!(verdict.to_string().contains("not executed one after the other"), "{verdict}");
}

#[test]
fn i9_what_was_over_before_another_was_asked_must_not_come_after_it() {
    let (mut toy, a, b) = shop();
    toy.ask(reserve(a, &[(1, 1)]));
    toy.ask(reserve(b, &[(1, 1)]));
    toy.is_clean();
    // The records' times change places, the versions do not.
    let [first, second] =
        [2, 3].map(|at| (toy.records[at].invoked_at, toy.records[at].answered.as_ref().unwrap().at));
    for (at, (invoked_at, answered_at)) in [(2, second), (3, first)] {
        toy.records[at].invoked_at = invoked_at;
        toy.records[at].answered.as_mut().unwrap().at = answered_at;
    }
    let late = toy.records[2].sequence;
    toy.is_caught(|v| matches!(v, Violation::TimeOrder { invoked, .. } if invoked.sequence == late));
}

#[test]
fn i9_time_is_followed_through_other_products_carts() {
    let (mut toy, a, b) = shop();
    let cart = toy.id();
    toy.ask(reserve(a, &[(1, 1)]));
    toy.ask(reserve(cart, &[(1, 1), (2, 1)]));
    toy.ask(reserve(b, &[(2, 1)]));
    // The last one says that it was over before the first was asked; they share no product.
    let before = toy.records[2].invoked_at - 1;
    toy.records[4].invoked_at = before - 1;
    toy.records[4].answered.as_mut().unwrap().at = before;
    toy.is_caught(|v| matches!(v, Violation::TimeOrder { .. }));
}

#[test]
fn i8_a_hold_that_is_ended_before_its_time_is_found() {
    let (mut toy, a, _) = shop();
    toy.ask(reserve(a, &[(1, 1)]));
    toy.force(a, ChangeKind::Expire, &[(1, 1)]);
    let end = toy.state.orders[&a].expires_at;
    toy.is_caught(|v| matches!(v, Violation::ExpiredEarly { not_before, .. } if *not_before == end));
}

#[test]
fn i8_a_hold_that_was_extended_lasts_longer() {
    let (mut toy, a, _) = shop();
    toy.ask(reserve(a, &[(1, 1)]));
    toy.ask(extend(a, 3 * TTL));
    toy.wait(2 * i64::try_from(TTL).unwrap());
    toy.force(a, ChangeKind::Expire, &[(1, 1)]);
    toy.is_caught(|v| matches!(v, Violation::ExpiredEarly { .. }));
}

#[test]
fn i8_a_hold_that_outlives_its_time_at_rest_is_found() {
    let (mut toy, a, _) = shop();
    toy.ask(reserve(a, &[(1, 1)]));
    let end = toy.state.orders[&a].expires_at;
    let at = |micros: i64| Options {
        at_rest: Some(Timestamp::from_micros(end + 2_000_000 + micros)),
        ..Options::default()
    };
    assert!(toy.check_with(&at(0)).is_clean());
    let verdict = toy.check_with(&at(1));
    assert!(
        matches!(verdict.violations[..], [Violation::HeldTooLong { order, ended, .. }] if order == a && ended == end)
    );
}

#[test]
fn i6_an_effect_from_nowhere_is_found() {
    let (mut toy, a, b) = shop();
    toy.ask(reserve(a, &[(1, 1)]));
    toy.force(a, ChangeKind::Release, &[(1, 1)]);
    toy.force(b, ChangeKind::Reserve, &[(1, 1)]);
    toy.is_caught(|v| matches!(v, Violation::FromNowhere { order, did: "release", .. } if *order == a));
    toy.is_caught(|v| matches!(v, Violation::FromNowhere { order, did: "reserve", .. } if *order == b));
}

#[test]
fn i7_a_partial_release_that_is_done_twice_is_found() {
    let (mut toy, a, _) = shop();
    toy.ask(reserve(a, &[(1, 5)]));
    toy.ask(release_part(a, &[(1, 1)]));
    toy.is_clean();
    toy.force(a, ChangeKind::ReleasePart, &[(1, 1)]);
    toy.is_caught(|v| matches!(v, Violation::MoreThanOnce { did: "release_part", asked: 1, done: 2, .. }));
}

#[test]
fn i9_time_is_followed_through_an_orders_own_life() {
    let (mut toy, a, _) = shop();
    toy.ask(reserve(a, &[(1, 1)]));
    toy.ask(extend(a, 2 * TTL));
    toy.ask(commit(a));
    // The commit says that it was over before the extension was asked for; that one moves no product.
    let before = toy.records[3].invoked_at;
    toy.records[3].invoked_at = toy.now + 10;
    toy.records[3].answered.as_mut().unwrap().at = toy.now + 20;
    toy.records[4].invoked_at = before;
    toy.is_caught(|v| matches!(v, Violation::TimeOrder { invoked, .. } if invoked.asked == "extend"));
}

#[test]
fn i10_giving_back_more_than_is_held_is_found() {
    for kind in [ChangeKind::ReleasePart, ChangeKind::Release, ChangeKind::Expire] {
        let (mut toy, a, _) = shop();
        toy.ask(reserve(a, &[(1, 2)]));
        toy.force(a, kind, &[(1, 3)]);
        toy.is_caught(|v| matches!(v, Violation::HoldLines { product: 1, held: 2, moved: 3, .. }));
    }
}
