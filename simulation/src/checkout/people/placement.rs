//! What customers want.

use event_contracts::Money;
use event_contracts::orders::PricedItem;
use order_service::store::Placement;

use crate::checkout::provider::METHODS;
use crate::dice::Dice;

/// Products and how many of each there are: the first is wanted by everyone.
pub(in crate::checkout) const PRODUCTS: [(i64, std::ops::RangeInclusive<u64>); 4] =
    [(1, 3..=16), (2, 1..=2), (3, 2..=8), (4, 0..=20)];

/// A cart of one line or two.
pub(super) fn placement(dice: &Dice, number: u64) -> Placement {
    let first = if dice.percent(50) { 1 } else { *dice.pick(&[2, 2, 3, 4]) };
    let second = dice.percent(30).then(|| *dice.pick(&[1, 2, 3, 4])).filter(|second| *second != first);
    let items: Vec<PricedItem> = [Some(first), second]
        .into_iter()
        .flatten()
        .map(|product_id| PricedItem {
            product_id,
            quantity: if dice.percent(75) { 1 } else { 2 },
            unit_price: Money::from_cents(100 * product_id).unwrap_or(Money::ZERO),
        })
        .collect();
    let cents = items.iter().map(|item| item.unit_price.cents() * i64::from(item.quantity)).sum();
    Placement {
        user_id: format!("customer {number}"),
        key: dice.id().to_string(),
        fingerprint: format!("{items:?}"),
        items,
        total: Money::from_cents(cents).unwrap_or(Money::ZERO),
        payment_method: (*dice.pick(&METHODS)).to_owned(),
        request_id: None,
        traceparent: None,
    }
}
