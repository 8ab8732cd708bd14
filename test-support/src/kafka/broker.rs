//! One Kafka broker in a temporary folder.

use std::fs::{self, File, OpenOptions};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use super::installation;
use crate::last_rites::LastRites;

/// Starts that may fail because another process took a port.
const STARTS_MAX: usize = 5;
/// How long a start may take on a busy machine.
const READY_WITHIN: Duration = Duration::from_secs(90);
/// How long an orderly stop may take before it is a failure.
const STOP_WITHIN: Duration = Duration::from_secs(60);
const POLL_PERIOD: Duration = Duration::from_millis(50);
const LOG_LINES_SHOWN: usize = 40;
/// What the broker logs when it serves.
const STARTED: &str = "Kafka Server started";

/// A broker of its own (KRaft, controller and broker in one process), for tests that stop it. Its data outlive stops; it ends, and
/// its folder goes, when this value is dropped or this process ends in whatever way.
#[derive(Debug)]
pub struct Broker {
    class_path: PathBuf,
    folder: TempDir,
    port: u16,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    child: Child,
    rites: LastRites,
}

impl Broker {
    /// Formats a log folder and starts a broker on it. Takes some seconds.
    pub async fn start() -> Result<Self> {
        let class_path = installation::class_path()?;
        for attempt in 1.. {
            let folder = tempfile::Builder::new().prefix("holdfast-kafka-").tempdir()?;
            let mut broker =
                Self { class_path: class_path.clone(), folder, port: crate::free_port(), running: None };
            broker.configure()?;
            broker.format().await?;
            match broker.start_again().await {
                Ok(()) => return Ok(broker),
                Err(error) if attempt == STARTS_MAX || !broker.log().contains("in use") => return Err(error),
                Err(_) => {}
            }
        }
        unreachable!("the last attempt returns")
    }

    /// Where it listens: the bootstrap address.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The operating system's name for its process.
    pub fn pid(&self) -> Result<i32> {
        let running = self.running.as_ref().context("the broker is not running")?;
        Ok(i32::try_from(running.child.id())?)
    }

    /// Asks it to stop in order (SIGTERM) and waits until it has.
    pub async fn stop(&mut self) -> Result<()> {
        self.signal(Signal::SIGTERM)?;
        self.ended().await
    }

    /// Ends it as a crash does.
    pub async fn kill9(&mut self) -> Result<()> {
        self.signal(Signal::SIGKILL)?;
        self.ended().await
    }

    /// Starts it again on the same port and data, and waits until it serves.
    pub async fn start_again(&mut self) -> Result<()> {
        let before = self.log().len();
        self.spawn()?;
        let deadline = Instant::now() + READY_WITHIN;
        while !self.log()[before..].contains(STARTED) {
            if let Some(status) = self.poll_exit()? {
                bail!("the broker ended ({status}) before it served; its log:\n{}", self.log_end());
            }
            if Instant::now() > deadline {
                bail!("the broker did not serve within {READY_WITHIN:?}; its log:\n{}", self.log_end());
            }
            sleep(POLL_PERIOD).await;
        }
        Ok(())
    }

    /// Everything on loopback, small, quick to clean, and with topics made by nobody but the admin API.
    fn configure(&self) -> Result<()> {
        let (broker, controller) = (self.port, crate::free_port());
        let logs = self.folder.path().join("logs");
        let properties = format!(
            "process.roles=broker,controller\n\
             node.id=1\n\
             controller.quorum.voters=1@127.0.0.1:{controller}\n\
             controller.listener.names=CONTROLLER\n\
             listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}\n\
             advertised.listeners=PLAINTEXT://127.0.0.1:{broker}\n\
             listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT\n\
             log.dirs={}\n\
             auto.create.topics.enable=false\n\
             num.network.threads=2\n\
             num.io.threads=2\n\
             offsets.topic.num.partitions=2\n\
             offsets.topic.replication.factor=1\n\
             transaction.state.log.num.partitions=2\n\
             transaction.state.log.replication.factor=1\n\
             transaction.state.log.min.isr=1\n\
             share.coordinator.state.topic.num.partitions=2\n\
             share.coordinator.state.topic.replication.factor=1\n\
             share.coordinator.state.topic.min.isr=1\n\
             group.initial.rebalance.delay.ms=0\n\
             group.min.session.timeout.ms=1000\n\
             log.cleaner.dedupe.buffer.size=4194304\n\
             log.cleaner.backoff.ms=100\n\
             log.cleaner.min.cleanable.ratio=0.001\n",
            logs.display(),
        );
        fs::write(self.properties(), properties).context("writing the broker's properties")
    }

    async fn format(&self) -> Result<()> {
        let mut format = self.java("kafka.tools.StorageTool")?;
        // A cluster's id is 22 characters of base 64, among which are the hexadecimal digits.
        let id = &uuid::Uuid::new_v4().simple().to_string()[..22];
        format.args(["format", "-t", id, "-c"]).arg(self.properties());
        let status = tokio::task::spawn_blocking(move || format.status()).await?.context("starting java")?;
        if !status.success() {
            bail!("formatting the broker's folder failed ({status}); its log:\n{}", self.log_end());
        }
        Ok(())
    }

    fn spawn(&mut self) -> Result<()> {
        if self.running.is_some() {
            bail!("the broker is running already");
        }
        let child = self.java("kafka.Kafka")?.arg(self.properties()).spawn().context("starting java")?;
        let folder = self.folder.path().display().to_string();
        let script = "kill -9 \"$1\"; rm -rf \"$2\"";
        let rites = LastRites::prepare(Command::new("sh"), script, [child.id().to_string(), folder])?;
        self.running = Some(Running { child, rites });
        Ok(())
    }

    /// Small and quick to start rather than quick at work.
    fn java(&self, class: &str) -> Result<Command> {
        let log: File = OpenOptions::new().create(true).append(true).open(self.log_path())?;
        let mut java = Command::new("java");
        java.args(["-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"]);
        java.arg("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn");
        java.arg("-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info");
        java.arg("-cp").arg(&self.class_path).arg(class);
        java.current_dir(self.folder.path()).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        Ok(java)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        kill(Pid::from_raw(self.pid()?), signal).with_context(|| format!("sending {signal}"))
    }

    async fn ended(&mut self) -> Result<()> {
        let deadline = Instant::now() + STOP_WITHIN;
        while self.poll_exit()?.is_none() {
            if Instant::now() > deadline {
                bail!("the broker did not end within {STOP_WITHIN:?}; its log:\n{}", self.log_end());
            }
            sleep(POLL_PERIOD).await;
        }
        Ok(())
    }

    fn poll_exit(&mut self) -> Result<Option<std::process::ExitStatus>> {
        let running = self.running.as_mut().context("the broker is not running")?;
        let status = running.child.try_wait()?;
        if status.is_some()
            && let Some(ended) = self.running.take()
        {
            ended.rites.cancel();
        }
        Ok(status)
    }

    fn properties(&self) -> PathBuf {
        self.folder.path().join("server.properties")
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn log(&self) -> String {
        fs::read(self.log_path()).map(|log| String::from_utf8_lossy(&log).into_owned()).unwrap_or_default()
    }

    fn log_end(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n")
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if let Some(mut running) = self.running.take() {
            // Errors mean that it has ended, which is what is wanted.
            let _ = running.child.kill();
            let _ = running.child.wait();
            running.rites.cancel();
        }
        if std::thread::panicking() {
            eprintln!("--- the end of the log of the broker on port {}\n{}\n---", self.port, self.log_end());
        }
    }
}
