//! What crosses a boundary: the envelope, the payloads and the topic names. Pure data, no behaviour.
//!
//! Additive changes keep an event's version; a breaking one adds a version. One golden JSON file per type and
//! version stands in `golden/`; files are added, never edited.

pub mod envelope;
pub mod inventory;
pub mod money;
pub mod orders;
pub mod payments;
pub mod topics;

pub use envelope::{Envelope, Metadata};
pub use money::{Money, MoneyError};
