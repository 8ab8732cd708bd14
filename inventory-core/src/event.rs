//! Facts worth telling others, and how they become outbox rows in the batch's own transaction.

use crate::clock::Timestamp;
use crate::ids::{BatchId, Note, OrderId};
use crate::product::Product;
use crate::reservation::Reservation;

/// One business fact, decided in a batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fact {
    /// The product's availability fell below its threshold.
    StockLow(Product),
    /// The product's availability fell to zero.
    StockDepleted(Product),
    /// Where the product stands now. Told only where [`EventEncoder::tells_of_levels`], and not with every change.
    StockLevel(Product),
    /// The sweeper ended a hold.
    ReservationExpired(Reservation),
    /// A commit came too late and the stock was gone.
    CommitFailed(Reservation),
    /// A hold was made. Told only where [`EventEncoder::tells_of_holds`].
    Reserved(Reservation),
    /// A hold became a deduction. Told only where [`EventEncoder::tells_of_holds`].
    Committed(Reservation),
    /// An order that was never reserved was released, so that it never will be; and why. Told only where
    /// [`EventEncoder::tells_of_holds`].
    Tombstoned(Reservation, Option<Note>),
}

impl Fact {
    /// The order concerned, for facts about one.
    pub fn order(&self) -> Option<OrderId> {
        match self {
            Self::ReservationExpired(r)
            | Self::CommitFailed(r)
            | Self::Reserved(r)
            | Self::Committed(r)
            | Self::Tombstoned(r, _) => Some(r.order),
            Self::StockLow(_) | Self::StockDepleted(_) | Self::StockLevel(_) => None,
        }
    }
}

/// A row of the outbox: opaque to the engine, ready to be sent. Column names are Debezium's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutboxRow {
    /// The event's id, minted here and never again.
    pub id: uuid::Uuid,
    /// Where it goes.
    pub topic: String,
    /// The kind of aggregate: `product` or `reservation`.
    pub aggregate_type: String,
    /// The key; order is kept per key.
    pub aggregate_id: String,
    /// The aggregate's version after the change (0 where it has none).
    pub aggregate_version: u64,
    /// The event's type.
    pub event_type: String,
    /// The message, fully serialised.
    pub payload: Vec<u8>,
    /// Headers as name and value, for routing without parsing.
    pub headers: Vec<(String, String)>,
}

impl OutboxRow {
    /// A fingerprint of everything in the row and of the batch that writes it, kept beside the row so that the audit
    /// sees an altered one (it guards against accidents and stray SQL, not against forgers). FNV-1a, 64 bits, over
    /// length-prefixed fields; headers count in name order, since a store may keep them as an unordered object.
    pub fn digest(&self, batch: BatchId) -> i64 {
        let mut hash = Fnv1a::default();
        hash.field(batch.get().as_bytes());
        hash.field(self.id.as_bytes());
        hash.field(self.topic.as_bytes());
        hash.field(self.aggregate_type.as_bytes());
        hash.field(self.aggregate_id.as_bytes());
        hash.field(&self.aggregate_version.to_le_bytes());
        hash.field(self.event_type.as_bytes());
        hash.field(&self.payload);
        let mut headers: Vec<_> = self.headers.iter().collect();
        headers.sort();
        for (name, value) in headers {
            hash.field(name.as_bytes());
            hash.field(value.as_bytes());
        }
        i64::from_ne_bytes(hash.0.to_ne_bytes())
    }
}

/// The FNV-1a hash: part of what is stored, so it must never change with a library's version.
struct Fnv1a(u64);

impl Default for Fnv1a {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv1a {
    fn field(&mut self, bytes: &[u8]) {
        self.bytes(&(bytes.len() as u64).to_le_bytes());
        self.bytes(bytes);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

/// Turns facts into outbox rows. Given to the engine at construction; must be quick and must not fail:
/// it runs while product rows are locked.
pub trait EventEncoder: Send + Sync + 'static {
    /// The row for this fact, or none if nobody is to be told.
    fn encode(&self, fact: &Fact, at: Timestamp) -> Option<OutboxRow>;

    /// Whether somebody follows the level of every product. It is told at most once in `EngineOptions::level_period`.
    fn tells_of_levels(&self) -> bool {
        false
    }

    /// Whether every hold, commit and tombstone is worth telling. Others act on these only where nobody leads (a
    /// choreographed saga); elsewhere a thousand facts a batch would be made for nobody.
    fn tells_of_holds(&self) -> bool {
        false
    }
}

/// Tells nobody: for a library without consumers.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoEvents;

impl EventEncoder for NoEvents {
    fn encode(&self, _fact: &Fact, _at: Timestamp) -> Option<OutboxRow> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_fnv_1a_and_stays_so() {
        // The published vector for "foobar".
        let mut hash = Fnv1a::default();
        hash.bytes(b"foobar");
        assert_eq!(hash.0, 0x8594_4171_f739_67e8);
    }

    #[test]
    fn a_digest_sees_every_field_and_no_order_of_headers() {
        let batch = BatchId::new(uuid::Uuid::from_u128(1));
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let row = OutboxRow {
            id: uuid::Uuid::from_u128(7),
            topic: "t".into(),
            aggregate_type: "product".into(),
            aggregate_id: "1".into(),
            aggregate_version: 2,
            event_type: "e".into(),
            payload: b"{}".to_vec(),
            headers: vec![pair("a", "1"), pair("b", "2")],
        };
        let changes: [fn(&mut OutboxRow); 8] = [
            |r| r.id = uuid::Uuid::from_u128(8),
            |r| r.topic.push('x'),
            |r| r.aggregate_type.push('x'),
            |r| r.aggregate_id.push('0'),
            |r| r.aggregate_version += 1,
            |r| r.event_type.push('x'),
            |r| r.payload[0] = b'[',
            |r| r.headers[0].1.push('x'),
        ];
        for (number, change) in changes.into_iter().enumerate() {
            let mut changed = row.clone();
            change(&mut changed);
            assert_ne!(changed.digest(batch), row.digest(batch), "change {number}");
        }
        assert_ne!(row.digest(BatchId::new(uuid::Uuid::from_u128(2))), row.digest(batch));
        let mut reordered = row.clone();
        reordered.headers.reverse();
        assert_eq!(reordered.digest(batch), row.digest(batch));
    }
}
