//! The ordinary loop: claims calls and timers that are due, makes the calls, and gives their answers to the sagas. It always
//! runs, on every instance; what a crash left behind is nothing but work that is due.

mod backoff;
pub mod execute;
pub mod http_inventory;
pub mod http_payments;
pub mod metrics;
pub mod orders;
pub mod ports;
pub mod run;
mod timers;

pub use execute::{Executor, Finished};
pub use http_inventory::HttpInventory;
pub use http_payments::HttpPayments;
pub use orders::Orders;
pub use ports::{
    CommitAnswer, Inventory, NoAnswer, PaymentState, Payments, Refusal, ReleaseAnswer, ReserveAnswer,
};
pub use run::Worker;

use std::time::Duration;

/// How the loop works.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WorkerOptions {
    /// Calls under way at once, those of requests not counted.
    pub calls_max: usize,
    /// How often to look for work that nobody rang for: other instances' work, and what is due by time.
    pub poll_period: Duration,
    /// How long a call may take in all. Less than the lease of the store's options.
    pub call_deadline: Duration,
    /// The first pause before trying again; doubled each time.
    pub pause_min: Duration,
    /// The longest pause for the first dozens of tries.
    pub pause_max: Duration,
    /// The longest pause after that.
    pub pause_max_stuck: Duration,
    /// Tries of a reserve before it is given up; a request gives up after one.
    pub reserve_attempts_max: u32,
    /// From what pauses between tries are drawn; none: from the operating system's chance. With a seed a run repeats itself.
    pub seed: Option<u64>,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        Self {
            calls_max: 64,
            poll_period: Duration::from_millis(500),
            call_deadline: Duration::from_secs(6),
            pause_min: Duration::from_millis(100),
            pause_max: Duration::from_secs(5),
            pause_max_stuck: Duration::from_secs(60),
            reserve_attempts_max: 5,
            seed: None,
        }
    }
}
