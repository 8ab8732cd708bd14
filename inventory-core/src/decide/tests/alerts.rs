//! `low` and `depleted` fire once per fall, judged on the batch's final state.

use super::ledger::Ledger;
use super::{adjust, product, release, reserve, set, stock, units};
use crate::command::{Command, SetStock};
use crate::product::Alert;

/// 10 on hand, low below 5.
fn ledger() -> Ledger {
    let mut ledger = Ledger::new();
    ledger.one(with_threshold(10, 5));
    ledger
}

fn with_threshold(on_hand: i64, threshold: i64) -> Command {
    Command::Set(SetStock { low_stock_threshold: Some(units(threshold)), ..stock(1, on_hand) })
}

fn alert(ledger: &Ledger) -> Alert {
    ledger.products[&product(1)].alert
}

#[test]
fn falling_below_the_threshold_fires_low_once_and_rising_re_arms() {
    let mut ledger = ledger();
    ledger.one(reserve(1, &[(1, 5)]));
    assert_eq!((ledger.told(), alert(&ledger)), (vec![], Alert::None), "at the threshold is not below");
    ledger.one(reserve(2, &[(1, 1)]));
    assert_eq!((ledger.told(), alert(&ledger)), (vec!["low 1".to_owned()], Alert::Low));
    ledger.one(reserve(3, &[(1, 1)]));
    assert_eq!(ledger.told(), Vec::<String>::new());
    ledger.run(&[release(2), release(3)]);
    assert_eq!((ledger.told(), alert(&ledger)), (vec![], Alert::Low), "just at the threshold is not enough");
    ledger.one(reserve(4, &[(1, 1)]));
    assert_eq!(ledger.told(), Vec::<String>::new());
    ledger.run(&[release(4), adjust(1, "a", 1)]);
    assert_eq!((ledger.told(), alert(&ledger)), (vec![], Alert::None));
    ledger.one(reserve(5, &[(1, 2)]));
    assert_eq!(ledger.told(), ["low 1"]);
}

#[test]
fn falling_to_zero_fires_depleted_once_and_rising_to_low_fires_nothing() {
    let mut ledger = ledger();
    ledger.one(reserve(1, &[(1, 6)]));
    ledger.one(reserve(2, &[(1, 4)]));
    assert_eq!((ledger.told(), alert(&ledger)), (vec!["low 1".into(), "depleted 1".into()], Alert::Depleted));
    ledger.one(adjust(1, "a", 0));
    assert_eq!(ledger.told(), Vec::<String>::new());
    ledger.one(release(2));
    assert_eq!((ledger.told(), alert(&ledger)), (vec![], Alert::Low));
    ledger.one(reserve(3, &[(1, 4)]));
    assert_eq!(ledger.told(), ["depleted 1"]);
}

#[test]
fn hovering_at_zero_fires_depleted_once() {
    let mut ledger = ledger();
    ledger.one(reserve(1, &[(1, 9)]));
    ledger.one(reserve(2, &[(1, 1)]));
    assert_eq!(ledger.told(), ["low 1", "depleted 1"]);
    for order in 3..6 {
        ledger.one(release(order - 1));
        ledger.one(reserve(order, &[(1, 1)]));
        assert_eq!(ledger.told(), Vec::<String>::new(), "one unit came and went");
    }
    ledger.run(&[release(5), adjust(1, "a", 1)]);
    ledger.one(reserve(6, &[(1, 2)]));
    assert_eq!(ledger.told(), ["depleted 1"]);
}

#[test]
fn a_level_is_told_once_a_batch_as_it_is_at_its_end_and_changes_nothing() {
    let mut ledger = ledger();
    let announce = || Command::Announce(product(1));
    let unknown = Command::Announce(product(9));
    ledger.run(&[announce(), reserve(1, &[(1, 2)]), announce(), unknown]);
    assert_eq!(ledger.told(), ["level 1=8"]);
    let version = ledger.products[&product(1)].version;
    ledger.one(announce());
    assert_eq!((ledger.told(), ledger.products[&product(1)].version), (vec!["level 1=8".into()], version));
}

#[test]
fn falling_straight_to_zero_fires_depleted_only() {
    let mut ledger = ledger();
    ledger.one(reserve(1, &[(1, 10)]));
    assert_eq!(ledger.told(), ["depleted 1"]);
}

#[test]
fn a_dip_within_one_batch_fires_nothing() {
    let mut ledger = ledger();
    ledger.run(&[reserve(1, &[(1, 10)]), release(1)]);
    assert_eq!((ledger.told(), alert(&ledger)), (vec![], Alert::None));
    assert_eq!(ledger.products[&product(1)].version, 2);
}

#[test]
fn without_a_threshold_only_depleted_fires() {
    let mut ledger = Ledger::stocked(&[(1, 10)]);
    ledger.one(reserve(1, &[(1, 9)]));
    assert_eq!(ledger.told(), Vec::<String>::new());
    ledger.one(reserve(2, &[(1, 1)]));
    assert_eq!(ledger.told(), ["depleted 1"]);
}

#[test]
fn creating_a_product_is_silent_and_leaves_it_armed_for_what_it_is_not_yet() {
    let mut ledger = Ledger::new();
    ledger.run(&[set(1, 0), set(2, 1)]);
    assert_eq!((ledger.told(), alert(&ledger)), (vec![], Alert::Depleted));
    ledger.one(reserve(1, &[(2, 1)]));
    assert_eq!(ledger.told(), ["depleted 2"]);
}

#[test]
fn raising_the_threshold_above_the_stock_fires_low() {
    let mut ledger = ledger();
    ledger.one(with_threshold(10, 11));
    assert_eq!(ledger.told(), ["low 1"]);
    ledger.one(with_threshold(10, 0));
    assert_eq!((ledger.told(), alert(&ledger)), (vec![], Alert::None));
}
