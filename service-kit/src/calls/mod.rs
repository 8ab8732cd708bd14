//! Synchronous calls to other services, so that one that is slow or down does not take its callers with it.
//!
//! ```text
//! deadline ─► retry ─► circuit breaker ─► bulkhead ─► attempt timeout ─► HTTP
//! ```
//!
//! Outside in: a call has a total [`CallOptions::deadline`]; within it an idempotent one is tried again, with full jitter and
//! only while the client's [budget] of repeats lasts; each try asks the [circuit breaker](breaker), which fails at once
//! while the callee is known to be down; then it waits, for a bounded time, for one of a bounded number of places; and each
//! try has a time of its own.
//!
//! **A call that is not idempotent is never sent twice.** What failed says whether the callee may have got it
//! ([`CallError::may_have_arrived`]): only where that is false may a caller act as if nothing had been asked.

mod attempt;
pub mod breaker;
pub mod budget;
mod bulkhead;
mod call;
mod client;
mod counts;
mod options;
mod timing;

pub use call::{Answer, Call, CallError, CallErrorKind};
pub use client::{BaseUrlError, Client};
pub use options::{BreakerOptions, BudgetOptions, BulkheadOptions, CallOptions, RetryOptions};
pub use reqwest::Method;
pub use timing::{SystemTiming, Timing};
