//! The account of a product.

use inventory_core::explain::{ExplainError, Stock, explain};
use inventory_core::ids::ProductId;
use inventory_core::journal::{ProductChange, ProductVersion};
use inventory_core::quantity::Units;
use inventory_core::store::ledger_copy::LedgerCopy;
use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

use super::ledgers::{full, random, seeds};

fn history(ledger: &LedgerCopy, product: ProductId) -> Vec<ProductVersion> {
    let version = |entry: &inventory_core::journal::JournalEntry| {
        let after = *entry.products.iter().find(|after| after.product == product)?;
        let changes = entry.commands.iter().flat_map(|command| {
            let lines = command.lines.iter().filter(|line| line.product == product);
            lines.map(|line| ProductChange {
                kind: command.kind,
                order: command.order,
                units: line.units,
                reason: command.remark.as_ref().and_then(|remark| remark.reason.clone()),
            })
        });
        Some(ProductVersion { batch: entry.batch, at: entry.at, after, changes: changes.collect() })
    };
    ledger.journal.iter().filter_map(version).collect()
}

const TWO: ProductId = ProductId::new(2);

#[test]
fn an_account_tells_each_change_and_the_stock_around_it() {
    let account = explain(TWO, &history(&full().ledger, TWO));
    assert!(account.is_sound(), "{account}");
    let text = account.to_string();
    for wanted in [
        "before: 0 on hand, 0 held, 0 available",
        "set 50: 50 on hand, 0 held, 50 available",
        "reserve 4 for order 01900000-0000-7000-8000-000000000002: 50 on hand, 4 held, 46 available",
        "release_part 3 for order",
        "adjust -1 (counted)",
    ] {
        assert!(text.contains(wanted), "{wanted:?} is not in\n{text}");
    }
}

#[test]
fn a_past_version_is_the_last_step_of_its_account() {
    let account = explain(TWO, &history(&full().ledger, TWO));
    let third = account.clone().at_version(3).unwrap();
    assert_eq!(third.steps.len(), 3);
    assert_eq!(third.steps[2].after, Stock { on_hand: Units::stored(49), held: Units::stored(2) });
    let missing = ExplainError::NoSuchVersion { product: TWO, asked: 40, first: 1, last: 5 };
    assert_eq!(account.at_version(40), Err(missing));
    assert_eq!(explain(TWO, &[]).at_version(1), Err(ExplainError::Empty(TWO)));
}

#[test]
fn a_checkpoint_is_given_and_what_follows_is_checked() {
    let mut versions = history(&full().ledger, TWO);
    versions.remove(0);
    versions[0].changes.clear();
    let account = explain(TWO, &versions);
    assert!(account.is_sound(), "{account}");
    assert_eq!(account.steps[0].before, None);
    assert!(account.to_string().contains("a checkpoint"));
    versions[1].changes.pop();
    assert!(!explain(TWO, &versions).is_sound());
}

#[test]
fn i1_an_oversold_version_is_a_problem_even_when_it_is_given() {
    let mut versions = history(&full().ledger, TWO).split_off(4);
    versions[0].changes.clear();
    versions[0].after.held = Units::stored(51);
    let account = explain(TWO, &versions);
    assert_eq!(account.steps[0].problems.len(), 1, "{account}");
    assert!(account.steps[0].problems[0].contains("oversold"));
}

proptest! {
    #[test]
    fn an_account_of_a_random_ledger_is_sound_and_one_with_a_change_less_is_not(seed in seeds()) {
        let ledger = random(seed, 20);
        for product in &ledger.products {
            let mut versions = history(&ledger, product.id);
            let account = explain(product.id, &versions);
            prop_assert!(account.is_sound(), "{}", account);
            let last = account.steps.last().unwrap().after;
            prop_assert_eq!(last, Stock { on_hand: product.on_hand, held: product.held });
            let middle = versions.len() / 2;
            if let Some(gone) = versions[middle].changes.pop() {
                // A first version without changes reads as a checkpoint, whose stock is given.
                let is_given = middle == 0 && versions[0].changes.is_empty();
                let is_sound = is_given || gone.units == Units::ZERO;
                prop_assert_eq!(explain(product.id, &versions).is_sound(), is_sound);
            }
            if versions.len() > 2 {
                versions.remove(1);
                prop_assert!(!explain(product.id, &versions).is_sound());
            }
        }
    }
}
