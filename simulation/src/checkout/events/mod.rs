//! Events on their way: out of an outbox by a relay, at least once and in order per key, into the lanes of whoever listens.

mod lanes;
mod listeners;
mod relay;

use std::sync::Arc;

use parking_lot::Mutex;

pub(super) use self::lanes::Lanes;
pub(super) use self::listeners::{Listeners, Told};
pub(super) use self::relay::Relay;

/// Events that nobody will ever understand.
pub(super) type DeadLetters = Arc<Mutex<Vec<String>>>;
