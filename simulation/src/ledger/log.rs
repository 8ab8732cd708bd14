//! What the ledger did, with the moment of each COMMIT: what the checks at the end compare the clients' history with. It survives what
//! the tables do not.

use inventory_core::clock::Timestamp;
use inventory_core::ids::{BatchId, ProductId};
use inventory_core::journal::JournalEntry;
use inventory_core::product::Product;
use inventory_core::quantity::Units;
use tokio::time::Instant;

/// One COMMIT that took effect.
#[derive(Clone, Debug)]
pub struct Committed {
    /// When it took effect.
    pub at: Instant,
    /// The store's time then.
    pub now: Timestamp,
    /// Which process asked for it.
    pub process: u32,
    /// What it did.
    pub entry: JournalEntry,
    /// A failover took it back.
    pub lost: bool,
}

/// A product's stock from one moment on.
#[derive(Clone, Copy, Debug)]
pub struct Level {
    /// From when.
    pub at: Instant,
    /// Which product.
    pub product: ProductId,
    /// What could be reserved.
    pub available: Units,
}

/// Everything, in the order in which it took effect.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// The batches.
    pub batches: Vec<Committed>,
    /// The levels of products, those that a failover brought back included.
    pub levels: Vec<Level>,
    /// When standbys took over.
    pub failovers: Vec<Instant>,
}

impl Log {
    pub(super) fn commit(&mut self, process: u32, now: Timestamp, entry: JournalEntry) {
        let at = Instant::now();
        for after in &entry.products {
            let (product, available) = (after.product, after.on_hand - after.held);
            let lowest = available - depth_inside(&entry, product);
            self.levels.extend([lowest, available].map(|available| Level { at, product, available }));
        }
        self.batches.push(Committed { at, now, process, entry, lost: false });
    }

    /// Only the batches of `survived` are left; how many went.
    pub(super) fn fail_over(
        &mut self,
        survived: &[BatchId],
        products: impl Iterator<Item = Product>,
    ) -> usize {
        let at = Instant::now();
        let mut lost = 0;
        for batch in &mut self.batches {
            if !batch.lost && survived.binary_search(&batch.entry.batch).is_err() {
                batch.lost = true;
                lost += 1;
            }
        }
        self.levels.extend(products.map(|product| Level {
            at,
            product: product.id,
            available: product.available(),
        }));
        self.failovers.push(at);
        lost
    }
}

/// How far below its last level a product stood inside a batch: commands are decided one after the other.
fn depth_inside(entry: &JournalEntry, product: ProductId) -> Units {
    let mut below = Units::ZERO;
    let mut deepest = Units::ZERO;
    for command in entry.commands.iter().rev() {
        for line in command.lines.iter().rev().filter(|line| line.product == product) {
            let (on_hand, held) = command.kind.effect(line.units);
            below += on_hand - held;
            deepest = deepest.max(below);
        }
    }
    deepest
}
