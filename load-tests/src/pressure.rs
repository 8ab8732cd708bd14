//! More reserves than single requests could offer from the machine that serves them: streams of lines to `reserve/batch`, each with 256
//! of its lines under way at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use futures::stream;
use parking_lot::Mutex;
use rand::seq::IndexedRandom as _;
use reqwest::{Body, Client};
use serde::Deserialize;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::shop::Shop;

/// Lines of one request, as many as the service takes.
const LINES_MAX: usize = 10_000;
/// Between two pieces of a paced stream.
const TICK: Duration = Duration::from_millis(20);
/// Lines in one piece, at most.
const PIECE_LINES: usize = 128;
/// Lines of a stream without an answer: a few more than the service works on at once. Further ones would only fill the sockets' buffers.
const UNANSWERED_MAX: usize = 320;

/// Answers to lines.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answers {
    pub(crate) accepted: u64,
    /// 503 and 429, by code.
    pub(crate) shed: BTreeMap<String, u64>,
    /// Of them, with an outcome that nobody knows.
    pub(crate) unknown: u64,
    /// Anything else.
    pub(crate) faults: BTreeMap<String, u64>,
}

impl Answers {
    /// All of them.
    pub(crate) fn all(&self) -> u64 {
        self.accepted + self.shed.values().sum::<u64>() + self.faults.values().sum::<u64>()
    }
}

/// A source of reserves of one unit each.
#[derive(Clone, Debug)]
pub(crate) struct Pressure {
    client: Client,
    url: String,
    products: Arc<[i64]>,
    answers: Arc<Mutex<Answers>>,
}

#[derive(Deserialize)]
struct Line {
    status: u16,
    body: Coded,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Coded {
    code: String,
}

impl Pressure {
    /// On these products of the shop.
    pub(crate) fn new(shop: &Shop, products: &[i64]) -> Result<Self> {
        // No time limit: a request lasts as long as its lines.
        let client = Client::builder().no_proxy().build()?;
        Ok(Self {
            client,
            url: shop.path("/reserve/batch"),
            products: products.into(),
            answers: Arc::default(),
        })
    }

    /// Answers so far.
    pub(crate) fn answers(&self) -> Answers {
        self.answers.lock().clone()
    }

    /// Sends until the moment, over so many streams, at most `rate` lines a second in all; then waits for what is under way.
    pub(crate) async fn run(&self, streams: usize, rate: Option<f64>, until: Instant) -> Result<()> {
        let mut tasks = JoinSet::new();
        for _ in 0..streams {
            let pressure = self.clone();
            let share = rate.map(|rate| rate / f64::from(u32::try_from(streams).unwrap_or(u32::MAX)));
            tasks.spawn(async move { pressure.stream(share, until).await });
        }
        while let Some(done) = tasks.join_next().await {
            done??;
        }
        Ok(())
    }

    async fn stream(&self, rate: Option<f64>, until: Instant) -> Result<()> {
        let mut pace = Pace { rate, owed: 0.0, at: Instant::now(), unanswered: Arc::default() };
        while Instant::now() < until {
            pace = self.request(pace, until).await?;
        }
        Ok(())
    }

    /// One request of up to [`LINES_MAX`] lines.
    async fn request(&self, pace: Pace, until: Instant) -> Result<Pace> {
        let (kept, unanswered) = (Arc::new(Mutex::new(pace.clone())), Arc::clone(&pace.unanswered));
        let state = (pace, 0_usize, self.products.clone(), Arc::clone(&kept));
        let body = stream::unfold(state, move |(mut pace, sent, products, kept)| async move {
            let lines = pace.next(LINES_MAX - sent, until).await;
            *kept.lock() = pace.clone();
            let piece: String = (0..lines).map(|_| line(&products)).collect();
            (lines > 0).then_some((Ok::<_, std::io::Error>(piece), (pace, sent + lines, products, kept)))
        });
        let request = self.client.post(&self.url).header("content-type", "application/x-ndjson");
        let mut response = request.body(Body::wrap_stream(body)).send().await?;
        ensure!(response.status().is_success(), "a batch of reserves was answered {}", response.status());
        let mut pending = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            pending.extend_from_slice(&chunk);
            let whole = pending.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            unanswered.fetch_sub(self.count(&pending[..whole]), Ordering::Relaxed);
            pending.drain(..whole);
        }
        // A request that ends early leaves nothing to wait for.
        unanswered.store(0, Ordering::Relaxed);
        let pace = kept.lock().clone();
        Ok(pace)
    }

    /// Counts whole lines; how many.
    fn count(&self, lines: &[u8]) -> usize {
        let mut answers = self.answers.lock();
        let lines = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| note(&mut answers, line)).count()
    }
}

fn note(answers: &mut Answers, line: &[u8]) {
    // Most of them; the rest is worth a look inside.
    if line.starts_with(br#"{"status":201"#) {
        answers.accepted += 1;
        return;
    }
    let Ok(Line { status, body }) = serde_json::from_slice(line) else {
        *answers.faults.entry("a line's answer that is no answer".to_owned()).or_default() += 1;
        return;
    };
    let kind = if matches!(status, 429 | 503) { &mut answers.shed } else { &mut answers.faults };
    let name = if matches!(status, 429 | 503) {
        body.code.clone()
    } else {
        format!("a line was answered {status} {}", body.code)
    };
    *kind.entry(name).or_default() += 1;
    answers.unknown += u64::from(body.code == "outcome_unknown");
}

fn line(products: &[i64]) -> String {
    let product = products.choose(&mut rand::rng()).copied().unwrap_or_default();
    format!("{{\"orderId\":\"{}\",\"items\":[{{\"productId\":{product},\"quantity\":1}}]}}\n", Uuid::now_v7())
}

/// How many lines may be sent now.
#[derive(Clone, Debug)]
struct Pace {
    /// Lines per second, or as many as are taken.
    rate: Option<f64>,
    owed: f64,
    at: Instant,
    unanswered: Arc<AtomicUsize>,
}

impl Pace {
    /// Lines that the rate allows now.
    fn due(&mut self) -> usize {
        let Some(rate) = self.rate else { return usize::MAX };
        let now = Instant::now();
        // What could not be sent for a second is not made up for: it would come as a burst.
        self.owed = (self.owed + (now - self.at).as_secs_f64() * rate).min(rate);
        self.at = now;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a few lines, never negative"
        )]
        let lines = self.owed as usize;
        lines
    }

    /// Waits for the next piece; 0 at the end.
    async fn next(&mut self, room: usize, until: Instant) -> usize {
        loop {
            if room == 0 || Instant::now() >= until {
                return 0;
            }
            let most = room
                .min(PIECE_LINES)
                .min(UNANSWERED_MAX.saturating_sub(self.unanswered.load(Ordering::Relaxed)));
            let lines = self.due().min(most);
            if lines > 0 {
                self.owed -= f64::from(u32::try_from(lines).unwrap_or(u32::MAX));
                self.unanswered.fetch_add(lines, Ordering::Relaxed);
                return lines;
            }
            tokio::time::sleep(TICK).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_by_what_they_mean() {
        let mut answers = Answers::default();
        for line in [
            r#"{"status":201,"body":{"orderId":"x"}}"#,
            r#"{"status":503,"body":{"code":"overloaded"}}"#,
            r#"{"status":503,"body":{"code":"outcome_unknown"}}"#,
            r#"{"status":500,"body":{"code":"internal_error"}}"#,
            "nonsense",
        ] {
            note(&mut answers, line.as_bytes());
        }
        assert_eq!((answers.accepted, answers.unknown, answers.all()), (1, 1, 5));
        assert_eq!((answers.shed.len(), answers.faults.len()), (2, 2));
    }

    #[tokio::test]
    async fn a_pace_keeps_to_its_rate_whatever_is_asked_of_it() {
        let started = Instant::now();
        let mut pace = Pace { rate: Some(1_000.0), owed: 0.0, at: started, unanswered: Arc::default() };
        let mut lines = 0;
        while started.elapsed() < Duration::from_millis(200) {
            lines += pace.next(LINES_MAX, started + Duration::from_secs(60)).await;
            pace.unanswered.store(0, Ordering::Relaxed);
        }
        let owed = started.elapsed().as_secs_f64() * 1_000.0;
        assert!(f64::from(u32::try_from(lines).unwrap()) <= owed, "{lines} of {owed}");
        assert_eq!(pace.next(0, started + Duration::from_secs(60)).await, 0);
    }
}
