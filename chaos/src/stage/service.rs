//! A service as a process that is killed, frozen, and started again as its supervisor would.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use test_support::service::{Holdfast, Launch};

use super::clock::FakeClock;

/// How long a start may take with faults all around.
const UP_WITHIN: Duration = Duration::from_secs(120);
/// How long one start may take before somebody looks whether it has ended.
const LOOK_AFTER: Duration = Duration::from_secs(5);
/// Between two starts.
const RESTART_PAUSE: Duration = Duration::from_millis(300);
const LOG_LINES_TOLD: usize = 15;

/// One process and what is known of it.
#[derive(Debug)]
pub(crate) struct Service {
    /// As reports call it.
    pub(crate) name: String,
    process: Holdfast,
    /// Where its clock can be set.
    pub(crate) clock: Option<FakeClock>,
    /// Each time it ended without being told to, and the end of its log.
    pub(crate) ended_by_itself: Vec<String>,
}

impl Service {
    /// Starts it.
    pub(crate) async fn start(name: &str, launch: Launch, clock: Option<FakeClock>) -> Result<Self> {
        let process = launch.start().await.with_context(|| format!("starting {name}"))?;
        Ok(Self { name: name.to_owned(), process, clock, ended_by_itself: Vec::new() })
    }

    /// Where it answers.
    pub(crate) fn url(&self) -> String {
        self.process.url()
    }

    /// Everything it has logged.
    pub(crate) fn log(&self) -> String {
        self.process.log()
    }

    /// `kill -9`, and a start.
    pub(crate) async fn kill_and_restart(&mut self) -> Result<()> {
        self.process.kill9().await?;
        self.bring_up().await
    }

    /// Stands still for so long.
    pub(crate) async fn freeze(&mut self, time: Duration) -> Result<()> {
        self.process.pause()?;
        tokio::time::sleep(time).await;
        self.process.resume()
    }

    /// Starts it again if it has ended by itself, which is noted, or did not come up when it was killed.
    pub(crate) async fn look_after(&mut self) -> Result<()> {
        if self.process.pid().is_err() {
            return self.bring_up().await;
        }
        let Some(status) = self.process.has_ended()? else { return Ok(()) };
        self.note_end(&status.to_string());
        self.bring_up().await
    }

    /// Waits until it is ready.
    pub(crate) async fn ready(&mut self) -> Result<()> {
        self.look_after().await?;
        self.process.ready_within(UP_WITHIN).await
    }

    fn note_end(&mut self, status: &str) {
        let log = self.process.log();
        let lines: Vec<&str> = log.lines().collect();
        let last = lines[lines.len().saturating_sub(LOG_LINES_TOLD)..].join("\n");
        self.ended_by_itself.push(format!("{} ended ({status}):\n{last}", self.name));
    }

    /// As a supervisor would: a start that fails, because the database is away, is tried again.
    async fn bring_up(&mut self) -> Result<()> {
        let deadline = Instant::now() + UP_WITHIN;
        loop {
            if self.process.pid().is_err() {
                self.process.spawn()?;
            }
            match self.process.ready_within(LOOK_AFTER).await {
                Ok(()) => return Ok(()),
                Err(why) if Instant::now() > deadline => {
                    bail!("{} did not come up within {} s: {why:#}", self.name, UP_WITHIN.as_secs());
                }
                Err(_) => tokio::time::sleep(RESTART_PAUSE).await,
            }
        }
    }
}
