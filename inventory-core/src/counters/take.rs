//! Taking all lines of an order or none, and giving them back.

use smallvec::SmallVec;

use super::cell::Cell;
use super::stripes::StripeTable;
use super::{Base, Counters};
use crate::ids::ProductId;
use crate::lines::Lines;
use crate::quantity::{Quantity, Units};
use crate::sync::{AtomicU64, Ordering, thread_number};

/// Proof that every line of an order was taken; must come back by `settle` or `give_back`.
#[must_use = "taken stock must be settled or given back"]
#[derive(Debug, PartialEq, Eq)]
pub struct Taken(pub(super) ());

/// The answer to [`Counters::take`].
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub enum Take {
    /// All lines were taken.
    Taken(Taken),
    /// `base` itself is too small: every short line, with its base.
    Short(Vec<ShortLine>),
    /// Only takes in flight stand in the way: wait for the next settle, give-back or raising observation. So as to miss
    /// none, first line up to be woken, then take once more, then wait.
    Contended,
    /// These products are not loaded, or a base of an older epoch stands in the way: read them, observe, take again.
    Unknown(Vec<ProductId>),
}

/// One line that `base` cannot serve.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ShortLine {
    /// Which product.
    pub product: ProductId,
    /// How many were asked for.
    pub requested: Quantity,
    /// What the database had.
    pub available: Units,
    /// See [`Base::limited`].
    pub limited: bool,
}

/// One line and its counter.
pub(super) type Wanted<'cells> = (&'cells Cell, Quantity);

/// The first line that could not be had, and its base at that moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Refused {
    pub(super) line: usize,
    pub(super) base: Base,
}

impl Counters {
    /// Takes all lines or none. Synchronous; on the way to yes no lock but the map's shared one.
    pub fn take(&self, lines: &Lines) -> Take {
        self.take_as(lines, thread_number())
    }

    /// Raises what was taken: it never reached the store, or definitely failed there. Wake who waits for it.
    pub fn give_back(&self, lines: &Lines, _taken: Taken) {
        for line in lines.iter() {
            if let Some(cell) = self.cell(line.product) {
                cell.give_back(line.quantity.units());
            }
        }
    }

    /// [`Counters::take`] by a thread with this number.
    pub(super) fn take_as(&self, lines: &Lines, thread: usize) -> Take {
        let mut wanted: SmallVec<[Wanted<'_>; 4]> = SmallVec::new();
        let mut unknown = Vec::new();
        for line in lines.iter() {
            match self.cell(line.product) {
                Some(cell) => wanted.push((cell, line.quantity)),
                None => unknown.push(line.product),
            }
        }
        if !unknown.is_empty() {
            return Take::Unknown(unknown);
        }
        match take_all(&wanted, &self.table, thread, &self.yields) {
            Ok(()) => Take::Taken(Taken(())),
            Err(refused) => self.judge(lines, &wanted, refused),
        }
    }

    /// Names every line whose base is too small. Each base is read under its own cell's lock; that of the refused line
    /// is the one it was refused by.
    fn judge(&self, lines: &Lines, wanted: &[Wanted<'_>], refused: Refused) -> Take {
        let epoch = self.epoch();
        let mut short = Vec::new();
        let mut outdated = Vec::new();
        for (at, (line, (cell, _))) in lines.iter().zip(wanted).enumerate() {
            let base = if at == refused.line { refused.base } else { cell.base() };
            let is_short = base.available < line.quantity.units();
            if base.epoch < epoch && (is_short || at == refused.line) {
                outdated.push(line.product);
            } else if is_short {
                short.push(ShortLine {
                    product: line.product,
                    requested: line.quantity,
                    available: base.available,
                    limited: base.limited,
                });
            }
        }
        if !outdated.is_empty() {
            Take::Unknown(outdated)
        } else if !short.is_empty() {
            Take::Short(short)
        } else {
            Take::Contended
        }
    }
}

/// Takes every line, in the order given (product order: it is what makes one of two rivals win), or none.
///
/// Inlined, like what it calls of a cell: how the compiler divides the crate must not decide what a take costs (a sixth of its
/// instructions).
#[inline]
pub(super) fn take_all(
    wanted: &[Wanted<'_>],
    table: &StripeTable,
    thread: usize,
    yields: &AtomicU64,
) -> Result<(), Refused> {
    if wanted.len() > 1 {
        // Looking first keeps hopeless carts from standing in others' way, and two of them from waking each other.
        for (line, (cell, quantity)) in wanted.iter().enumerate() {
            cell.check(*quantity, table).map_err(|base| Refused { line, base })?;
        }
    }
    for (line, (cell, quantity)) in wanted.iter().enumerate() {
        let Err(base) = cell.take(*quantity, table, thread) else { continue };
        for (cell, quantity) in &wanted[..line] {
            cell.give_back(quantity.units());
        }
        if line > 0 {
            yields.fetch_add(1, Ordering::Relaxed);
        }
        return Err(Refused { line, base });
    }
    Ok(())
}
