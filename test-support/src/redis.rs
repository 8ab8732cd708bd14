//! A Redis server of one's own, for measurements.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use crate::last_rites::LastRites;

/// Starts that may fail because another process took the port.
const STARTS_MAX: usize = 5;
/// An empty server answers at once.
const ANSWERS_WITHIN: Duration = Duration::from_secs(20);
/// Ends the server and removes its folder.
const LAST_RITES: &str = r#"kill "$1" 2>/dev/null; rm -rf "$2""#;

/// A server with an append-only file that is flushed before every answer (`appendfsync always`). It ends, and its folder goes,
/// when this value is dropped or this process ends in whatever way.
#[derive(Debug)]
pub struct Redis {
    port: u16,
    server: Child,
    folder: TempDir,
    rites: Option<LastRites>,
}

impl Redis {
    /// Starts one.
    ///
    /// # Errors
    /// With advice if there is no `redis-server` on the PATH.
    pub async fn start() -> Result<Self> {
        tokio::task::spawn_blocking(Self::start_blocking).await?
    }

    fn start_blocking() -> Result<Self> {
        let program = program()?;
        for attempt in 1.. {
            match Self::start_on(&program, crate::free_port()) {
                Ok(redis) => return Ok(redis),
                Err(error) if attempt == STARTS_MAX => return Err(error),
                Err(_) => {}
            }
        }
        bail!("no start of redis-server succeeded")
    }

    fn start_on(program: &PathBuf, port: u16) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("holdfast-redis-").tempdir()?;
        let mut command = Command::new(program);
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--daemonize", "no", "--save", ""]);
        command.args(["--appendonly", "yes", "--appendfsync", "always"]).arg("--dir").arg(folder.path());
        // A group of its own: Ctrl-C in a terminal ends this program, whose end ends the server.
        command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut server = command.spawn().context("starting redis-server")?;
        let arguments = [server.id().to_string().into(), folder.path().as_os_str().to_owned()];
        let rites = match LastRites::prepare(Command::new("sh"), LAST_RITES, arguments) {
            Ok(rites) => rites,
            Err(error) => {
                let _ = server.kill();
                let _ = server.wait();
                return Err(error.into());
            }
        };
        let mut redis = Self { port, server, folder, rites: Some(rites) };
        redis.wait_until_it_answers()?;
        Ok(redis)
    }

    fn wait_until_it_answers(&mut self) -> Result<()> {
        let started = Instant::now();
        while !self.answers() {
            if let Some(status) = self.server.try_wait()? {
                bail!("redis-server ended at once ({status}); run it by hand to see why");
            }
            if started.elapsed() > ANSWERS_WITHIN {
                bail!("redis-server did not answer within {} s", ANSWERS_WITHIN.as_secs());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    fn answers(&self) -> bool {
        let mut answer = [0; 5];
        TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))
            .and_then(|mut stream| {
                stream.set_read_timeout(Some(Duration::from_secs(1)))?;
                stream.write_all(b"PING\r\n")?;
                stream.read_exact(&mut answer)
            })
            .is_ok_and(|()| &answer == b"+PONG")
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.server.id()
    }

    /// Where it keeps its file.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        // Before its process id may become someone else's.
        if let Some(rites) = self.rites.take() {
            rites.cancel();
        }
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn program() -> Result<PathBuf> {
    let path = crate::environment("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join("redis-server"))
        .find(|program| program.is_file())
        .context("Redis is not installed (no redis-server on the PATH): run scripts/install-redis.sh")
}
