//! A circuit breaker: while a callee is known to be down it is not asked, which spares both sides the waiting.
//!
//! ```text
//!            failures_to_open of the last `window` outcomes failed
//!   closed ────────────────────────────────────────────────────────► open ◄─────────┐
//!      ▲                                                               │ open_for    │ the probe failed
//!      └──────────── the probe succeeded ──────────── half-open ◄──────┘ ────────────┘
//! ```
//!
//! Half-open lets one probe through; the rest fail at once as before. A probe that is dropped without an outcome gives its place to
//! the next. Outcomes of tries that began before the last change of state count for nothing.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::BreakerOptions;

/// The most outcomes that can be remembered.
const WINDOW_MAX: u32 = u64::BITS;
/// What those are told who come while a probe is under way: its outcome is known soon.
const PROBE_WAIT: Duration = Duration::from_millis(500);

/// See the module.
#[derive(Debug)]
pub struct Breaker {
    options: BreakerOptions,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    state: State,
    /// Raised by every change of state.
    generation: u64,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Closed {
        /// The last outcomes, the newest in the lowest bit; one is a failure.
        outcomes: u64,
    },
    Open {
        until: Instant,
    },
    HalfOpen {
        /// When it may be asked: in the past.
        since: Instant,
    },
}

/// Leave to try once. Say what came of it; dropped without a word, it counts for nothing.
#[must_use]
#[derive(Debug)]
pub struct Permit<'a> {
    breaker: &'a Breaker,
    generation: u64,
}

/// What callers outside see.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BreakerState {
    /// Everyone may ask.
    Closed,
    /// One may ask.
    HalfOpen,
    /// No one may ask.
    Open,
}

impl Breaker {
    /// A closed one.
    pub fn new(options: BreakerOptions) -> Self {
        let inner = Inner { state: State::Closed { outcomes: 0 }, generation: 0 };
        Self { options, inner: Mutex::new(inner) }
    }

    /// Leave to try, or how long until the next probe.
    pub fn admit(&self, now: Instant) -> Result<Permit<'_>, Duration> {
        let mut inner = self.lock();
        match inner.state {
            State::Closed { .. } => {}
            State::Open { until } if now < until => return Err(until - now),
            State::Open { until } => inner.become_(State::HalfOpen { since: until }),
            State::HalfOpen { .. } => return Err(PROBE_WAIT.min(self.options.open_for)),
        }
        Ok(Permit { breaker: self, generation: inner.generation })
    }

    /// Where it stands.
    pub fn state(&self) -> BreakerState {
        match self.lock().state {
            State::Closed { .. } => BreakerState::Closed,
            State::Open { .. } => BreakerState::Open,
            State::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing in here panics half-way.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn window_mask(&self) -> u64 {
        let window = self.options.window.clamp(1, WINDOW_MAX);
        u64::MAX >> (WINDOW_MAX - window)
    }
}

impl Inner {
    fn become_(&mut self, state: State) {
        self.state = state;
        self.generation += 1;
    }
}

impl Permit<'_> {
    /// The callee answered.
    pub fn succeeded(self) {
        let mut inner = self.breaker.lock();
        if inner.generation != self.generation {
            return;
        }
        match &mut inner.state {
            State::Closed { outcomes } => *outcomes <<= 1,
            State::HalfOpen { .. } => inner.become_(State::Closed { outcomes: 0 }),
            State::Open { .. } => {}
        }
    }

    /// The callee failed.
    pub fn failed(self, now: Instant) {
        let options = &self.breaker.options;
        let mut inner = self.breaker.lock();
        if inner.generation != self.generation {
            return;
        }
        let opens = match &mut inner.state {
            State::Closed { outcomes } => {
                *outcomes = (*outcomes << 1) | 1;
                (*outcomes & self.breaker.window_mask()).count_ones() >= options.failures_to_open
            }
            State::HalfOpen { .. } => true,
            State::Open { .. } => false,
        };
        if opens {
            inner.become_(State::Open { until: now + options.open_for });
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut inner = self.breaker.lock();
        // Still the same state: nothing was said. (After a word about a probe the generation is another.)
        if let State::HalfOpen { since } = inner.state
            && inner.generation == self.generation
        {
            inner.become_(State::Open { until: since });
        }
    }
}

#[cfg(test)]
#[path = "breaker_tests.rs"]
mod tests;
