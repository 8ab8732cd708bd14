//! The layers put together.

use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect;
use tokio::time::Instant;

use super::attempt::{self, Failed};
use super::breaker::{Breaker, BreakerState};
use super::budget::Budget;
use super::bulkhead::Bulkhead;
use super::counts::Counts;
use super::{Answer, Call, CallError, CallErrorKind, CallOptions, SystemTiming, Timing};
use crate::metrics::Metrics;

/// How long a connection is kept for the next call: less than servers of this workspace keep one, so that none is used at the moment when
/// the other side closes it.
const IDLE_MAX: Duration = Duration::from_secs(5);

/// Calls one service. Cheap to clone; clones share the breaker, the bulkhead and the budget.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    http: reqwest::Client,
    base_url: String,
    options: CallOptions,
    budget: Budget,
    breaker: Breaker,
    bulkhead: Bulkhead,
    counts: Counts,
    timing: Arc<dyn Timing>,
}

/// Why there is no client for a base URL.
#[derive(Debug, thiserror::Error)]
#[error("{base_url:?} cannot be called: {reason}")]
pub struct BaseUrlError {
    base_url: String,
    reason: String,
}

impl Client {
    /// For the service at `base_url`, such as `http://127.0.0.1:8083`; `name` stands in the metrics.
    pub fn new(
        base_url: &str,
        options: CallOptions,
        metrics: &Metrics,
        name: &'static str,
    ) -> Result<Self, BaseUrlError> {
        Self::with_timing(base_url, options, metrics, name, Arc::new(SystemTiming))
    }

    /// As [`Client::new`], with time and chance as arguments.
    pub fn with_timing(
        base_url: &str,
        options: CallOptions,
        metrics: &Metrics,
        name: &'static str,
        timing: Arc<dyn Timing>,
    ) -> Result<Self, BaseUrlError> {
        let refusal = |reason: String| BaseUrlError { base_url: base_url.to_owned(), reason };
        let url = reqwest::Url::parse(base_url).map_err(|error| refusal(error.to_string()))?;
        if url.scheme() != "http" || url.query().is_some() || url.fragment().is_some() {
            return Err(refusal("give it as http://HOST:PORT, with a path at most".to_owned()));
        }
        let http = reqwest::Client::builder()
            // Nothing is read from the environment, and nothing is sent where it was not meant to go.
            .no_proxy()
            .redirect(redirect::Policy::none())
            // Repeats are counted here alone.
            .retry(reqwest::retry::never())
            .connect_timeout(options.connect_timeout)
            .pool_idle_timeout(IDLE_MAX)
            .build()
            .map_err(|error| refusal(error.to_string()))?;
        Ok(Self(Arc::new(Inner {
            http,
            base_url: base_url.trim_end_matches('/').to_owned(),
            budget: Budget::new(options.budget),
            breaker: Breaker::new(options.breaker),
            bulkhead: Bulkhead::new(options.bulkhead),
            counts: Counts::register(metrics, name),
            options,
            timing,
        })))
    }

    /// Makes a call. Dropping the future is safe: its places are given back, and what was sent may have its effect.
    pub async fn call(&self, call: Call) -> Result<Answer, CallError> {
        let started = self.0.timing.now();
        let outcome = self.0.call(&call, started + self.0.options.deadline).await;
        self.0.counts.outcome(&outcome);
        self.0.counts.breaker(self.0.breaker.state());
        self.0.counts.seconds.record(self.0.timing.now() - started);
        outcome
    }

    /// Where the circuit breaker stands.
    pub fn breaker_state(&self) -> BreakerState {
        self.0.breaker.state()
    }
}

impl Inner {
    async fn call(&self, call: &Call, ends_at: Instant) -> Result<Answer, CallError> {
        self.budget.earn();
        let (mut attempts, mut may_have_arrived) = (0, false);
        loop {
            let failed = match self.attempt(call, ends_at, &mut attempts).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            may_have_arrived |= failed.may_have_arrived;
            let Some(pause) = self.pause_before_next(call, &failed, attempts, ends_at) else {
                let Failed { kind, detail, .. } = failed;
                return Err(CallError { kind, may_have_arrived, attempts, detail });
            };
            self.counts.retry();
            self.timing.sleep(pause).await;
        }
    }

    /// One try, through breaker, bulkhead and timeout.
    async fn attempt(&self, call: &Call, ends_at: Instant, attempts: &mut u32) -> Result<Answer, Failed> {
        let permit = self.breaker.admit(self.timing.now()).map_err(|retry_after| {
            Failed::before_sending(CallErrorKind::Open { retry_after }, "the circuit breaker is open")
        })?;
        let left = ends_at.saturating_duration_since(self.timing.now());
        let wait_max = self.options.bulkhead.wait_max;
        let _place = self.bulkhead.enter(wait_max.min(left)).await.ok_or_else(|| {
            let kind = if left < wait_max { CallErrorKind::Deadline } else { CallErrorKind::BulkheadFull };
            Failed::before_sending(kind, format!("no free place within {:?}", wait_max.min(left)))
        })?;
        let left = ends_at.saturating_duration_since(self.timing.now());
        if left.is_zero() {
            return Err(Failed::before_sending(CallErrorKind::Deadline, "no time was left to send it"));
        }
        *attempts += 1;
        let attempt_timeout = self.options.attempt_timeout;
        let send = attempt::send(&self.http, &self.base_url, call, self.options.answer_bytes_max);
        let outcome = match tokio::time::timeout(attempt_timeout.min(left), send).await {
            Ok(outcome) => outcome,
            Err(_elapsed) if left < attempt_timeout => {
                Err(Failed::after_sending(CallErrorKind::Deadline, format!("no answer within {left:?}")))
            }
            Err(_elapsed) => {
                let detail = format!("no answer within {attempt_timeout:?}");
                Err(Failed::after_sending(CallErrorKind::Timeout, detail))
            }
        };
        match &outcome {
            Ok(_) => permit.succeeded(),
            Err(failed) if self.is_the_callees_fault(failed, left) => permit.failed(self.timing.now()),
            Err(_) => drop(permit),
        }
        outcome
    }

    /// Whether a failed try says anything about the callee. One that this side cut short, for having little time left, does not.
    fn is_the_callees_fault(&self, failed: &Failed, left: Duration) -> bool {
        match failed.kind {
            CallErrorKind::Timeout | CallErrorKind::Connect | CallErrorKind::Status { .. } => true,
            // Without having been sent it is the request that is at fault.
            CallErrorKind::Protocol => failed.may_have_arrived,
            CallErrorKind::Deadline => left >= self.options.attempt_timeout.min(self.options.deadline) / 2,
            CallErrorKind::Open { .. } | CallErrorKind::BulkheadFull => false,
        }
    }

    /// How long to wait before the next try, or none if there must not be one.
    fn pause_before_next(
        &self,
        call: &Call,
        failed: &Failed,
        attempts: u32,
        ends_at: Instant,
    ) -> Option<Duration> {
        let asked_for = match failed.kind {
            CallErrorKind::Timeout | CallErrorKind::Connect => Duration::ZERO,
            CallErrorKind::Protocol if failed.may_have_arrived => Duration::ZERO,
            CallErrorKind::Status { retry_after, .. } => retry_after.unwrap_or_default(),
            CallErrorKind::Protocol
            | CallErrorKind::Open { .. }
            | CallErrorKind::BulkheadFull
            | CallErrorKind::Deadline => return None,
        };
        if !call.idempotent || attempts >= self.options.retry.attempts_max {
            return None;
        }
        // What the callee asks for is the least; the jitter on top keeps callers from coming back all at once.
        let pause = asked_for.saturating_add(self.timing.jitter(self.backoff(attempts)));
        if pause >= ends_at.saturating_duration_since(self.timing.now()) {
            return None;
        }
        if !self.budget.pay() {
            self.counts.budget_exhausted();
            return None;
        }
        Some(pause)
    }

    /// The most to wait after so many tries.
    fn backoff(&self, attempts: u32) -> Duration {
        let retry = &self.options.retry;
        let doubled = 2_u32.saturating_pow(attempts.saturating_sub(1));
        retry.delay_min.saturating_mul(doubled).min(retry.delay_max)
    }
}
