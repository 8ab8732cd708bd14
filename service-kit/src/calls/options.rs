//! Every bound of a client, in one place.

use std::time::Duration;

/// How a client calls. The default is right for a service in the same building.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct CallOptions {
    /// The whole call, repeats and waiting included.
    pub deadline: Duration,
    /// One try, from the free place in the bulkhead to the last byte of the answer.
    pub attempt_timeout: Duration,
    /// Making a connection. Under [`CallOptions::attempt_timeout`], so that a callee that is not there is told from one that is slow.
    pub connect_timeout: Duration,
    /// Bytes of an answer, at most.
    pub answer_bytes_max: usize,
    /// When to try again.
    pub retry: RetryOptions,
    /// How many repeats all calls together may cost.
    pub budget: BudgetOptions,
    /// When to stop asking.
    pub breaker: BreakerOptions,
    /// How many tries at once.
    pub bulkhead: BulkheadOptions,
}

/// When to try again: after a random time from zero to `delay_min × 2ⁿ`, at most `delay_max` ("full jitter").
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RetryOptions {
    /// Tries, the first one included.
    pub attempts_max: u32,
    /// The most that the first repeat waits.
    pub delay_min: Duration,
    /// The most that any repeat waits, unless the callee asked for more.
    pub delay_max: Duration,
}

/// How many repeats all calls of a client together may cost: a callee in trouble gets little more than its usual load.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BudgetOptions {
    /// Repeats that may be saved up. Also what a new client has.
    pub repeats_max: u32,
    /// Calls that earn one repeat.
    pub calls_per_repeat: u32,
}

/// When to stop asking.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BreakerOptions {
    /// How many of the last outcomes are looked at, up to 64.
    pub window: u32,
    /// So many failures among them open the breaker.
    pub failures_to_open: u32,
    /// How long it stays open before one probe is let through.
    pub open_for: Duration,
}

/// How many tries at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BulkheadOptions {
    /// Tries under way at once.
    pub concurrency_max: usize,
    /// How long to wait for a place.
    pub wait_max: Duration,
}

impl Default for CallOptions {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(5),
            attempt_timeout: Duration::from_secs(2),
            connect_timeout: Duration::from_secs(1),
            answer_bytes_max: 1_024 * 1_024,
            retry: RetryOptions::default(),
            budget: BudgetOptions::default(),
            breaker: BreakerOptions::default(),
            bulkhead: BulkheadOptions::default(),
        }
    }
}

impl Default for RetryOptions {
    fn default() -> Self {
        Self { attempts_max: 3, delay_min: Duration::from_millis(50), delay_max: Duration::from_secs(1) }
    }
}

impl Default for BudgetOptions {
    fn default() -> Self {
        Self { repeats_max: 100, calls_per_repeat: 5 }
    }
}

impl Default for BreakerOptions {
    fn default() -> Self {
        Self { window: 20, failures_to_open: 10, open_for: Duration::from_secs(2) }
    }
}

impl Default for BulkheadOptions {
    fn default() -> Self {
        Self { concurrency_max: 256, wait_max: Duration::from_millis(500) }
    }
}
