//! A closed loop: so many callers, each of which asks, waits for the answer, and asks again.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use tokio::task::JoinSet;

use crate::peers::{Answer, Client, Peer};
use crate::usage::{Meter, Reading};
use crate::workload::{Walker, Workload};

/// How long after the end a request may still be under way.
const ANSWERED_WITHIN: Duration = Duration::from_secs(60);

/// How hard, how long, and what is to be answered.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Callers, each with a connection of its own.
    pub connections: usize,
    /// Before it counts: statements are prepared, pages are in memory, write-ahead log segments exist.
    pub warm_up: Duration,
    /// How long it counts.
    pub length: Duration,
    /// Of the requests.
    pub seed: u64,
    /// Any other answer ends the run with an error.
    pub expect: Answer,
}

/// What a run came to.
#[derive(Clone, Debug)]
pub struct Run {
    /// Answers while it counted.
    pub answers: u64,
    /// How long it counted.
    pub elapsed: Duration,
    /// Of these answers, in microseconds; sorted.
    pub latencies_us: Vec<u32>,
    /// What was used while it counted.
    pub used: Option<Reading>,
    /// Requests in a batch, where the peer makes batches.
    pub requests_per_batch: Option<f64>,
    /// Units held by all answers, those of the warm-up too.
    pub units: i64,
}

impl Run {
    /// Answers per second.
    pub fn per_second(&self) -> f64 {
        self.answers as f64 / self.elapsed.as_secs_f64()
    }

    /// The latency that this share of answers did not exceed, in microseconds; zero if there are none.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a position within the list: not negative and no larger than its length"
    )]
    pub fn quantile_us(&self, quantile: f64) -> u32 {
        let rank = (quantile * self.latencies_us.len() as f64).ceil() as usize;
        self.latencies_us.get(rank.max(1) - 1).or(self.latencies_us.last()).copied().unwrap_or_default()
    }
}

/// What one caller came to.
struct Tally<C> {
    latencies_us: Vec<u32>,
    units: i64,
    /// Kept until the meters are read: a server's process that ends meanwhile may be counted nowhere.
    _client: C,
}

/// Runs the load, and checks at the end that the peer's database holds what the answers said.
pub async fn run<P: Peer>(
    peer: &P,
    workload: &Workload,
    load: &Load,
    mut meter: Option<&mut Meter>,
) -> Result<Run> {
    let mut clients = Vec::with_capacity(load.connections);
    for number in 0..load.connections {
        let walker = workload.walker(load.seed, number, load.connections)?;
        clients.push((peer.connect().await.context("connecting")?, walker));
    }
    let from = Instant::now() + load.warm_up;
    let to = from + load.length;
    let mut callers = JoinSet::new();
    for (client, walker) in clients {
        callers.spawn(ask(client, walker, from, to, load.expect));
    }
    tokio::time::sleep_until(from.into()).await;
    let batches_before = peer.batches();
    let before = read(&mut meter).await?;
    tokio::time::sleep_until(to.into()).await;
    let after = read(&mut meter).await?;
    let batches_after = peer.batches();

    let (mut latencies_us, mut units) = (Vec::new(), 0);
    let join = async {
        while let Some(tally) = callers.join_next().await {
            let tally = tally??;
            latencies_us.extend(tally.latencies_us);
            units += tally.units;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(ANSWERED_WITHIN, join).await.context("requests are still unanswered")??;
    latencies_us.sort_unstable();
    let taken = peer.taken().await?.unwrap_or(units);
    ensure!(taken == units, "the answers say that {units} units are held, the database says {taken}");
    Ok(Run {
        answers: latencies_us.len() as u64,
        elapsed: load.length,
        latencies_us,
        used: after.zip(before).map(|(after, before)| after.since(&before)),
        requests_per_batch: batches_after.zip(batches_before).map(|(after, before)| after.mean_since(before)),
        units,
    })
}

async fn read(meter: &mut Option<&mut Meter>) -> Result<Option<Reading>> {
    match meter {
        Some(meter) => Ok(Some(meter.read().await?)),
        None => Ok(None),
    }
}

/// Asks until the time is over, once at least.
async fn ask<C: Client>(
    mut client: C,
    mut walker: Walker,
    from: Instant,
    to: Instant,
    expect: Answer,
) -> Result<Tally<C>> {
    let (mut latencies_us, mut units) = (Vec::new(), 0);
    loop {
        let request = walker.next_request();
        let asked_for = request.units();
        let order = request.order;
        let asked = Instant::now();
        let answer = client.reserve(request).await?;
        let answered = Instant::now();
        ensure!(
            answer == expect,
            "order {order} was answered {answer:?}, and the run is only worth something if all are {expect:?}"
        );
        if answer == Answer::Held {
            units += asked_for;
        }
        if answered >= to {
            return Ok(Tally { latencies_us, units, _client: client });
        }
        if answered >= from {
            latencies_us.push(u32::try_from((answered - asked).as_micros()).unwrap_or(u32::MAX));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::{Ids, Request, Shape};

    fn run_of(latencies_us: Vec<u32>) -> Run {
        let answers = latencies_us.len() as u64;
        let elapsed = Duration::from_secs(2);
        Run { answers, elapsed, latencies_us, used: None, requests_per_batch: None, units: 0 }
    }

    #[test]
    fn quantiles_are_latencies_that_so_many_did_not_exceed() {
        let run = run_of((1..=1_000).collect());
        assert_eq!([0.5, 0.99, 0.999].map(|quantile| run.quantile_us(quantile)), [500, 990, 999]);
        assert_eq!(run_of(vec![7]).quantile_us(0.999), 7);
        assert_eq!(run_of(Vec::new()).quantile_us(0.5), 0);
    }

    /// Says yes to everything, and that it holds so much.
    struct Liar(Option<i64>);

    struct Yes;

    impl Peer for Liar {
        type Client = Yes;

        async fn connect(&self) -> Result<Yes> {
            Ok(Yes)
        }

        async fn taken(&self) -> Result<Option<i64>> {
            Ok(self.0)
        }
    }

    impl Client for Yes {
        async fn reserve(&mut self, _: Request) -> Result<Answer> {
            tokio::task::yield_now().await;
            Ok(Answer::Held)
        }
    }

    async fn run_liar(taken: Option<i64>, expect: Answer) -> Result<Run> {
        let workload = Workload::new(Shape::Hot, Ids::Random)?;
        let (warm_up, length) = (Duration::ZERO, Duration::from_millis(20));
        run(&Liar(taken), &workload, &Load { connections: 2, warm_up, length, seed: 1, expect }, None).await
    }

    #[tokio::test]
    async fn a_run_whose_database_holds_something_else_than_the_answers_say_fails() {
        let lied = run_liar(Some(-1), Answer::Held).await.unwrap_err().to_string();
        assert!(lied.contains("the database says -1"), "{lied}");
        assert!(run_liar(None, Answer::Held).await.is_ok());
    }

    #[tokio::test]
    async fn a_run_with_another_answer_than_expected_fails() {
        let wrong = run_liar(None, Answer::Refused).await.unwrap_err().to_string();
        assert!(wrong.contains("was answered Held"), "{wrong}");
    }

    #[test]
    fn the_rate_is_answers_by_time() {
        assert!((run_of(vec![1; 10]).per_second() - 5.0).abs() < 1e-9);
    }
}
