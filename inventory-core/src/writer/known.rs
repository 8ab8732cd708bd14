//! Which orders an exclusive store knows. A refusal may only be final for a new order: otherwise the retry of the order
//! that took the last unit would be told "sold out".

use dashmap::DashSet;

use crate::ids::OrderId;

/// Order ids, 16 bytes each plus the table's slack. Pruned orders stay until the next start; asking the writer
/// about them once too often is harmless.
#[derive(Debug, Default)]
pub(crate) struct KnownOrders {
    orders: DashSet<OrderId, rustc_hash::FxBuildHasher>,
}

impl KnownOrders {
    pub(crate) fn insert(&self, order: OrderId) {
        self.orders.insert(order);
    }

    pub(crate) fn contains(&self, order: OrderId) -> bool {
        self.orders.contains(&order)
    }
}
