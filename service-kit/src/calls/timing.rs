//! Time and chance, as arguments.

use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

/// What a client asks for the time, waits with, and rolls dice with.
#[async_trait]
pub trait Timing: Send + Sync + 'static {
    /// Now; never goes back.
    fn now(&self) -> Instant;

    /// Waits.
    async fn sleep(&self, duration: Duration);

    /// Any time from zero to this one, each as likely.
    fn jitter(&self, up_to: Duration) -> Duration;
}

/// The real thing.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemTiming;

#[async_trait]
impl Timing for SystemTiming {
    fn now(&self) -> Instant {
        Instant::now()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    fn jitter(&self, up_to: Duration) -> Duration {
        rand::random_range(Duration::ZERO..=up_to)
    }
}
