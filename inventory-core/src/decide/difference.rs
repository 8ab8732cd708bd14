//! Where two sets of lines differ.

use std::cmp::Ordering;

use crate::error::Difference;
use crate::lines::Lines;

/// The first difference in product order; none when both are the same.
pub(super) fn first_difference(had: &Lines, asked: &Lines) -> Option<Difference> {
    let (mut had, mut asked) = (had.iter().peekable(), asked.iter().peekable());
    loop {
        let (product, had, asked) = match (had.peek().copied(), asked.peek().copied()) {
            (None, None) => return None,
            (Some(h), None) => (h.product, h.quantity.get(), 0),
            (None, Some(a)) => (a.product, 0, a.quantity.get()),
            (Some(h), Some(a)) => match h.product.cmp(&a.product) {
                Ordering::Less => (h.product, h.quantity.get(), 0),
                Ordering::Greater => (a.product, 0, a.quantity.get()),
                Ordering::Equal if h.quantity == a.quantity => {
                    had.next();
                    asked.next();
                    continue;
                }
                Ordering::Equal => (h.product, h.quantity.get(), a.quantity.get()),
            },
        };
        return Some(Difference::Quantity { product, had, asked });
    }
}
