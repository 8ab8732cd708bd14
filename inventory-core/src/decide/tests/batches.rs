//! Several commands on one order or product in one batch.

use super::ledger::Ledger;
use super::table::answer;
use super::{TTL, adjust, commit, expire, extend, order, product, release, reserve, set, units};
use crate::command::Command;
use crate::reservation::Status;

fn answers(ledger: &mut Ledger, commands: &[Command]) -> Vec<String> {
    ledger.run(commands).iter().map(answer).collect()
}

#[test]
fn i7_an_order_twice_in_a_batch_of_reserves_is_held_once() {
    let mut ledger = Ledger::stocked(&[(1, 10)]);
    let batch = [reserve(1, &[(1, 4)]), reserve(1, &[(1, 4)]), reserve(1, &[(1, 5)]), reserve(2, &[(1, 6)])];
    assert_eq!(answers(&mut ledger, &batch), ["ok HELD", "replayed HELD", "conflict", "ok HELD"]);
    assert_eq!(ledger.products[&product(1)].held, units(10));
}

#[test]
fn i7_a_reserve_known_to_the_store_is_replayed_after_a_second_look() {
    let mut ledger = Ledger::stocked(&[(1, 10)]);
    ledger.one(reserve(1, &[(1, 4)]));
    let batch = [reserve(2, &[(1, 6)]), reserve(1, &[(1, 4)])];
    assert_eq!(answers(&mut ledger, &batch), ["ok HELD", "replayed HELD"]);
}

#[test]
fn a_refused_order_leaves_no_trace_and_may_be_asked_again_in_the_batch() {
    let mut ledger = Ledger::stocked(&[(1, 10)]);
    let batch = [reserve(1, &[(1, 11)]), reserve(1, &[(1, 10)]), reserve(2, &[(1, 1)])];
    assert_eq!(answers(&mut ledger, &batch), ["insufficient_stock", "ok HELD", "insufficient_stock"]);
    assert_eq!(ledger.journal.last().unwrap().commands.len(), 1);
}

#[test]
fn i4_a_whole_life_in_one_batch_is_one_created_row() {
    let mut ledger = Ledger::stocked(&[(1, 10)]);
    let batch = [reserve(1, &[(1, 4)]), release(1), commit(1), reserve(1, &[(1, 4)])];
    let decision = ledger.decide(&batch);
    assert_eq!(decision.effects.created.len(), 1);
    assert_eq!(decision.effects.changed, []);
    assert_eq!(
        answers(&mut ledger, &batch),
        ["ok HELD", "ok RELEASED", "already_released", "already_released"]
    );
    assert_eq!(ledger.reservations[&order(1)].status, Status::Released);
    assert_eq!(ledger.journal.last().unwrap().commands.len(), 2);
}

#[test]
fn a_tombstone_in_a_batch_refuses_the_reserve_behind_it() {
    let mut ledger = Ledger::stocked(&[(1, 10)]);
    let batch = [release(1), reserve(1, &[(1, 4)]), release(1)];
    assert_eq!(answers(&mut ledger, &batch), ["ok RELEASED", "already_released", "ok RELEASED"]);
}

#[test]
fn i4_commit_and_release_in_one_batch_have_one_winner() {
    for (first, second, expected) in [
        (commit(1), release(1), ["ok COMMITTED", "already_committed"]),
        (release(1), commit(1), ["ok RELEASED", "already_released"]),
    ] {
        let mut ledger = Ledger::stocked(&[(1, 10)]);
        ledger.one(reserve(1, &[(1, 4)]));
        assert_eq!(answers(&mut ledger, &[first, second]), expected);
    }
}

#[test]
fn stock_that_a_command_frees_serves_the_next_one() {
    let mut ledger = Ledger::stocked(&[(1, 4)]);
    ledger.one(reserve(1, &[(1, 4)]));
    ledger.pass(TTL);
    ledger.told();
    let batch = [reserve(2, &[(1, 4)]), expire(1), reserve(3, &[(1, 4)]), commit(1)];
    assert_eq!(
        answers(&mut ledger, &batch),
        ["insufficient_stock", "expired now", "ok HELD", "expired"],
        "and the late one is lost"
    );
    assert_eq!(ledger.reservations[&order(1)].status, Status::Lost);
    assert_eq!(ledger.told(), ["expired 1", "commit failed 1"]);
}

#[test]
fn a_version_rises_once_per_batch_and_an_admin_version_with_every_change() {
    let mut ledger = Ledger::stocked(&[(1, 10)]);
    let versions = |ledger: &Ledger| {
        let stock = &ledger.products[&product(1)];
        (stock.version, stock.admin_version)
    };
    ledger.run(&[reserve(1, &[(1, 1)]), reserve(2, &[(1, 1)]), commit(1)]);
    assert_eq!(versions(&ledger), (2, 1));
    ledger.run(&[set(1, 20), adjust(1, "a", 1), set(1, 21), reserve(3, &[(1, 1)])]);
    assert_eq!(versions(&ledger), (3, 3));
    ledger.run(&[extend(2, TTL), release(99)]);
    assert_eq!(versions(&ledger), (3, 3), "what moves no stock touches no product");
}
