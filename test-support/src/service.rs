//! A Holdfast binary as a process of its own, as its users run it.

use std::fs::OpenOptions;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use crate::last_rites::LastRites;

/// How long a start may take on a busy machine, recovery of a database included.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// How long a process may take to end when told to: the promise is ten seconds.
const EXIT_WITHIN: Duration = Duration::from_secs(20);
const POLL_PERIOD: Duration = Duration::from_millis(20);
/// Starts that may fail because another process took the port.
const STARTS_MAX: usize = 5;
const LOG_LINES_SHOWN: usize = 120;

/// A service of the process.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Port {
    /// Stock.
    #[default]
    Inventory = 0,
    /// The saga.
    Orders = 1,
    /// The provider.
    Payments = 2,
}

/// How to start a process. The environment is empty but for what is given here: no test depends on its surroundings.
#[derive(Clone, Debug)]
pub struct Launch {
    binary: PathBuf,
    preparation: Option<Vec<String>>,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    asked: Port,
}

impl Launch {
    /// `binary` is `env!("CARGO_BIN_EXE_holdfast")` of the test that asks.
    pub fn new(binary: impl Into<PathBuf>) -> Self {
        Self {
            binary: binary.into(),
            preparation: None,
            arguments: Vec::new(),
            environment: Vec::new(),
            asked: Port::Inventory,
        }
    }

    /// Runs the binary to its end with these arguments before its first start, such as `migrate`.
    #[must_use]
    pub fn prepare<'a>(mut self, arguments: impl IntoIterator<Item = &'a str>) -> Self {
        self.preparation = Some(arguments.into_iter().map(str::to_owned).collect());
        self
    }

    /// Adds command line arguments.
    #[must_use]
    pub fn arguments<'a>(mut self, arguments: impl IntoIterator<Item = &'a str>) -> Self {
        self.arguments.extend(arguments.into_iter().map(str::to_owned));
        self
    }

    /// Adds a variable of the environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// Which service tells that the process is ready: its only one, if it is one role alone.
    #[must_use]
    pub fn asking(mut self, port: Port) -> Self {
        self.asked = port;
        self
    }

    /// Starts the process on free ports with an empty data folder, and waits until it is ready.
    pub async fn start(self) -> Result<Holdfast> {
        let mut holdfast = self.at_home()?;
        holdfast.run_preparation().await?;
        for attempt in 1.. {
            match holdfast.start_again().await {
                Ok(()) => break,
                Err(_) if attempt < STARTS_MAX && holdfast.log().contains("in use") => {
                    holdfast.ports = free_ports();
                }
                Err(error) => return Err(error),
            }
        }
        Ok(holdfast)
    }

    /// Runs the process to its end, for starts that must be refused and for operators' verbs. Answers what it wrote
    /// to both of its outputs.
    pub async fn run_to_end(self) -> Result<(ExitStatus, String)> {
        self.run_to_end_within(READY_WITHIN).await
    }

    /// The same, for what takes longer.
    pub async fn run_to_end_within(self, bound: Duration) -> Result<(ExitStatus, String)> {
        let mut holdfast = self.at_home()?;
        holdfast.spawn()?;
        let status = holdfast.exit_within(bound).await?;
        Ok((status, holdfast.log()))
    }

    fn at_home(self) -> Result<Holdfast> {
        let home = tempfile::Builder::new().prefix("holdfast-service-").tempdir()?;
        Ok(Holdfast { launch: self, home, ports: free_ports(), running: None })
    }
}

fn free_ports() -> [u16; 3] {
    [crate::free_port(), crate::free_port(), crate::free_port()]
}

/// A started process and its data folder. Dropping it kills the process; so does the end of the test process.
/// When a test fails, the end of the log is printed.
#[derive(Debug)]
pub struct Holdfast {
    launch: Launch,
    home: TempDir,
    ports: [u16; 3],
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    child: Child,
    rites: LastRites,
}

impl Holdfast {
    /// Where its first service answers, without a slash at the end.
    pub fn url(&self) -> String {
        self.url_of(self.launch.asked)
    }

    /// Where a service of it answers.
    pub fn url_of(&self, port: Port) -> String {
        format!("http://{}", self.address_of(port))
    }

    /// Host and port of its first service, for tests that speak to the socket themselves.
    pub fn address(&self) -> String {
        self.address_of(self.launch.asked)
    }

    fn address_of(&self, port: Port) -> String {
        format!("127.0.0.1:{}", self.ports[port as usize])
    }

    /// The data folder, kept over restarts.
    pub fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }

    /// The operating system's name for the process.
    pub fn pid(&self) -> Result<i32> {
        let running = self.running.as_ref().context("the process is not running")?;
        Ok(i32::try_from(running.child.id())?)
    }

    /// Everything it has written so far, over all its starts.
    pub fn log(&self) -> String {
        std::fs::read(self.log_path())
            .map(|log| String::from_utf8_lossy(&log).into_owned())
            .unwrap_or_default()
    }

    /// Ends it as a crash does.
    pub async fn kill9(&mut self) -> Result<()> {
        self.signal(Signal::SIGKILL)?;
        self.exit_within(EXIT_WITHIN).await.map(drop)
    }

    /// Asks it to finish and go, and waits until it has.
    pub async fn sigterm(&mut self) -> Result<ExitStatus> {
        self.ask_to_end()?;
        self.ended().await
    }

    /// Sends SIGTERM and does not wait.
    pub fn ask_to_end(&self) -> Result<()> {
        self.signal(Signal::SIGTERM)
    }

    /// Stops it where it is (SIGSTOP): its connections stay open, and it answers nothing.
    pub fn pause(&self) -> Result<()> {
        self.signal(Signal::SIGSTOP)
    }

    /// Lets it go on.
    pub fn resume(&self) -> Result<()> {
        self.signal(Signal::SIGCONT)
    }

    /// How it has ended, if it has and nobody has noticed yet.
    ///
    /// # Errors
    /// If its end is known: then it is not running.
    pub fn has_ended(&mut self) -> Result<Option<ExitStatus>> {
        self.poll_exit()
    }

    /// Waits, within bounds, until it has ended by itself or by a signal.
    pub async fn ended(&mut self) -> Result<ExitStatus> {
        self.exit_within(EXIT_WITHIN).await
    }

    /// Starts it again on the same ports and data, and waits until it is ready.
    pub async fn start_again(&mut self) -> Result<()> {
        self.spawn()?;
        self.ready_within(READY_WITHIN).await
    }

    /// Starts it again without waiting for it to be ready.
    pub fn spawn(&mut self) -> Result<()> {
        if self.running.is_some() {
            bail!("the process is running already");
        }
        let child = self.run(&self.launch.arguments)?;
        let home = self.home.path().display().to_string();
        let script = "kill -9 \"$1\"; rm -rf \"$2\"";
        let rites = LastRites::prepare(Command::new("sh"), script, [child.id().to_string(), home])?;
        self.running = Some(Running { child, rites });
        Ok(())
    }

    fn run(&self, arguments: &[String]) -> Result<Child> {
        let log = OpenOptions::new().create(true).append(true).open(self.log_path())?;
        let [inventory, orders, payments] = self.ports.map(|port| format!("127.0.0.1:{port}"));
        Command::new(&self.launch.binary)
            .args(arguments)
            .env_clear()
            .env("RUST_BACKTRACE", "1")
            .env("INVENTORY_ADDR", inventory)
            .env("ORDER_ADDR", orders)
            .env("PAYMENT_ADDR", payments)
            .env("DATA_DIR", self.data())
            .envs(self.launch.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(self.home.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("starting {}", self.launch.binary.display()))
    }

    async fn run_preparation(&self) -> Result<()> {
        let Some(arguments) = &self.launch.preparation else { return Ok(()) };
        let mut child = self.run(arguments)?;
        let status = tokio::task::spawn_blocking(move || child.wait()).await??;
        if !status.success() {
            bail!("{arguments:?} failed ({status}); its log:\n{}", self.log_end());
        }
        Ok(())
    }

    /// Waits until it says that it is ready; an error if it ends before.
    pub async fn ready_within(&mut self, bound: Duration) -> Result<()> {
        let deadline = Instant::now() + bound;
        while !self.is_ready().await {
            if let Some(status) = self.poll_exit()? {
                bail!("the process ended ({status}) before it was ready; its log:\n{}", self.log_end());
            }
            if Instant::now() > deadline {
                bail!("the process was not ready within {bound:?}; its log:\n{}", self.log_end());
            }
            sleep(POLL_PERIOD).await;
        }
        Ok(())
    }

    /// Whether `/health/ready` answers 200 now.
    pub async fn is_ready(&self) -> bool {
        let ask = async {
            let mut stream = TcpStream::connect(self.address()).await?;
            let request = format!(
                "GET /health/ready HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
                self.address()
            );
            stream.write_all(request.as_bytes()).await?;
            let mut status = [0; 12];
            stream.read_exact(&mut status).await?;
            std::io::Result::Ok(status.ends_with(b" 200"))
        };
        matches!(timeout(Duration::from_secs(2), ask).await, Ok(Ok(true)))
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        kill(Pid::from_raw(self.pid()?), signal).with_context(|| format!("sending {signal}"))
    }

    async fn exit_within(&mut self, bound: Duration) -> Result<ExitStatus> {
        let deadline = Instant::now() + bound;
        loop {
            if let Some(status) = self.poll_exit()? {
                return Ok(status);
            }
            if Instant::now() > deadline {
                bail!("the process did not end within {bound:?}; its log:\n{}", self.log_end());
            }
            sleep(POLL_PERIOD).await;
        }
    }

    fn poll_exit(&mut self) -> Result<Option<ExitStatus>> {
        let running = self.running.as_mut().context("the process is not running")?;
        let status = running.child.try_wait()?;
        if status.is_some()
            && let Some(ended) = self.running.take()
        {
            ended.rites.cancel();
        }
        Ok(status)
    }

    fn log_path(&self) -> PathBuf {
        self.home.path().join("log")
    }

    fn log_end(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n")
    }
}

impl Drop for Holdfast {
    fn drop(&mut self) {
        if let Some(mut running) = self.running.take() {
            // Errors mean that it has ended, which is what is wanted.
            let _ = running.child.kill();
            let _ = running.child.wait();
            running.rites.cancel();
        }
        if std::thread::panicking() {
            eprintln!("--- the end of the log of {}\n{}\n---", self.url(), self.log_end());
        }
    }
}
