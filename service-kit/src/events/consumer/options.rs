//! How a consumer behaves.

use std::time::Duration;

use crate::events::RetentionOptions;

/// Bounds of a consumer.
#[derive(Clone, Debug)]
pub struct ConsumerOptions {
    /// Events of different keys that are handled at the same time.
    pub lanes: usize,
    /// Records that were taken and are not done; beyond it nothing more is taken.
    pub in_flight_max: usize,
    /// How often what is done is stored at most. After a crash as much as that is handled again, and known by the inbox.
    pub store_every: Duration,
    /// Pauses after a failure grow from here …
    pub retry_first: Duration,
    /// … to here.
    pub retry_max: Duration,
    /// Of this many results …
    pub breaker_window: usize,
    /// … so many permanent failures stop the consumer: that is a bug, not poison.
    pub breaker_failures: usize,
    /// How long it then waits until it tries again. A restart tries at once.
    pub breaker_pause: Duration,
    /// How long events that were begun may take after the consumer was told to stop.
    pub drain_deadline: Duration,
    /// How long a broker is to keep dead letters in topics that are made for them.
    pub keep_dead_letters: Duration,
}

impl Default for ConsumerOptions {
    fn default() -> Self {
        Self {
            lanes: 8,
            in_flight_max: 512,
            store_every: Duration::from_millis(200),
            retry_first: Duration::from_millis(50),
            retry_max: Duration::from_secs(5),
            breaker_window: 50,
            breaker_failures: 20,
            breaker_pause: Duration::from_secs(300),
            drain_deadline: Duration::from_secs(5),
            keep_dead_letters: RetentionOptions::default().dead_letters,
        }
    }
}
