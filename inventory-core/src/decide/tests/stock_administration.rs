//! Adjust, set and import.

use super::ledger::Ledger;
use super::{adjust, note, product, quantity, reserve, set, stock, units};
use crate::command::{Adjust, Command, SetStock};
use crate::error::{AdjustError, SetError};
use crate::journal::ChangeKind;
use crate::limits::UNITS_MAX;
use crate::outcome::{Adjusted, Outcome, SetChange, StockSet};

fn adjusted(outcome: Outcome) -> Adjusted {
    let Outcome::Adjust(Ok(adjusted)) = outcome else { panic!("{outcome:?}") };
    adjusted
}

fn changed(outcome: Outcome) -> StockSet {
    let Outcome::Set(Ok(set)) = outcome else { panic!("{outcome:?}") };
    set
}

#[test]
fn i7_an_adjustment_takes_effect_once_and_answers_with_the_product_as_it_is() {
    let mut ledger = Ledger::stocked(&[(1, 10)]);
    let outcomes = ledger.run(&[adjust(1, "a", 5), adjust(1, "a", 5)]);
    let replayed: Vec<_> = outcomes.into_iter().map(|outcome| adjusted(outcome).replayed).collect();
    assert_eq!(replayed, [false, true]);
    ledger.one(set(1, 3));
    let again = ledger.decide(&[adjust(1, "a", 5)]);
    assert!(again.effects.is_empty());
    assert_eq!(
        again.outcomes[0].clone(),
        Outcome::Adjust(Ok(Adjusted { product: ledger.products[&product(1)].clone(), replayed: true }))
    );
}

#[test]
fn an_adjustment_id_with_other_content_is_a_conflict_that_names_the_difference() {
    let mut ledger = Ledger::stocked(&[(1, 10), (2, 10)]);
    ledger.one(adjust(1, "a", 5));
    let Command::Adjust(same) = adjust(1, "a", 5) else { panic!() };
    let cases = [
        (Adjust { product: product(2), ..same.clone() }, "product was 1, is 2"),
        (Adjust { delta: units(6), ..same.clone() }, "delta was 5, is 6"),
        (Adjust { reason: note("theft"), ..same.clone() }, "reason was \"count\", is \"theft\""),
        (Adjust { reference: Some(note("r")), ..same }, "reference was none, is \"r\""),
    ];
    for (other, difference) in cases {
        let conflict = AdjustError::Conflict { adjustment: "a".into(), difference: difference.into() };
        assert_eq!(ledger.one(Command::Adjust(other)), Outcome::Adjust(Err(conflict)));
    }
}

#[test]
fn i1_an_adjustment_never_goes_below_what_is_held() {
    let mut ledger = Ledger::stocked(&[(1, 10)]);
    ledger.one(reserve(1, &[(1, 4)]));
    let below = AdjustError::BelowHeld { product: product(1), on_hand: units(10), held: units(4) };
    for delta in [-7, -UNITS_MAX, i64::MIN] {
        assert_eq!(ledger.one(adjust(1, "a", delta)), Outcome::Adjust(Err(below.clone())));
    }
    assert_eq!(adjusted(ledger.one(adjust(1, "a", -6))).product.available(), units(0));
}

#[test]
fn i18_stock_never_exceeds_what_a_product_may_have() {
    let mut ledger = Ledger::stocked(&[(1, 10)]);
    for delta in [UNITS_MAX - 9, UNITS_MAX, i64::MAX] {
        let much = AdjustError::TooMuch(product(1));
        assert_eq!(ledger.one(adjust(1, "a", delta)), Outcome::Adjust(Err(much)));
    }
    assert_eq!(adjusted(ledger.one(adjust(1, "a", UNITS_MAX - 10))).product.on_hand, units(UNITS_MAX));
    assert!(matches!(ledger.one(set(1, UNITS_MAX + 1)), Outcome::Set(Err(SetError::Failed(_)))));
    assert!(matches!(ledger.one(set(1, -1)), Outcome::Set(Err(SetError::BelowHeld { .. }))));
    let unknown = AdjustError::ProductNotFound(product(9));
    assert_eq!(ledger.one(adjust(9, "b", 1)), Outcome::Adjust(Err(unknown)));
}

#[test]
fn a_delta_of_zero_is_journalled() {
    let mut ledger = Ledger::stocked(&[(1, 10)]);
    assert_eq!(adjusted(ledger.one(adjust(1, "a", 0))).product.version, 2);
    let journalled = &ledger.journal.last().unwrap().commands[0];
    assert_eq!((journalled.kind, journalled.lines[0].units), (ChangeKind::Adjust, units(0)));
    let remark = journalled.remark.as_ref().unwrap();
    assert_eq!(remark.adjustment.as_ref().map(|id| id.as_str()), Some("a"));
    assert_eq!(remark.reason, Some(note("count")));
}

#[test]
fn a_set_creates_then_updates_then_leaves_alone() {
    let mut ledger = Ledger::new();
    let full = SetStock {
        low_stock_threshold: Some(units(2)),
        per_customer_limit: Some(quantity(3)),
        name: Some(note("hat")),
        ..stock(1, 10)
    };
    let created = changed(ledger.one(Command::Set(full.clone())));
    assert_eq!(created.change, SetChange::Created);
    assert_eq!(created.product, ledger.products[&product(1)]);
    assert_eq!((created.product.version, created.product.admin_version), (1, 1));
    for unchanged in [Command::Set(full.clone()), Command::Import(full.clone()), set(1, 10)] {
        let decision = ledger.decide(&[unchanged]);
        assert!(decision.effects.is_empty());
        assert_eq!(changed(decision.outcomes[0].clone()).change, SetChange::Unchanged);
    }
    let updated = changed(ledger.one(Command::Import(stock(1, 8))));
    assert_eq!(updated.change, SetChange::Updated);
    assert_eq!((updated.product.version, updated.product.admin_version), (2, 2));
    assert_eq!(
        (updated.product.name, updated.product.low_stock_threshold),
        (full.name, full.low_stock_threshold)
    );
    let journalled = &ledger.journal.last().unwrap().commands[0];
    assert_eq!((journalled.kind, journalled.lines[0].units), (ChangeKind::Import, units(-2)));
    let named = SetStock { name: Some(note("cap")), ..stock(1, 8) };
    assert_eq!(changed(ledger.one(Command::Set(named))).change, SetChange::Updated);
    assert_eq!(ledger.journal.last().unwrap().commands[0].lines[0].units, units(0));
}

#[test]
fn i1_a_set_never_goes_below_what_is_held() {
    let mut ledger = Ledger::stocked(&[(1, 10)]);
    ledger.one(reserve(1, &[(1, 4)]));
    let below = SetError::BelowHeld { product: product(1), held: units(4) };
    assert_eq!(ledger.one(set(1, 3)), Outcome::Set(Err(below)));
    assert_eq!(changed(ledger.one(set(1, 4))).product.available(), units(0));
}

#[test]
fn a_stale_version_is_refused_even_behind_another_change_of_the_same_batch() {
    let mut ledger = Ledger::stocked(&[(1, 10)]);
    let at = |version, on_hand| {
        Command::Set(SetStock { expected_admin_version: Some(version), ..stock(1, on_hand) })
    };
    let stale = |now| Outcome::Set(Err(SetError::Stale { product: product(1), admin_version: Some(now) }));
    ledger.one(reserve(1, &[(1, 1)]));
    let outcomes = ledger.run(&[at(1, 20), at(1, 30), set(1, 40), at(2, 50)]);
    assert_eq!((&outcomes[1], &outcomes[3]), (&stale(2), &stale(3)), "sales do not count, changes do");
    assert_eq!(ledger.products[&product(1)].on_hand, units(40));
    let missing = Command::Set(SetStock { expected_admin_version: Some(1), ..stock(2, 1) });
    let refused = SetError::Stale { product: product(2), admin_version: None };
    assert_eq!(ledger.one(missing), Outcome::Set(Err(refused)));
}

#[test]
fn a_product_created_in_a_batch_can_be_sold_in_it() {
    let mut ledger = Ledger::new();
    ledger.run(&[set(1, 5), reserve(1, &[(1, 5)]), adjust(1, "a", 2)]);
    let created = &ledger.products[&product(1)];
    assert_eq!((created.version, created.on_hand, created.held), (1, units(7), units(5)));
    assert_eq!(ledger.journal.last().unwrap().products[0].previous, None);
}
