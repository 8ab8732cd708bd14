//! Every interleaving (up to three preemptions) of the small races that everything else rests on.
//!
//! loom remembers only the last access to an atomic, so a load just before a write can hide a race from it; `raise` and
//! `lower` are single steps for that reason too.
//!
//! Each line below was broken once, and the model named beside it failed:
//!
//! | broken | model that failed |
//! | --- | --- |
//! | `take_exactly`: load and store instead of compare-and-swap | the last unit, and seven more |
//! | `take_exactly`: Relaxed · `raise`: Relaxed | who takes a unit sees |
//! | `take_up_to`: load and store | gather, settle and take |
//! | `raise`: load and store | settle and base update |
//! | `lower`: load and store | a lowering and a take both count |
//! | `give_back` without the ledger lock | a gatherer is not refused |
//! | `lower` without the ledger lock | a lowering finds units on their way |
//! | `gather` without the ledger lock · misses a stripe | a gatherer is not refused |
//! | `gather` keeps what it found | gather, settle and take |
//! | `refill` copies units instead of moving them | takers on stripes share |
//! | `shift` leaves the stripes · loses what it collects | nothing is taken after a lowering |
//! | `settle` lets go of the lock between base and raise · a refusal reads the base later | a refused taker reads |
//! | `settle` takes any base · keeps `leaving` when the base is old | settle and base update |
//! | a cart keeps its first line | a cart that loses its second line |
//! | one cart in reversed order | a cart and a reversed cart |
//! | `stripe` seeds a stripe with a copy of the centre | striping a cell |
//! | `stripe` without the ledger lock | a cell striped by two at once |

use loom::cell::UnsafeCell;
use loom::model::Builder;
use loom::sync::Arc;
use loom::thread;

use super::cell::Cell;
use super::stripes::StripeTable;
use super::take::{Wanted, take_all};
use super::{Base, CellView};
use crate::quantity::{Quantity, Units};
use crate::sync::AtomicU64;

fn check(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(3));
    builder.check(model);
}

fn base(available: i64, version: u64) -> Base {
    Base { available: Units::stored(available), version, epoch: 0, limited: false }
}

/// One counter, and the stripes it may get.
struct Shop {
    cell: Cell,
    table: StripeTable,
}

impl Shop {
    fn plain(available: i64) -> Self {
        let shop = Self { cell: Cell::default(), table: StripeTable::new(2, 2) };
        shop.cell.load(base(available, 1));
        shop
    }

    /// Base 2 at version 2, one unit in flight, the only free one on the stripe of thread 1.
    fn striped() -> Self {
        let shop = Self::plain(5);
        shop.cell.stripe(&shop.table);
        assert!(shop.take(1, 1), "five were there, and a share of them moves to the taker's stripe");
        shop.settle(0, base(2, 2));
        assert_eq!((shop.view().free, shop.view().stripes), (Units::stored(1), 2));
        shop
    }

    #[must_use]
    fn take(&self, units: i64, thread: usize) -> bool {
        self.cell.take(Quantity::new(units).unwrap(), &self.table, thread).is_ok()
    }

    fn settle(&self, leaving: i64, base: Base) {
        self.cell.settle(Units::stored(leaving), base, &self.table);
    }

    fn view(&self) -> CellView {
        self.cell.inspect(&self.table)
    }
}

/// Runs `f` on a thread of its own.
fn on<T: 'static>(shop: &Arc<Shop>, f: impl FnOnce(&Shop) -> T + 'static) -> thread::JoinHandle<T> {
    let shop = Arc::clone(shop);
    thread::spawn(move || f(&shop))
}

#[test]
fn loom_i3_the_last_unit_goes_to_exactly_one_of_two_buyers() {
    check(|| {
        let shop = Arc::new(Shop::plain(1));
        let other = on(&shop, |shop| shop.take(1, 1));
        let mine = shop.take(1, 0);
        assert!(mine ^ other.join().unwrap());
        assert_eq!(shop.view().free, Units::ZERO);
    });
}

/// What the owner of a unit leaves behind for its next owner. loom fails a model in which the two meet.
struct Desk(UnsafeCell<u32>);

impl Desk {
    fn leave(&self) {
        self.0.with_mut(|_| ());
    }

    fn find(&self) {
        self.0.with(|_| ());
    }
}

#[test]
fn loom_who_takes_a_unit_sees_what_its_former_owner_did() {
    check(|| {
        let shop = Arc::new((Shop::plain(1), Desk(UnsafeCell::new(0))));
        assert!(shop.0.take(1, 0));
        let owner = Arc::clone(&shop);
        let owner = thread::spawn(move || {
            owner.1.leave();
            owner.0.cell.give_back(Units::stored(1));
        });
        if shop.0.take(1, 1) {
            shop.1.find();
        }
        owner.join().unwrap();
    });
}

/// As above, through a gatherer's hands: owner → centre → stripe → a taker without a lock.
#[test]
fn loom_who_takes_a_gathered_unit_sees_what_its_former_owner_did() {
    check(|| {
        let shop = Arc::new((Shop::striped(), Desk(UnsafeCell::new(0))));
        assert!(shop.0.take(1, 1), "now nothing is free and two are in flight");
        let owner = Arc::clone(&shop);
        let owner = thread::spawn(move || {
            owner.1.leave();
            owner.0.settle(6, base(2, 3));
        });
        let gatherer = Arc::clone(&shop);
        let gatherer = thread::spawn(move || gatherer.0.take(1, 1));
        if shop.0.take(1, 1) {
            shop.1.find();
        }
        owner.join().unwrap();
        let _ = gatherer.join().unwrap();
    });
}

/// At every moment at least one unit is free, so the gatherer must get one, wherever it has looked already.
#[test]
fn loom_a_gatherer_is_not_refused_while_a_unit_moves_from_stripe_to_centre() {
    check(|| {
        let shop = Arc::new(Shop::striped());
        let gatherer = on(&shop, |shop| shop.take(1, 0));
        shop.cell.give_back(Units::stored(1));
        assert!(shop.take(1, 1));
        assert!(gatherer.join().unwrap(), "refused although a unit was free all the time");
        assert_eq!(shop.view().free, Units::ZERO);
    });
}

#[test]
fn loom_i3_gather_settle_and_take_keep_every_unit() {
    check(|| {
        let shop = Arc::new(Shop::striped());
        let gatherer = on(&shop, |shop| shop.cell.take(Quantity::new(2).unwrap(), &shop.table, 0));
        // The unit in flight was sold and another one came back in the same batch: one more is free.
        let writer = on(&shop, |shop| shop.settle(1, base(2, 3)));
        let mine = shop.take(1, 1);
        let gathered = gatherer.join().unwrap();
        writer.join().unwrap();
        if let Err(base) = gathered {
            assert_eq!(base.available, Units::stored(2), "two would do: contended, not short");
        }
        let in_flight = i64::from(mine) + if gathered.is_ok() { 2 } else { 0 };
        assert_eq!(shop.view().base, base(2, 3));
        assert_eq!(shop.view().free, Units::stored(2 - in_flight));
        assert!(in_flight <= 2);
    });
}

/// A refusal is final exactly when the base is too small; a base that says "there is enough" with all of it free refuses
/// nobody.
#[test]
fn loom_a_refused_taker_reads_a_base_that_matches_what_was_free() {
    check(|| {
        let shop = Arc::new(Shop::plain(1));
        let writer = on(&shop, |shop| shop.settle(0, base(2, 2)));
        if let Err(base) = shop.cell.take(Quantity::new(2).unwrap(), &shop.table, 0) {
            assert_eq!(
                base.available,
                Units::stored(1),
                "nothing was in flight, so only the base can refuse"
            );
        }
        writer.join().unwrap();
    });
}

#[test]
fn loom_i3_nothing_is_taken_after_a_lowering_has_used_it_up() {
    check(|| {
        let shop = Arc::new(Shop::striped());
        let taker = on(&shop, |shop| shop.take(1, 1));
        let gatherer = on(&shop, |shop| shop.take(1, 0));
        shop.cell.lower(Units::stored(1), &shop.table);
        assert!(!shop.take(1, 1), "taken from under a lowering that had returned");
        let taken = i64::from(taker.join().unwrap()) + i64::from(gatherer.join().unwrap());
        assert!(taken <= 1);
        assert_eq!(shop.view().free, Units::stored(-taken));
    });
}

#[test]
fn loom_i3_a_lowering_and_a_take_both_count() {
    check(|| {
        let shop = Arc::new(Shop::plain(3));
        let taker = on(&shop, |shop| shop.take(2, 1));
        shop.cell.lower(Units::stored(2), &shop.table);
        let taken = if taker.join().unwrap() { 2 } else { 0 };
        assert_eq!(shop.view().free, Units::stored(1 - taken));
    });
}

/// The taker's refill has units in its hands when the lowering looks for them.
#[test]
fn loom_i3_a_lowering_finds_units_on_their_way_to_a_stripe() {
    check(|| {
        let shop = Arc::new(Shop::plain(5));
        shop.cell.stripe(&shop.table);
        let taker = on(&shop, |shop| shop.take(1, 1));
        shop.cell.lower(Units::stored(4), &shop.table);
        assert!(taker.join().unwrap(), "five were there, four were lowered");
        assert_eq!(shop.view().free, Units::ZERO);
        assert!(!shop.take(1, 1), "taken although nothing is free");
    });
}

#[test]
fn loom_i3_settle_and_base_update_in_any_order_come_to_the_same() {
    check(|| {
        let shop = Arc::new(Shop::plain(2));
        assert!(shop.take(1, 0));
        let reader = on(&shop, |shop| {
            shop.settle(0, base(4, 3));
            shop.settle(0, base(9, 2));
        });
        let taker = on(&shop, |shop| shop.take(2, 1));
        shop.settle(1, base(1, 2));
        reader.join().unwrap();
        let in_flight = if taker.join().unwrap() { 2 } else { 0 };
        assert_eq!(shop.view().base, base(4, 3));
        assert_eq!(shop.view().free, Units::stored(4 - in_flight));
    });
}

#[test]
fn loom_i10_of_a_cart_and_a_reversed_cart_exactly_one_gets_all() {
    check(|| {
        let shops = Arc::new((Shop::plain(1), Shop::plain(1), AtomicU64::new(0)));
        let buy = |shops: &(Shop, Shop, AtomicU64), thread| {
            // `Lines` are in product order however the buyer wrote them.
            let cart: [Wanted<'_>; 2] = [(&shops.0.cell, Quantity::ONE), (&shops.1.cell, Quantity::ONE)];
            take_all(&cart, &shops.0.table, thread, &shops.2).is_ok()
        };
        let other = Arc::clone(&shops);
        let other = thread::spawn(move || buy(&other, 1));
        let mine = buy(&shops, 0);
        assert!(mine ^ other.join().unwrap());
        assert_eq!((shops.0.view().free, shops.1.view().free), (Units::ZERO, Units::ZERO));
    });
}

#[test]
fn loom_i10_a_cart_that_loses_its_second_line_gives_back_the_first() {
    check(|| {
        let shops = Arc::new((Shop::plain(1), Shop::plain(1), AtomicU64::new(0)));
        let rival = Arc::clone(&shops);
        let rival = thread::spawn(move || rival.1.take(1, 1));
        let cart: [Wanted<'_>; 2] = [(&shops.0.cell, Quantity::ONE), (&shops.1.cell, Quantity::ONE)];
        let mine = take_all(&cart, &shops.0.table, 0, &shops.2).is_ok();
        assert!(mine ^ rival.join().unwrap());
        assert_eq!(shops.0.view().free, Units::stored(i64::from(!mine)));
        assert_eq!(shops.1.view().free, Units::ZERO);
    });
}

#[test]
fn loom_i3_striping_a_cell_neither_makes_nor_loses_a_unit() {
    check(|| {
        let shop = Arc::new(Shop::plain(2));
        let striper = on(&shop, |shop| {
            shop.cell.stripe(&shop.table);
            shop.take(1, 0)
        });
        let taker = on(&shop, |shop| shop.take(1, 1));
        let mine = shop.take(1, 0);
        let taken = [mine, striper.join().unwrap(), taker.join().unwrap()];
        assert_eq!(taken.iter().filter(|taken| **taken).count(), 2, "two units, three buyers");
        assert_eq!(shop.view().free, Units::ZERO);
    });
}

#[test]
fn loom_i3_a_cell_striped_by_two_at_once_loses_no_unit() {
    check(|| {
        let shop = Arc::new(Shop::plain(10));
        let other = on(&shop, |shop| {
            shop.cell.stripe(&shop.table);
            shop.take(1, 1)
        });
        shop.cell.stripe(&shop.table);
        assert!(shop.take(1, 1) && other.join().unwrap());
        assert_eq!((shop.view().free, shop.table.used()), (Units::stored(8), 1));
    });
}

/// Five units: the first taker's refill moves one to its stripe while others take from centre and stripe.
#[test]
fn loom_i3_takers_on_stripes_share_exactly_what_is_there() {
    check(|| {
        let shop = Arc::new(Shop::plain(5));
        shop.cell.stripe(&shop.table);
        let other = on(&shop, |shop| u8::from(shop.take(1, 1)) + u8::from(shop.take(1, 1)));
        let taken = i64::from(shop.take(1, 0)) + i64::from(shop.take(3, 0)) * 3;
        let taken = taken + i64::from(other.join().unwrap());
        // Three were asked for at once: refused only when the two others had been quicker.
        assert!(taken == 3 || taken == 5, "{taken} of five units");
        assert_eq!(shop.view().free, Units::stored(5 - taken));
    });
}
