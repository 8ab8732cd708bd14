//! Events of facts, plain: who compares them with the journal wants kind and key.

use inventory_core::clock::Timestamp;
use inventory_core::event::{EventEncoder, Fact, OutboxRow};

use crate::dice::Dice;

/// See [`EventEncoder`]. Ids come from a seed.
#[derive(Debug)]
pub(crate) struct Encoder(Dice);

impl Encoder {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Dice::of(seed, "events"))
    }
}

impl EventEncoder for Encoder {
    fn encode(&self, fact: &Fact, at: Timestamp) -> Option<OutboxRow> {
        let event_type = match fact {
            Fact::StockLow(_) => "low",
            Fact::StockDepleted(_) => "depleted",
            Fact::ReservationExpired(_) => "expired",
            Fact::CommitFailed(_) => "lost",
            Fact::StockLevel(_) | Fact::Reserved(_) | Fact::Committed(_) | Fact::Tombstoned(..) => {
                return None;
            }
        };
        let (aggregate_type, aggregate_id, aggregate_version) = match fact {
            Fact::StockLow(product) | Fact::StockDepleted(product) => {
                ("product", product.id.to_string(), product.version)
            }
            _ => ("reservation", fact.order()?.to_string(), 0),
        };
        Some(OutboxRow {
            id: self.0.id(),
            topic: "inventory".to_owned(),
            aggregate_type: aggregate_type.to_owned(),
            aggregate_id,
            aggregate_version,
            event_type: event_type.to_owned(),
            payload: at.micros().to_le_bytes().to_vec(),
            headers: Vec::new(),
        })
    }
}
