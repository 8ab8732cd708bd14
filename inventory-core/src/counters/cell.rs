//! One product's counter and its transitions. See the module's essay for the protocol.

use super::base::{Base, counted};
use super::stripes::{self, StripeTable, Stripes};
use super::{CellView, place};
use crate::quantity::{Quantity, Units};
use crate::sync::{AtomicI64, AtomicU32, Mutex, Ordering};

/// CAS races that a cell's takers lose, over its life, before it is striped.
const LOSSES_BEFORE_STRIPING: u32 = 64;
/// A refill leaves this many times its size in the centre for each stripe: stripes drain to nothing only near the end.
const REFILL_DIVISOR: i64 = 2;

/// Free units lie in the centre and, once striped, in the stripes too; their sum is
/// `base − in flight − lowered` whenever nobody holds the ledger.
#[derive(Debug, Default)]
pub(super) struct Cell {
    centre: AtomicI64,
    /// The number of the stripes plus one; zero while the cell is plain. Changes once.
    striped: AtomicU32,
    losses: AtomicU32,
    /// The base, and the gather lock: every raise, every move between places and every refusal happens under it.
    ledger: Mutex<Base>,
}

// 10 million products in 1 GiB leave no room for more.
#[cfg(not(inventory_loom))]
const _: () = assert!(size_of::<Cell>() == 48);

impl Cell {
    /// Gives a fresh cell its base. Before the cell can be found by anyone else.
    pub(super) fn load(&self, base: Base) {
        let mut ledger = self.ledger.lock();
        *ledger = base;
        place::raise(&self.centre, counted(base.available).get());
    }

    /// Takes `quantity` units, or says what the base was when they could not be had.
    ///
    /// Without a lock when the own place has enough: the centre of a plain cell, the thread's stripe of a striped one.
    /// Ordering: Acquire in `place`, partner: every raise.
    #[inline]
    pub(super) fn take(&self, quantity: Quantity, table: &StripeTable, thread: usize) -> Result<(), Base> {
        let units = quantity.units().get();
        let mut losses = 0;
        let own = self.stripes(table).and_then(|stripes| stripes::own(stripes, thread));
        if place::take_exactly(own.unwrap_or(&self.centre), units, &mut losses) {
            self.note_losses(losses, table);
            return Ok(());
        }
        let ledger = self.ledger.lock();
        if self.gather(units, table, thread) { Ok(()) } else { Err(*ledger) }
    }

    /// Whether `quantity` units could be had now, without taking them; if not, what the base is.
    #[inline]
    pub(super) fn check(&self, quantity: Quantity, table: &StripeTable) -> Result<(), Base> {
        let units = quantity.units().get();
        // Ordering: Relaxed; a guess, repeated under the lock when it says no, and by the take when it says yes.
        if self.centre.load(Ordering::Relaxed) >= units {
            return Ok(());
        }
        let ledger = self.ledger.lock();
        if self.free_bound(table) >= units { Ok(()) } else { Err(*ledger) }
    }

    /// What the database had, as far as is known.
    pub(super) fn base(&self) -> Base {
        *self.ledger.lock()
    }

    /// Raises by units that were taken or lowered and never reached the store. Partner: take.
    pub(super) fn give_back(&self, units: Units) {
        let _ledger = self.ledger.lock();
        place::raise(&self.centre, units.get());
    }

    /// Lowers what is left, below zero if need be. When it returns, no take can have the units any more.
    pub(super) fn lower(&self, units: Units, table: &StripeTable) {
        let _ledger = self.ledger.lock();
        self.shift(-units, table);
    }

    /// `leaving` units leave flight (they are in the store now, or were never lowered for good), and the base is this,
    /// unless a newer one is known. With zero `leaving` it is an observation.
    ///
    /// Ordering: the ledger lock; who is refused by this base sees all that happened before it was settled.
    pub(super) fn settle(&self, leaving: Units, base: Base, table: &StripeTable) {
        let mut ledger = self.ledger.lock();
        let mut change = leaving;
        if base.supersedes(&ledger) {
            change += counted(base.available) - counted(ledger.available);
            *ledger = base;
        }
        self.shift(change, table);
    }

    /// Makes the cell striped, if it is not and the table has room. Moves no unit: takers that still think the cell
    /// plain take from the centre, which stays a good place; the first taker of a stripe fetches units under the lock.
    ///
    /// Ordering: Release, partner `stripes`.
    pub(super) fn stripe(&self, table: &StripeTable) {
        let _ledger = self.ledger.lock();
        if self.striped.load(Ordering::Relaxed) == 0
            && let Some(number) = table.add()
        {
            self.striped.store(number + 1, Ordering::Release);
        }
    }

    /// For statistics, audit and tests. Exact when nothing is being taken.
    pub(super) fn inspect(&self, table: &StripeTable) -> CellView {
        let ledger = self.ledger.lock();
        CellView {
            base: *ledger,
            free: Units::stored(self.free_bound(table)),
            stripes: self.stripes(table).map_or(0, <[_]>::len),
        }
    }

    /// Takes `units` from wherever they lie, or nothing. Under the ledger lock.
    ///
    /// Why a no is right: raises wait for the lock, so a place only falls after we have emptied it. When we have been
    /// everywhere, what we hold is all there is.
    #[must_use]
    fn gather(&self, units: i64, table: &StripeTable, thread: usize) -> bool {
        let stripes = self.stripes(table).unwrap_or_default();
        let mut got = place::take_up_to(&self.centre, units);
        for stripe in stripes {
            if got == units {
                break;
            }
            got += place::take_up_to(stripe, units - got);
        }
        if got < units {
            place::raise(&self.centre, got);
            return false;
        }
        self.refill(stripes, thread);
        true
    }

    /// Moves a share of the centre into the thread's stripe, so that its next takes need no lock. Under the ledger lock.
    fn refill(&self, stripes: &Stripes, thread: usize) {
        let Some(own) = stripes::own(stripes, thread) else { return };
        let shares = REFILL_DIVISOR.saturating_mul(i64::try_from(stripes.len()).unwrap_or(i64::MAX));
        let share = self.centre.load(Ordering::Relaxed) / shares;
        place::raise(own, place::take_up_to(&self.centre, share));
    }

    /// Raises or lowers what is free. Under the ledger lock. A centre below zero is filled from the stripes, so that
    /// outside the lock no stripe has units while the centre owes some.
    fn shift(&self, change: Units, table: &StripeTable) {
        if change >= Units::ZERO {
            place::raise(&self.centre, change.get());
            return;
        }
        let mut left = place::lower(&self.centre, (-change).get());
        for stripe in self.stripes(table).unwrap_or_default() {
            if left >= 0 {
                return;
            }
            let got = place::take_up_to(stripe, left.saturating_neg());
            place::raise(&self.centre, got);
            left += got;
        }
    }

    /// All free units. Under the ledger lock a bound that later takes can only lower: raises wait for the lock, and
    /// the lock's last holder has published his (Relaxed is enough: an old value of a falling number is higher).
    fn free_bound(&self, table: &StripeTable) -> i64 {
        let centre = self.centre.load(Ordering::Relaxed);
        let stripes = self.stripes(table).unwrap_or_default();
        stripes.iter().fold(centre, |sum, stripe| sum.saturating_add(stripe.load(Ordering::Relaxed)))
    }

    /// Ordering: Acquire, partner `stripe`. A thread that does not see the stripes yet uses the centre.
    fn stripes<'table>(&self, table: &'table StripeTable) -> Option<&'table Stripes> {
        table.get(self.striped.load(Ordering::Acquire).checked_sub(1)?)
    }

    /// Counts lost races; too many stripe the cell. Ordering: Relaxed, a statistic.
    pub(super) fn note_losses(&self, losses: u32, table: &StripeTable) {
        if losses == 0 || self.striped.load(Ordering::Relaxed) != 0 {
            return;
        }
        let before = self.losses.fetch_add(losses, Ordering::Relaxed);
        if before.saturating_add(losses) >= LOSSES_BEFORE_STRIPING && table.has_room() {
            self.stripe(table);
        }
    }
}
