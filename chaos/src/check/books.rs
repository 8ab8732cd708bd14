//! I1, I2: sold + held + available = stock, product by product.

use std::collections::HashMap;

use super::{Check, Ledger};
use crate::clients::record::Standing;
use crate::clients::{PRODUCTS, SCARCE, SCARCE_STOCK, STOCK};

/// What a product began with.
pub(crate) fn initial_stock(product: i64) -> i64 {
    if product > PRODUCTS - SCARCE { SCARCE_STOCK } else { STOCK }
}

/// The shelves against the reservations and the adjustments.
pub(crate) fn add_up(ledger: &Ledger) -> Check {
    let (mut sold, mut held, mut adjusted) = (HashMap::new(), HashMap::new(), HashMap::new());
    for reservation in ledger.reservations.values() {
        let sums: &mut HashMap<i64, i64> = match reservation.standing {
            Standing::Held => &mut held,
            Standing::Committed => &mut sold,
            _ => continue,
        };
        for (product, units) in &reservation.left {
            *sums.entry(*product).or_default() += i64::from(*units);
        }
    }
    for (product, delta) in ledger.adjustments.values() {
        *adjusted.entry(*product).or_insert(0) += delta;
    }
    let mut findings = Vec::new();
    for product in 1..=PRODUCTS {
        let of = |sums: &HashMap<i64, i64>| sums.get(&product).copied().unwrap_or_default();
        let expected = (initial_stock(product) + of(&adjusted) - of(&sold), of(&held));
        let shelf = ledger.products.get(&product).copied().unwrap_or_default();
        if shelf != expected {
            findings.push(format!(
                "product {product}: (on hand, held) is {shelf:?}, and orders make it {expected:?}"
            ));
        }
        if !(0..=shelf.0).contains(&shelf.1) {
            findings.push(format!("I1: product {product} is oversold: (on hand, held) is {shelf:?}"));
        }
    }
    Check::new("sold + held + available = stock", ledger.products.len(), findings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::ledger::Reservation;

    fn ledger() -> Ledger {
        let products = (1..=PRODUCTS).map(|product| (product, (initial_stock(product), 0))).collect();
        Ledger { products, ..Ledger::default() }
    }

    fn with_order(standing: Standing) -> Ledger {
        let lines = vec![(1, 2)];
        let reservation = Reservation { standing, left: lines.clone(), lines };
        Ledger { reservations: [(uuid::Uuid::nil(), reservation)].into(), ..ledger() }
    }

    #[test]
    fn a_shelf_that_no_orders_explain_is_found() {
        assert!(add_up(&ledger()).is_kept());
        assert!(!add_up(&with_order(Standing::Held)).is_kept(), "leaked");
        assert!(!add_up(&with_order(Standing::Committed)).is_kept(), "sold and not taken off");
        assert!(add_up(&with_order(Standing::Released)).is_kept());
    }

    #[test]
    fn adjustments_count() {
        let adjustments = [("a".to_owned(), (1, 5))].into();
        assert!(!add_up(&Ledger { adjustments, ..ledger() }).is_kept());
    }
}
