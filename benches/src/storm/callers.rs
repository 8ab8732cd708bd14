//! Buyers in a closed loop who remember when they were answered, so that any stretch of time can be looked at afterwards.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::peers::in_process::{Caller, InProcess};
use crate::peers::{Answer, Client as _, Peer as _};
use crate::workload::{Walker, Workload};

/// Callers under way.
pub(super) struct Callers {
    began: Instant,
    stop: CancellationToken,
    tasks: JoinSet<Result<Tally>>,
}

/// What one caller came to.
struct Tally {
    answers: Vec<Answered>,
    units: i64,
}

/// One answer, in microseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Answered {
    /// When it came, since the callers began.
    pub at_us: u32,
    /// How long it took.
    pub took_us: u32,
}

/// What all callers were answered.
#[derive(Clone, Debug)]
pub struct Answers {
    /// When the callers began.
    pub began: Instant,
    /// Every answer.
    pub answers: Vec<Answered>,
    /// Units that they hold.
    pub units: i64,
}

/// What they came to in a stretch of time.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Window {
    /// Answers a second.
    pub per_second: f64,
    /// 99 of 100 answers took no longer, in microseconds.
    pub p99_us: f64,
}

impl Callers {
    /// Starts so many, each with requests of its own.
    pub(super) async fn start(
        peer: &InProcess,
        workload: &Workload,
        callers: usize,
        seed: u64,
    ) -> Result<Self> {
        let (began, stop, mut tasks) = (Instant::now(), CancellationToken::new(), JoinSet::new());
        for number in 0..callers {
            let walker = workload.walker(seed, number, callers)?;
            tasks.spawn(ask(peer.connect().await?, walker, began, stop.clone()));
        }
        Ok(Self { began, stop, tasks })
    }

    /// Each gets the answer it waits for, and asks no more.
    pub(super) async fn stop(mut self) -> Result<Answers> {
        self.stop.cancel();
        let (mut answers, mut units) = (Vec::new(), 0);
        while let Some(tally) = self.tasks.join_next().await {
            let tally = tally??;
            answers.extend(tally.answers);
            units += tally.units;
        }
        Ok(Answers { began: self.began, answers, units })
    }
}

impl Answers {
    /// What came from the one moment until just before the other.
    pub fn between(&self, from: Instant, to: Instant) -> Window {
        let (from, to) = (micros(from - self.began), micros(to - self.began));
        let within = self.answers.iter().filter(|answer| (from..to).contains(&answer.at_us));
        let mut took: Vec<u32> = within.map(|answer| answer.took_us).collect();
        took.sort_unstable();
        let rank = (took.len() * 99).div_ceil(100).max(1) - 1;
        Window {
            per_second: took.len() as f64 * 1e6 / f64::from(to.saturating_sub(from).max(1)),
            p99_us: took.get(rank).map_or(f64::NAN, |took| f64::from(*took)),
        }
    }
}

async fn ask(
    mut client: Caller,
    mut walker: Walker,
    began: Instant,
    stop: CancellationToken,
) -> Result<Tally> {
    let mut tally = Tally { answers: Vec::new(), units: 0 };
    while !stop.is_cancelled() {
        let request = walker.next_request();
        let asked_for = request.units();
        let asked = Instant::now();
        ensure!(client.reserve(request).await? == Answer::Held, "stock ran out");
        let answered = Instant::now();
        tally.units += asked_for;
        let (at_us, took_us) = (micros(answered - began), micros(answered - asked));
        tally.answers.push(Answered { at_us, took_us });
    }
    Ok(tally)
}

fn micros(duration: Duration) -> u32 {
    u32::try_from(duration.as_micros()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_has_what_was_answered_in_it() {
        let began = Instant::now();
        // An answer every millisecond of a second; those of the second half take longer and longer.
        let answer = |ms: u32| Answered { at_us: ms * 1_000, took_us: if ms < 500 { 10 } else { ms } };
        let answers = Answers { began, answers: (0..1_000).map(answer).collect(), units: 0 };
        let at = |ms| began + Duration::from_millis(ms);
        assert_eq!(answers.between(at(0), at(500)), Window { per_second: 1_000.0, p99_us: 10.0 });
        assert_eq!(answers.between(at(900), at(1_000)), Window { per_second: 1_000.0, p99_us: 998.0 });
        let none = answers.between(at(5_000), at(6_000));
        assert!(none.per_second == 0.0 && none.p99_us.is_nan());
    }
}
