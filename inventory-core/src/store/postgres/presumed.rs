//! Products as this session has left them, and the server's time. Where a batch needs nothing else but holds that the session remembers too
//! ([`super::recent`]), it is decided on them without asking the server, and written by one statement that locks the rows first, and writes
//! nothing unless each is still the version that was presumed ([`super::persist::Alone`]).

use std::time::{Duration, Instant};

use super::rows::RowVersion;
use super::seen::Recalled;
use crate::clock::Timestamp;
use crate::ids::{BatchId, ProductId};
use crate::product::Product;
use crate::store::{Effects, Footprint, IdMap, Locked, StoreError, StoreErrorKind};

/// Products remembered: 5 MB, names apart.
const PRODUCTS_MAX: usize = 16_384;
/// A batch that has its locks later than this after the time that was presumed is decided again, by the server's; as one does
/// that has waited for somebody.
pub(super) const LATE_MAX: Duration = Duration::from_secs(1);
/// The same of one that has them earlier. Up to here it waits, under its locks: as after a message that was long under way, by which the server's time
/// seemed to be later than it is.
pub(super) const EARLY_MAX: Duration = Duration::from_millis(100);
/// The nearest bound of the server's time counts for one of these at least, and four at most.
const WINDOW: Duration = Duration::from_secs(1);
/// So many presumptions in vain make batches that presume rare: one in two to this power.
const DOUBT_MAX: u32 = 10;

/// What a session remembers of products.
#[derive(Default)]
pub(super) struct Products {
    rows: IdMap<ProductId, (Product, RowVersion)>,
    clock: Option<Clock>,
    doubt: Doubt,
}

/// When a message was sent, by our monotonic clock, and when the server received it, by its own.
#[derive(Clone, Copy)]
pub(super) struct Sighting {
    pub(super) sent: Instant,
    pub(super) received: Timestamp,
}

/// What the server's time is at most. A message is received after it was sent, so `received` bounds the server's time at `sent`; the
/// monotonic clock is added to the nearest bound of late. So no hold is dated before it was asked for. Nor after its locks: if the server's time is
/// not there yet, which is seldom, it is waited for under them.
struct Clock {
    origin: Instant,
    /// When the younger window began.
    begun: Instant,
    /// The server's time at `origin`, in microseconds: the least bound within each window.
    young: i64,
    old: i64,
    /// No time before this is told: time does not go back, and the server's was this already.
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

    /// Effects are sorted.
    fn product(&self, id: ProductId) -> Option<&Product> {
        let place = self.0.binary_search_by_key(&id, |product| product.id).ok()?;
        self.0.get(place)
    }
}

impl Products {
    /// What this batch would lock, if that is remembered, and all of its orders were recalled.
    pub(super) fn presume(
        &mut self,
        batch: BatchId,
        footprint: &Footprint,
        recalled: &Recalled,
    ) -> Option<(Locked, Presumption)> {
        let products = self.presumable(footprint, recalled)?;
        if self.doubt.rests() {
            return None;
        }
        self.tell(batch, products, &Left::default())
    }

    /// The same, of a batch that follows one which is not committed yet and is to leave this.
    pub(super) fn presume_after(
        &mut self,
        left: &Left,
        batch: BatchId,
        footprint: &Footprint,
        recalled: &Recalled,
    ) -> Option<(Locked, Presumption)> {
        let products = self.presumable(footprint, recalled)?;
        if self.doubt.rest > 0 {
            return None;
        }
        self.tell(batch, products, left)
    }

    fn tell(
        &mut self,
        batch: BatchId,
        products: Vec<ProductId>,
        left: &Left,
    ) -> Option<(Locked, Presumption)> {
        let clock = self.clock.as_mut()?;
        let mut locked = Locked::nothing(clock.tell(Instant::now())?);
        locked.products.reserve(products.len());
        let mut versions = Vec::with_capacity(products.len());
        for id in &products {
            let (remembered, _) = self.rows.get(id)?;
            let product = left.product(*id).unwrap_or(remembered);
            versions.push(product.version);
            locked.products.insert(*id, product.clone());
        }
        let now = locked.now;
        Some((locked, Presumption { batch, products, versions, now }))
    }

    /// The products that it needs, if they are all that it needs and they are remembered.
    fn presumable(&self, footprint: &Footprint, recalled: &Recalled) -> Option<Vec<ProductId>> {
        let Footprint { products: _, orders: _, adjustments, customers: _, deliveries, skip_locked } =
            footprint;
        let is_more =
            !recalled.unread.is_empty() || !adjustments.is_empty() || !deliveries.is_empty() || *skip_locked;
        if is_more {
            return None;
        }
        let products = recalled.seen.wanted(footprint);
        (!products.is_empty() && self.is_remembered(&products)).then_some(products)
    }

    /// The version of each of these rows, if all are remembered.
    pub(super) fn rows_of(&self, products: &[ProductId]) -> Option<Vec<RowVersion>> {
        products.iter().map(|id| self.rows.get(id).map(|(_, row)| *row)).collect()
    }

    /// Of a limited product, what customers have is read with it.
    fn is_remembered(&self, products: &[ProductId]) -> bool {
        products.iter().all(|id| self.rows.get(id).is_some_and(|(row, _)| row.per_customer_limit.is_none()))
    }

    /// If these are the locked rows of what was presumed: how long it is until its time.
    pub(super) fn stand(&self, presumption: &Presumption, locked: &Locked) -> Option<Duration> {
        let is_as_presumed = |id: &ProductId| {
            locked
                .products
                .get(id)
                .is_some_and(|locked| self.rows.get(id).is_some_and(|(row, _)| row == locked))
        };
        let early = presumption.now.since(locked.now);
        let is_near = early <= EARLY_MAX && locked.now.since(presumption.now) <= LATE_MAX;
        (is_near && presumption.products.iter().all(is_as_presumed)).then_some(early)
    }

    /// Learns the server's time, which was `read` last.
    pub(super) fn learn_time(&mut self, sighting: Sighting, read: Timestamp) {
        let clock = self.clock.get_or_insert_with(|| Clock::from(sighting));
        clock.learn(sighting);
        clock.told = clock.told.max(read);
    }

    /// Remembers what was left by a transaction that wrote this version of the rows.
    pub(super) fn remember(&mut self, left: Left, version: RowVersion) {
        if self.rows.len() + left.0.len() > PRODUCTS_MAX {
            self.rows.clear();
        }
        self.rows.extend(left.0.into_iter().map(|product| (product.id, (product, version))));
    }

    /// What a batch presumed is so.
    pub(super) fn was_right(&mut self) {
        self.doubt.level = self.doubt.level.saturating_sub(1);
    }

    /// It was not so: everything is read before anything is presumed again.
    pub(super) fn was_wrong(&mut self) {
        self.forget();
        self.was_in_vain();
    }

    /// A batch that presumed failed by something else: a key, or a hold that was changed without its stock.
    pub(super) fn was_in_vain(&mut self) {
        self.doubt.level = (self.doubt.level + 1).min(DOUBT_MAX);
        self.doubt.rest = 1 << self.doubt.level;
    }

    /// After an answer that did not come, or was not of a COMMIT.
    pub(super) fn forget(&mut self) {
        self.rows.clear();
        self.clock = None;
    }
}

impl From<Sighting> for Clock {
    fn from(Sighting { sent, received }: Sighting) -> Self {
        let bound = received.micros();
        Self { origin: sent, begun: sent, young: bound, old: bound, told: Timestamp::EPOCH }
    }
}

impl Clock {
    fn learn(&mut self, Sighting { sent, received }: Sighting) {
        let bound = received.minus(sent.saturating_duration_since(self.origin)).micros();
        let age = sent.saturating_duration_since(self.begun);
        if age <= WINDOW {
            self.young = self.young.min(bound);
            return;
        }
        self.old = if age <= 2 * WINDOW { self.young } else { bound };
        (self.young, self.begun) = (bound, sent);
    }

    /// None if it is too long that the server was heard.
    fn tell(&mut self, now: Instant) -> Option<Timestamp> {
        if now.saturating_duration_since(self.begun) > 2 * WINDOW {
            return None;
        }
        let bound = Timestamp::from_micros(self.young.min(self.old));
        self.told = self.told.max(bound.plus(now.saturating_duration_since(self.origin)));
        Some(self.told)
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
            let moved_bound = |bound| moved(Timestamp::from_micros(bound)).micros();
            (clock.young, clock.old) = (moved_bound(clock.young), moved_bound(clock.old));
            clock.told = moved(clock.told);
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

    fn received(at: Timestamp) -> Sighting {
        Sighting { sent: Instant::now(), received: at }
    }

    fn that_knows(products: impl Iterator<Item = i64>) -> Products {
        let mut known = Products::default();
        known.learn_time(received(Timestamp::EPOCH), Timestamp::EPOCH);
        known.remember(Left(products.map(product).collect()), RowVersion::default());
        known
    }

    fn presumes(products: &mut Products) -> bool {
        let footprint = Footprint { products: vec![ProductId::new(1)], ..Footprint::default() };
        products.presume(BatchId::new(Uuid::nil()), &footprint, &Recalled::default()).is_some()
    }

    #[test]
    fn who_was_wrong_rests_longer_each_time_and_who_is_right_trusts_again() {
        let mut products = that_knows(1..=1);
        assert!(presumes(&mut products));
        let mut rests = Vec::new();
        let mut resting = |products: &mut Products| {
            products.learn_time(received(Timestamp::EPOCH), Timestamp::EPOCH);
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
    fn i16_after_the_servers_clock_was_set_forth_no_time_is_told_before_one_that_was_read() {
        let mut products = that_knows(1..=1);
        let later = Timestamp::EPOCH.plus(Duration::from_millis(800));
        products.learn_time(received(later), later);
        let footprint = Footprint { products: vec![ProductId::new(1)], ..Footprint::default() };
        let presumed = products.presume(BatchId::new(Uuid::nil()), &footprint, &Recalled::default());
        assert!(presumed.unwrap().0.now >= later);
    }

    #[test]
    fn i16_the_time_told_is_the_nearest_bound_of_late_and_never_goes_back() {
        let start = Instant::now();
        let ms = Duration::from_millis;
        let server = |after: u64| Timestamp::from_micros(1_000_000_000).plus(ms(after));
        let mut clock = Clock::from(Sighting { sent: start, received: server(7) });
        assert_eq!(clock.tell(start + ms(10)), Some(server(17)), "it travelled for 7 ms at most");
        // 2 ms only, and then 5: the nearest counts. Time has been told already.
        clock.learn(Sighting { sent: start + ms(10), received: server(12) });
        clock.learn(Sighting { sent: start + ms(11), received: server(16) });
        assert_eq!(clock.tell(start + ms(12)), Some(server(17)));
        assert_eq!(clock.tell(start + ms(20)), Some(server(22)));
        // The window after the next one has forgotten it.
        clock.learn(Sighting { sent: start + ms(1_100), received: server(1_104) });
        assert_eq!(clock.tell(start + ms(1_100)), Some(server(1_102)));
        clock.learn(Sighting { sent: start + ms(2_200), received: server(2_206) });
        assert_eq!(clock.tell(start + ms(2_200)), Some(server(2_204)));
        clock.learn(Sighting { sent: start + ms(9_000), received: server(9_008) });
        assert_eq!(clock.tell(start + ms(9_000)), Some(server(9_008)));
        assert_eq!(clock.tell(start + ms(11_001)), None, "nobody has heard the server for two seconds");
    }
}
