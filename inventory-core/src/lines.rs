//! The lines of an order: each product once, in product order.

use smallvec::SmallVec;

use crate::ids::ProductId;
use crate::limits::{LINES_MAX, QUANTITY_MAX};
use crate::quantity::Quantity;

/// One product and how many of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Line {
    /// What.
    pub product: ProductId,
    /// How many.
    pub quantity: Quantity,
}

/// Lines sorted by product, each product once (duplicates are summed). Empty only for a tombstone:
/// the reservation that a release of an unknown order writes.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Lines(SmallVec<[Line; 2]>);

/// Why lines were not accepted. The message says what to change.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidLines {
    /// No line at all.
    #[error("must name at least one product")]
    Empty,
    /// More than [`LINES_MAX`].
    #[error("must have at most {LINES_MAX} lines, has {0}")]
    TooMany(usize),
    /// The same product several times, and too many of it in all.
    #[error("the quantities of product {0} add up to more than {QUANTITY_MAX}")]
    SumTooLarge(ProductId),
}

impl Lines {
    /// Sums duplicates and sorts by product.
    pub fn new(lines: impl IntoIterator<Item = Line>) -> Result<Self, InvalidLines> {
        let mut sorted: SmallVec<[Line; 2]> = lines.into_iter().collect();
        if sorted.is_empty() {
            return Err(InvalidLines::Empty);
        }
        if sorted.len() > LINES_MAX {
            return Err(InvalidLines::TooMany(sorted.len()));
        }
        sorted.sort_unstable_by_key(|line| line.product);
        let mut summed: SmallVec<[Line; 2]> = SmallVec::with_capacity(sorted.len());
        for line in sorted {
            match summed.last_mut() {
                Some(last) if last.product == line.product => {
                    last.quantity = last
                        .quantity
                        .checked_add(line.quantity)
                        .ok_or(InvalidLines::SumTooLarge(line.product))?;
                }
                _ => summed.push(line),
            }
        }
        Ok(Self(summed))
    }

    /// A single line.
    pub fn one(product: ProductId, quantity: Quantity) -> Self {
        Self(SmallVec::from_iter([Line { product, quantity }]))
    }

    /// No lines: a tombstone's.
    pub fn none() -> Self {
        Self::default()
    }

    /// Lines as a store kept them: already sorted and summed.
    pub fn stored(lines: impl IntoIterator<Item = Line>) -> Self {
        let lines = Self(lines.into_iter().collect());
        debug_assert!(
            lines.0.windows(2).all(|pair| pair[0].product < pair[1].product),
            "stored lines out of order"
        );
        lines
    }

    /// The lines, in product order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Line> + '_ {
        self.0.iter().copied()
    }

    /// The lines, in product order.
    pub fn as_slice(&self) -> &[Line] {
        &self.0
    }

    /// How many products.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether this is a tombstone's.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many of `product`, if it is in here.
    pub fn quantity_of(&self, product: ProductId) -> Option<Quantity> {
        self.0.binary_search_by_key(&product, |line| line.product).ok().map(|at| self.0[at].quantity)
    }

    /// What is left when `taken` is taken away, or the first line of which `taken` has more than there is.
    pub fn checked_sub(&self, taken: &Self) -> Result<Self, Line> {
        for line in taken.iter() {
            if self.quantity_of(line.product).is_none_or(|have| have < line.quantity) {
                return Err(line);
            }
        }
        let left = self.iter().filter_map(|line| match taken.quantity_of(line.product) {
            None => Some(line),
            Some(gone) => {
                line.quantity.checked_sub(gone).map(|quantity| Line { product: line.product, quantity })
            }
        });
        Ok(Self(left.collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(product: i64, quantity: i64) -> Line {
        Line { product: ProductId::new(product), quantity: Quantity::new(quantity).unwrap() }
    }

    #[test]
    fn duplicates_are_summed_and_sorted() {
        let lines = Lines::new([line(7, 1), line(3, 2), line(7, 4)]).unwrap();
        assert_eq!(lines.as_slice(), [line(3, 2), line(7, 5)]);
    }

    #[test]
    fn a_sum_beyond_a_quantity_is_refused_by_name() {
        let max = i64::from(QUANTITY_MAX);
        assert_eq!(Lines::new([line(7, max), line(7, 1)]), Err(InvalidLines::SumTooLarge(ProductId::new(7))));
    }

    #[test]
    fn nothing_and_too_much_are_refused() {
        assert_eq!(Lines::new([]), Err(InvalidLines::Empty));
        let many = (0..=LINES_MAX as i64).map(|p| line(p, 1));
        assert_eq!(Lines::new(many), Err(InvalidLines::TooMany(LINES_MAX + 1)));
    }

    #[test]
    fn taking_away_drops_what_is_used_up() {
        let have = Lines::new([line(1, 2), line(2, 3)]).unwrap();
        assert_eq!(have.checked_sub(&Lines::new([line(1, 2)]).unwrap()).unwrap().as_slice(), [line(2, 3)]);
        assert_eq!(have.checked_sub(&Lines::new([line(2, 4)]).unwrap()), Err(line(2, 4)));
        assert_eq!(have.checked_sub(&Lines::new([line(9, 1)]).unwrap()), Err(line(9, 1)));
    }
}
