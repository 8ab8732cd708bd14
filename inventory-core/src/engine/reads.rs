//! Reads: always what the store has, never what memory thinks.

use super::Engine;
use super::reader::failure_of;
use crate::clock::Timestamp;
use crate::counters::CellView;
use crate::error::Failure;
use crate::ids::{OrderId, ProductId};
use crate::journal::ProductVersion;
use crate::product::Product;
use crate::reservation::Reservation;
use crate::store::HoldOn;

impl Engine {
    /// Products as the store has them now, in the order asked for; unknown ones are absent. Concurrent calls share one read.
    pub async fn products(&self, products: &[ProductId]) -> Result<Vec<Product>, Failure> {
        let seen = self.shared.reader.read(products.to_vec(), None).await?;
        Ok(products.iter().filter_map(|id| seen.product(*id).cloned()).collect())
    }

    /// What memory thinks of a product: for statistics and proofs. Never ahead of the store, equal to it at rest.
    pub fn counter(&self, product: ProductId) -> Option<CellView> {
        self.shared.memory.counters.inspect(product)
    }

    /// One reservation and the store's time (to judge [`Reservation::standing`] by).
    pub async fn reservation(&self, order: OrderId) -> Result<(Timestamp, Option<Reservation>), Failure> {
        self.check_running()?;
        self.shared.store.reservation(order).await.map_err(|error| failure_of(&error))
    }

    /// Open holds on a product, earliest end first.
    pub async fn holds_on(&self, product: ProductId, limit: usize) -> Result<Vec<HoldOn>, Failure> {
        self.check_running()?;
        self.shared.store.holds_on(product, limit).await.map_err(|error| failure_of(&error))
    }

    /// Versions of a product from `from_version` on, oldest first.
    pub async fn history(
        &self,
        product: ProductId,
        from_version: u64,
        limit: usize,
    ) -> Result<Vec<ProductVersion>, Failure> {
        self.check_running()?;
        self.shared.store.history(product, from_version, limit).await.map_err(|error| failure_of(&error))
    }
}
