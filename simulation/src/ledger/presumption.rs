//! As the Postgres adapter does: a batch that needs nothing but products as its client has left them, and holds that it remembers, is decided
//! on these, and sent as one message, which the server takes only if they are still so.

use std::time::Duration;

use inventory_core::clock::Timestamp;
use inventory_core::ids::{BatchId, ProductId};
use inventory_core::product::Product;
use inventory_core::store::{Effects, Footprint, IdMap, Locked, StoreError};
use tokio::time::Instant;

use super::Shared;
use super::locks::Pid;
use super::state::{Reservations, wanted};
use super::statements::conflict;
use crate::goals::Goal;
use crate::mutant::Mutant;

/// How long after the time that was presumed the locks may be had, and how long before.
const LATE_MAX: Duration = Duration::from_secs(1);
const EARLY_MAX: Duration = Duration::from_millis(100);

/// A batch that has begun without asking.
#[derive(Clone, Debug)]
pub(super) struct Presumption {
    pub(super) batch: BatchId,
    pub(super) footprint: Footprint,
    /// Of the footprint's orders, all of them.
    pub(super) remembered: Reservations,
    products: IdMap<ProductId, Product>,
    now: Timestamp,
}

/// What a client remembers of products and of the ledger's time.
#[derive(Debug, Default)]
pub(super) struct Left {
    products: IdMap<ProductId, Product>,
    /// By the open transaction, or the one that commits.
    written: Vec<Product>,
    /// A message that was sent then came when the ledger's time was this.
    sighting: Option<(Instant, Timestamp)>,
    told: Option<Timestamp>,
}

impl Left {
    /// `remembered`: of the footprint's orders, those that the client remembers.
    pub(super) fn presume(
        &mut self,
        batch: BatchId,
        footprint: &Footprint,
        remembered: &Reservations,
    ) -> Option<(Locked, Presumption)> {
        self.written.clear();
        self.presume_after_written(batch, footprint, remembered)
    }

    /// The same, as if what was written were committed already.
    pub(super) fn presume_after_written(
        &mut self,
        batch: BatchId,
        footprint: &Footprint,
        remembered: &Reservations,
    ) -> Option<(Locked, Presumption)> {
        let is_more =
            !footprint.adjustments.is_empty() || !footprint.deliveries.is_empty() || footprint.skip_locked;
        let wanted = wanted(footprint, remembered);
        if is_more || remembered.len() < footprint.orders.len() || wanted.is_empty() {
            return None;
        }
        let (sent, received) = self.sighting?;
        let mut products = IdMap::default();
        for id in &wanted {
            let written = self.written.iter().find(|written| written.id == *id);
            let product = written.or_else(|| self.products.get(id));
            let product = product.filter(|left| left.per_customer_limit.is_none())?;
            products.insert(*id, product.clone());
        }
        let now = received.plus(sent.elapsed()).max(self.told.unwrap_or(received));
        self.told = Some(now);
        let (footprint, remembered) = (footprint.clone(), remembered.clone());
        let locked =
            Locked { products: products.clone(), reservations: remembered.clone(), ..Locked::nothing(now) };
        Some((locked, Presumption { batch, footprint, remembered, products, now }))
    }

    pub(super) fn see(&mut self, sent: Instant, received: Timestamp) {
        self.sighting = Some((sent, received));
    }

    pub(super) fn write(&mut self, effects: &Effects) {
        self.written = effects.products.iter().map(|effect| effect.after.clone()).collect();
    }

    pub(super) fn committed(&mut self) {
        self.products.extend(self.written.drain(..).map(|product| (product.id, product)));
    }

    pub(super) fn was_wrong(&mut self) {
        *self = Self::default();
    }
}

impl Presumption {
    /// If that is what was presumed: how long to wait for its time.
    pub(super) fn stands(&self, locked: &Locked) -> Option<Duration> {
        let early = self.now.since(locked.now);
        let is_near = early <= EARLY_MAX && locked.now.since(self.now) <= LATE_MAX;
        // The ledger's clock is read more finely than time passes here.
        let wait = if early.is_zero() { early } else { early + Duration::from_millis(1) };
        (is_near && locked.products == self.products).then_some(wait)
    }

    /// Whether one message can write them: stock, new holds, and each hold that the batch was told.
    pub(super) fn bears(&self, effects: &Effects) -> bool {
        !effects.is_empty()
            && effects.are_of_stock_and_holds()
            && effects.changed.len() == self.remembered.len()
    }
}

impl Shared {
    /// A whole batch; the ledger's time when it came. On error nothing of it is left.
    pub(super) async fn whole(
        &self,
        pid: Pid,
        presumption: &Presumption,
        effects: Effects,
    ) -> Result<Timestamp, StoreError> {
        let received = self.state.lock().now();
        let Presumption { batch, footprint, remembered, .. } = presumption;
        let found = self.begin(pid, *batch, footprint, remembered.clone()).await?;
        if self.world.is(Mutant::BlindPresumption) {
            self.open(pid, |open| open.is_blind = true);
        } else if let Some(wait) = presumption.stands(&found) {
            tokio::time::sleep(wait).await;
        } else {
            self.state.lock().roll_back(pid);
            self.world.goals.count(Goal::PresumedInVain);
            return Err(conflict("a product is no longer what the batch presumed".to_owned()));
        }
        self.persist(pid, effects).await?;
        self.commit(pid)?;
        self.world.goals.count(Goal::Presumed);
        Ok(received)
    }
}
