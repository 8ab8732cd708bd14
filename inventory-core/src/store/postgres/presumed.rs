//! Products as this session has left them, and the server's time. Where a batch needs nothing else, it is decided on them without asking the
//! server, and written by one statement that locks the rows first, and writes nothing unless each is still the version
//! that was presumed ([`super::persist::Alone`]).

use std::time::{Duration, Instant};

use super::rows::RowVersion;
use crate::clock::Timestamp;
use crate::ids::{BatchId, ProductId};
use crate::product::Product;
use crate::store::{Effects, Footprint, IdMap, Locked, StoreError, StoreErrorKind};

/// Products remembered: 5 MB, names apart.
const PRODUCTS_MAX: usize = 16_384;
/// How far the time that was presumed may be from the server's. A batch later than this is decided again, by the server's.
pub(super) const TIME_OFF_MAX: Duration = Duration::from_millis(250);
/// After so many presumptions in vain, one after the other, batches that presume are the exception: one in two to this power.
const DOUBT_MAX: u32 = 10;

/// What a session remembers of products.
#[derive(Default)]
pub(super) struct Products {
    rows: IdMap<ProductId, (Product, RowVersion)>,
    clock: Option<Clock>,
    doubt: Doubt,
}

/// The server's time at a moment of ours: only differences of the monotonic clock are added to it.
struct Clock {
    at: Timestamp,
    since: Instant,
    /// What was told last: time does not go back.
    told: Timestamp,
}

/// Others change the same products: whoever presumes then, does everything twice.
#[derive(Default)]
struct Doubt {
    level: u32,
    /// So many batches do not presume.
    rest: u32,
}

/// What an open batch was told without asking: the version of each product's row.
pub(super) struct Presumption {
    pub(super) batch: BatchId,
    /// Sorted.
    pub(super) products: Vec<ProductId>,
    pub(super) rows: Vec<RowVersion>,
    pub(super) versions: Vec<u64>,
    pub(super) now: Timestamp,
}

/// Products that a transaction has written. They are remembered after its COMMIT.
#[derive(Default)]
pub(super) struct Left(Vec<Product>);

impl Left {
    pub(super) fn by(effects: &Effects) -> Self {
        Self(effects.products.iter().map(|effect| effect.after.clone()).collect())
    }
}

impl Products {
    /// What this batch would lock and read, if all of it is remembered.
    pub(super) fn presume(&mut self, batch: BatchId, footprint: &Footprint) -> Option<(Locked, Presumption)> {
        let Footprint { products, orders, adjustments, customers: _, deliveries, skip_locked } = footprint;
        let is_only_of_products =
            orders.is_empty() && adjustments.is_empty() && deliveries.is_empty() && !skip_locked;
        if !is_only_of_products || products.is_empty() || !self.is_remembered(products) || self.doubt.rests() {
            return None;
        }
        let clock = self.clock.as_mut()?;
        let mut presumption = Presumption {
            batch,
            products: products.clone(),
            rows: Vec::with_capacity(products.len()),
            versions: Vec::with_capacity(products.len()),
            now: clock.tell(),
        };
        let mut locked = Locked::nothing(presumption.now);
        locked.products.reserve(products.len());
        for id in products {
            let (product, row) = self.rows.get(id)?;
            presumption.rows.push(*row);
            presumption.versions.push(product.version);
            locked.products.insert(*id, product.clone());
        }
        Some((locked, presumption))
    }

    /// Of a limited product, what customers have is read with it.
    fn is_remembered(&self, products: &[ProductId]) -> bool {
        products.iter().all(|id| self.rows.get(id).is_some_and(|(row, _)| row.per_customer_limit.is_none()))
    }

    /// Whether these are the locked rows of what was presumed.
    pub(super) fn stand(&self, presumption: &Presumption, locked: &Locked) -> bool {
        let time_off = locked.now.since(presumption.now).max(presumption.now.since(locked.now));
        let is_as_presumed = |id: &ProductId| {
            locked.products.get(id).is_some_and(|locked| self.rows.get(id).is_some_and(|(row, _)| row == locked))
        };
        time_off <= TIME_OFF_MAX && presumption.products.iter().all(is_as_presumed)
    }

    /// Learns the server's time.
    pub(super) fn learn_time(&mut self, now: Timestamp) {
        let told = self.clock.as_ref().map_or(now, |clock| clock.told);
        self.clock = Some(Clock { at: now, since: Instant::now(), told });
    }

    /// Remembers what was left by a transaction that wrote this version of the rows.
    pub(super) fn remember(&mut self, left: Left, version: RowVersion) {
        if self.rows.len() + left.0.len() > PRODUCTS_MAX {
            self.rows.clear();
        }
        self.rows.extend(left.0.into_iter().map(|product| (product.id, (product, version))));
    }

    /// Of what these effects leave, the version is not known.
    pub(super) fn forget_those_of(&mut self, effects: &Effects) {
        for effect in &effects.products {
            self.rows.remove(&effect.after.id);
        }
    }

    /// A batch that presumed was written.
    pub(super) fn was_right(&mut self) {
        self.doubt.level = self.doubt.level.saturating_sub(1);
    }

    /// It was not so: everything is read before anything is presumed again.
    pub(super) fn was_wrong(&mut self) {
        self.forget();
        self.doubt.level = (self.doubt.level + 1).min(DOUBT_MAX);
        self.doubt.rest = 1 << self.doubt.level;
    }

    /// After an error or an answer that did not come.
    pub(super) fn forget(&mut self) {
        self.rows.clear();
        self.clock = None;
    }
}

impl Clock {
    fn tell(&mut self) -> Timestamp {
        self.told = self.told.max(self.at.plus(self.since.elapsed()));
        self.told
    }
}

impl Doubt {
    fn rests(&mut self) -> bool {
        let rests = self.rest > 0;
        self.rest = self.rest.saturating_sub(1);
        rests
    }
}

impl Presumption {
    /// Whether the effects change nothing but what was presumed, from the version that it had.
    pub(super) fn bears(&self, effects: &Effects) -> bool {
        effects.products.iter().all(|effect| {
            let place = self.products.binary_search(&effect.after.id);
            place.is_ok_and(|place| effect.version_before == Some(self.versions[place]))
        })
    }
}

/// What was presumed is not so.
pub(super) fn conflict() -> StoreError {
    StoreError::new(StoreErrorKind::Conflict, "a product is no longer what this session has left")
}

#[cfg(test)]
impl Products {
    /// From now on tells another time than the server does.
    pub(super) fn be_off(&mut self, by: Duration, is_ahead: bool) {
        if let Some(clock) = &mut self.clock {
            let moved = |at: Timestamp| if is_ahead { at.plus(by) } else { at.minus(by) };
            (clock.at, clock.told) = (moved(clock.at), moved(clock.told));
        }
    }

    pub(super) fn doubt_nothing(&mut self) {
        self.doubt = Doubt::default();
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::product::Alert;
    use crate::quantity::Units;

    fn product(id: i64) -> Product {
        Product {
            id: ProductId::new(id),
            on_hand: Units::stored(5),
            held: Units::ZERO,
            version: 1,
            admin_version: 1,
            low_stock_threshold: None,
            per_customer_limit: None,
            limited_since: None,
            name: None,
            alert: Alert::None,
            last_batch: BatchId::new(Uuid::nil()),
        }
    }

    fn that_knows(products: impl Iterator<Item = i64>) -> Products {
        let mut known = Products::default();
        known.learn_time(Timestamp::EPOCH);
        known.remember(Left(products.map(product).collect()), RowVersion::default());
        known
    }

    fn presumes(products: &mut Products) -> bool {
        let footprint = Footprint { products: vec![ProductId::new(1)], ..Footprint::default() };
        products.presume(BatchId::new(Uuid::nil()), &footprint).is_some()
    }

    #[test]
    fn who_was_wrong_rests_longer_each_time_and_who_is_right_trusts_again() {
        let mut products = that_knows(1..=1);
        assert!(presumes(&mut products));
        let mut rests = Vec::new();
        let mut resting = |products: &mut Products| {
            products.learn_time(Timestamp::EPOCH);
            products.remember(Left(vec![product(1)]), RowVersion::default());
            rests.push((0..).take_while(|_| !presumes(products)).count());
        };
        for _ in 0..12 {
            products.was_wrong();
            resting(&mut products);
        }
        for _ in 0..9 {
            products.was_right();
        }
        products.was_wrong();
        resting(&mut products);
        assert_eq!(rests, [2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 1_024, 1_024, 4]);
    }

    #[test]
    fn nothing_is_presumed_of_what_was_not_left_or_was_wrong_or_without_a_clock() {
        assert!(!presumes(&mut that_knows(2..=9)));
        assert!(!presumes(&mut Products { clock: None, ..that_knows(1..=1) }));
        let mut wrong = that_knows(1..=1);
        wrong.was_wrong();
        wrong.doubt = Doubt::default();
        assert!(!presumes(&mut wrong));
    }

    #[test]
    fn i15_what_is_remembered_of_products_is_bounded() {
        let mut known = that_knows(1..=1);
        for first in (0..).step_by(1_000).take(40) {
            known.remember(Left((first..first + 1_000).map(product).collect()), RowVersion::default());
            assert!(known.rows.len() <= PRODUCTS_MAX);
        }
        let bytes = PRODUCTS_MAX * size_of::<(ProductId, (Product, RowVersion))>();
        assert!(bytes <= 5_000_000, "{bytes}");
    }

    #[test]
    fn i16_time_goes_on_from_what_the_server_said_and_never_back() {
        let mut known = that_knows(1..=1);
        let later = Timestamp::EPOCH.plus(Duration::from_secs(9));
        known.learn_time(later);
        let mut told = known.clock.as_mut().unwrap().tell();
        assert!(told >= later);
        known.learn_time(Timestamp::EPOCH);
        for _ in 0..3 {
            let next = known.clock.as_mut().unwrap().tell();
            assert!(next >= told);
            told = next;
        }
    }
}
