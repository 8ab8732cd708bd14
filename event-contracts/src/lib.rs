//! What crosses a boundary: the envelope, the payloads and the topic names. Pure data, no behaviour.
//! [`catalogue`] lists every event type with who writes it and who listens.
//!
//! Additive changes keep an event's version; a breaking one adds a version. One golden JSON file per type and
//! version stands in `golden/`; files are added, never edited.

pub mod asyncapi;
pub mod catalogue;
pub mod envelope;
pub mod inventory;
pub mod money;
pub mod orders;
pub mod payments;
pub mod topics;
mod upcast;

pub use catalogue::{EVENTS, EventType};
pub use envelope::{Envelope, Metadata};
pub use money::{Money, MoneyError};
pub use upcast::{Step, UnknownVersion, upcast};
