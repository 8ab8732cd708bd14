//! Every bound that is not an option, in one place.

use std::time::Duration;

/// Bytes of a payment's method.
pub const METHOD_BYTES_MAX: usize = 64;
/// Bytes of an amount: more than any amount needs.
pub const AMOUNT_BYTES_MAX: usize = 32;
/// Bytes of a refund's reason.
pub const REASON_BYTES_MAX: usize = 255;
/// The slowest answer.
pub const SLOW_MAX: Duration = Duration::from_secs(60);
/// The latest outcome.
pub const LATE_MAX: Duration = Duration::from_secs(86_400);
/// How long a flaky call that hangs does so, before it fails after all.
pub const HANG: Duration = Duration::from_secs(30);
/// Payments that the worker takes into one transaction.
pub const BATCH_MAX: i64 = 64;
/// How often the worker looks for what other instances left behind.
pub const POLL_MAX: Duration = Duration::from_secs(1);
/// The worker's shortest pause, when what is due is in other hands.
pub const PAUSE_MIN: Duration = Duration::from_millis(5);
/// How long readiness waits for the database.
pub const READY_DEADLINE: Duration = Duration::from_secs(1);
