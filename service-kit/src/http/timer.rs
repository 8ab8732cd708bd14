//! The alarm for heads that do not come: one a connection. hyper wants a timer for every head it waits for, and to set and unset one of
//! tokio's takes a lock that all threads share, twice a request. This one stays set for a head that has come: when it goes off it is set
//! anew for the present one.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};
use parking_lot::Mutex;

/// For one connection that is served by one task: the alarm wakes whoever waited when it was set.
pub(super) struct HeadTimer {
    limit: Duration,
    alarm: Arc<Mutex<Alarm>>,
}

struct Alarm {
    sleep: Pin<Box<tokio::time::Sleep>>,
    /// Somebody has waited for it.
    is_set: bool,
}

impl HeadTimer {
    /// For heads that must be there after `limit`.
    pub(super) fn new(limit: Duration) -> Self {
        let alarm = Alarm { sleep: Box::pin(tokio::time::sleep(limit)), is_set: false };
        Self { limit, alarm: Arc::new(Mutex::new(alarm)) }
    }
}

impl Timer for HeadTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        let made = deadline.checked_sub(self.limit);
        Box::pin(Head { deadline, unseen_since: made, alarm: Arc::clone(&self.alarm) })
    }

    fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }
}

/// Ends when a head is late.
struct Head {
    deadline: Instant,
    /// When it was made, until it is first looked at.
    unseen_since: Option<Instant>,
    alarm: Arc<Mutex<Alarm>>,
}

impl Sleep for Head {}

impl Future for Head {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        let mut alarm = this.alarm.lock();
        let made = this.unseen_since.take();
        let goes_off = alarm.sleep.deadline().into_std();
        // Set for a head before this one, and yet to go off: then is the time to look again.
        if alarm.is_set && made.is_some_and(|made| goes_off > made) {
            return Poll::Pending;
        }
        alarm.is_set = true;
        while alarm.sleep.deadline().into_std() < this.deadline {
            ready!(alarm.sleep.as_mut().poll(cx));
            alarm.sleep.as_mut().reset(this.deadline.into());
        }
        alarm.sleep.as_mut().poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    fn timer() -> HeadTimer {
        HeadTimer::new(LIMIT)
    }

    fn head(timer: &HeadTimer) -> Pin<Box<dyn Sleep>> {
        timer.sleep_until(timer.now() + LIMIT)
    }

    /// Looks once, as hyper does when a head is not there yet.
    async fn is_late(head: &mut Pin<Box<dyn Sleep>>) -> bool {
        poll_fn(|cx| Poll::Ready(head.as_mut().poll(cx).is_ready())).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_is_late_when_its_own_time_is_over_whenever_the_alarm_was_set() {
        let timer = timer();
        for (number, pause) in [0, 0, 3, 9, 10, 11, 25, 0].into_iter().enumerate() {
            // Before the first, no alarm was set.
            if number > 0 {
                assert!(!is_late(&mut head(&timer)).await);
            }
            tokio::time::sleep(Duration::from_secs(pause)).await;
            let begun = tokio::time::Instant::now();
            head(&timer).await;
            assert_eq!(begun.elapsed().as_secs(), LIMIT.as_secs(), "after a pause of {pause} s");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn heads_that_come_leave_the_alarm_as_it_is() {
        let timer = timer();
        let goes_off = |timer: &HeadTimer| timer.alarm.lock().sleep.deadline();
        let mut first = head(&timer);
        assert!(!is_late(&mut first).await);
        let set_for = goes_off(&timer);
        for _ in 0..5 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            assert!(!is_late(&mut head(&timer)).await);
            assert_eq!(goes_off(&timer), set_for);
        }
        tokio::time::sleep(LIMIT).await;
        assert!(!is_late(&mut head(&timer)).await);
        assert!(goes_off(&timer) > set_for, "it went off and was set anew");
    }
}
