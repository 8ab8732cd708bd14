//! Every fact as an event, so that there is much to compare.

use uuid::Uuid;

use crate::chance::mixed;
use crate::clock::Timestamp;
use crate::event::{EventEncoder, Fact, OutboxRow};
use crate::ids::BatchId;

/// Tells everything, in words. The same fact at the same time has the same id.
pub(super) struct EveryFact;

impl EventEncoder for EveryFact {
    fn encode(&self, fact: &Fact, at: Timestamp) -> Option<OutboxRow> {
        let (event_type, product) = match fact {
            Fact::StockLow(product) => ("low", Some(product)),
            Fact::StockDepleted(product) => ("depleted", Some(product)),
            Fact::StockLevel(product) => ("level", Some(product)),
            Fact::ReservationExpired(_) => ("expired", None),
            Fact::CommitFailed(_) => ("lost", None),
            Fact::Reserved(_) => ("reserved", None),
            Fact::Committed(_) => ("committed", None),
            Fact::Tombstoned(..) => ("tombstoned", None),
        };
        let key =
            product.map(|p| p.id.to_string()).or_else(|| fact.order().map(|order| order.to_string()))?;
        let header = |name: &str, value: String| (name.to_owned(), value);
        let mut row = OutboxRow {
            id: Uuid::nil(),
            topic: "inventory".to_owned(),
            aggregate_type: if product.is_some() { "product" } else { "reservation" }.to_owned(),
            aggregate_id: key,
            aggregate_version: product.map_or(0, |product| product.version),
            event_type: event_type.to_owned(),
            payload: format!("{at} {fact:?}").into_bytes(),
            headers: vec![header("at", at.to_string()), header("type", event_type.to_owned())],
        };
        let digest = u64::from_ne_bytes(row.digest(BatchId::new(Uuid::nil())).to_ne_bytes());
        row.id = Uuid::from_u64_pair(digest, mixed(digest));
        Some(row)
    }

    fn tells_of_levels(&self) -> bool {
        true
    }

    fn tells_of_holds(&self) -> bool {
        true
    }
}
