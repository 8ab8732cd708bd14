//! Effects made by hand.

use inventory_core::clock::Timestamp;
use inventory_core::ids::BatchId;
use inventory_core::journal::JournalEntry;
use inventory_core::store::Effects;

/// A batch that writes nothing but its journal entry.
pub(crate) fn empty(batch: BatchId, at: Timestamp) -> Effects {
    Effects {
        created: Vec::new(),
        changed: Vec::new(),
        products: Vec::new(),
        adjustments: Vec::new(),
        customer_units: Vec::new(),
        deliveries: Vec::new(),
        outbox: Vec::new(),
        journal: JournalEntry { batch, at, commands: Vec::new(), products: Vec::new() },
    }
}
