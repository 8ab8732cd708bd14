//! Events between services: the outbox a fact is written to in the transaction that made it true, the relay that publishes it,
//! the transport that carries it, the consumer that hands it to a handler once, and the dead letters.
//!
//! ```text
//! transaction ─► outbox ─relay─► transport (local log | Kafka) ─► consumer ─► handler: inbox + effects in one transaction
//!                                                                     └─ permanent failure ─► <topic>.<group>.dlq, key parked
//! ```

mod backoff;
pub mod consumer;
pub mod dead_letters;
pub mod handler;
mod headers;
pub mod inbox;
pub mod kafka;
pub mod local;
pub mod outbox;
pub mod relay;
pub mod retention;
pub mod transport;

pub use consumer::{Consumer, ConsumerOptions};
pub use dead_letters::{DeadLetter, DeadLetters, Selection, Settlement};
pub use handler::{HandleError, Handled, Handler, Incoming};
pub use local::{LocalLog, LocalOptions};
pub use outbox::Outgoing;
pub use relay::{Relay, RelayOptions, RelayWake};
pub use retention::{Forget, Pruned, Retention, RetentionOptions};
pub use transport::{
    Cleanup, PublishError, Publisher, Received, Record, Subscription, TopicSpec, Transport, TransportError,
};
