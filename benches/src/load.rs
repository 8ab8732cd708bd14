//! A closed HTTP load of keep-alive connections: each sends a request, reads the answer, sends the next. Hand-made, because the
//! generator shares the machine with what it measures: it must cost as little as possible, and the same for every peer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use hdrhistogram::Histogram;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// What a load came to.
#[derive(Debug)]
pub struct Load {
    /// Answers with the expected status.
    pub answers: u64,
    /// How long it lasted.
    pub elapsed: Duration,
    /// Latencies in microseconds.
    pub latency_us: Histogram<u64>,
}

impl Load {
    /// Answers per second.
    pub fn rate(&self) -> f64 {
        self.answers as f64 / self.elapsed.as_secs_f64()
    }
}

/// The header of a body in JSON.
pub const JSON: &str = "content-type: application/json\r\n";

/// A keep-alive connection with one request under way at a time.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    head_end: usize,
}

/// Runs `connections` for `duration`. `body` makes the next request's body; every answer must have `status`.
pub async fn run(
    addr: SocketAddr,
    path: &'static str,
    connections: usize,
    duration: Duration,
    status: u16,
    body: Arc<dyn Fn() -> String + Send + Sync>,
) -> anyhow::Result<Load> {
    let started = Instant::now();
    let until = started + duration;
    let mut tasks = JoinSet::new();
    for _ in 0..connections {
        let body = body.clone();
        tasks.spawn(async move { connection(addr, path, until, status, &*body).await });
    }
    let mut total = Load { answers: 0, elapsed: Duration::ZERO, latency_us: Histogram::new(3)? };
    while let Some(done) = tasks.join_next().await {
        let (answers, latency_us) = done??;
        total.answers += answers;
        total.latency_us.add(latency_us)?;
    }
    total.elapsed = started.elapsed();
    Ok(total)
}

async fn connection(
    addr: SocketAddr,
    path: &str,
    until: Instant,
    status: u16,
    body: &(dyn Fn() -> String + Send + Sync),
) -> anyhow::Result<(u64, Histogram<u64>)> {
    let mut connection = Connection::open(addr).await?;
    let mut latency_us = Histogram::<u64>::new(3)?;
    let mut answers = 0;
    while Instant::now() < until {
        let body = body();
        let sent = Instant::now();
        let got = connection.post(path, JSON, &body).await?;
        ensure!(got == status, "{path} answered {got}: {}", String::from_utf8_lossy(connection.answer()));
        latency_us.record(u64::try_from(sent.elapsed().as_micros())?)?;
        answers += 1;
    }
    Ok((answers, latency_us))
}

impl Connection {
    /// Connects.
    pub async fn open(addr: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(4_096), head_end: 0 })
    }

    /// Sends a request and reads its answer; the answer's status. `headers` are whole lines, such as [`JSON`].
    pub async fn post(&mut self, path: &str, headers: &str, body: &str) -> anyhow::Result<u16> {
        let length = body.len();
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\n{headers}content-length: {length}\r\n\r\n{body}"
        );
        self.stream.write_all(request.as_bytes()).await?;
        let (status, head_end) = read_answer(&mut self.stream, &mut self.buffer).await?;
        self.head_end = head_end;
        Ok(status)
    }

    /// The body of the last answer.
    pub fn answer(&self) -> &[u8] {
        &self.buffer[self.head_end..]
    }
}

/// Reads one answer with a content-length; its status, and where its body begins. `buffer` holds it afterwards.
async fn read_answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> anyhow::Result<(u16, usize)> {
    buffer.clear();
    let head_end = loop {
        if let Some(at) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        ensure!(stream.read_buf(buffer).await? > 0, "the server closed the connection");
    };
    let head = std::str::from_utf8(&buffer[..head_end])?;
    let status: u16 = head.get(9..12).context("no status line")?.parse()?;
    let length: usize = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .context("no content-length")?
        .1
        .trim()
        .parse()?;
    while buffer.len() < head_end + length {
        ensure!(stream.read_buf(buffer).await? > 0, "the server closed the connection");
    }
    Ok((status, head_end))
}
