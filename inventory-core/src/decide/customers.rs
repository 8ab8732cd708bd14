//! What customers hold and have bought of limited products.

use crate::ids::{CustomerId, ProductId};
use crate::quantity::Units;
use crate::store::IdMap;

/// The counts read, and what the batch made of them.
#[derive(Debug)]
pub(super) struct Customers(IdMap<(CustomerId, ProductId), Count>);

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    read: Units,
    now: Units,
}

impl Customers {
    pub(super) fn new(read: IdMap<(CustomerId, ProductId), Units>) -> Self {
        Self(read.into_iter().map(|(key, units)| (key, Count { read: units, now: units })).collect())
    }

    /// What this customer holds and has bought of this product.
    pub(super) fn taken(&self, customer: &CustomerId, product: ProductId) -> Units {
        self.0.get(&(customer.clone(), product)).map_or(Units::ZERO, |count| count.now)
    }

    /// Counts up, or down (not below zero).
    pub(super) fn add(&mut self, customer: &CustomerId, product: ProductId, units: Units) {
        let count = self.0.entry((customer.clone(), product)).or_default();
        count.now = (count.now + units).max(Units::ZERO);
    }

    /// The counts that differ from what was read, sorted; absolute values.
    pub(super) fn into_changed(self) -> Vec<(CustomerId, ProductId, Units)> {
        let mut changed: Vec<_> = self
            .0
            .into_iter()
            .filter(|(_, count)| count.now != count.read)
            .map(|((customer, product), count)| (customer, product, count.now))
            .collect();
        changed.sort_unstable();
        changed
    }
}
