//! One Postgres cluster in a temporary folder.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use nix::sys::signal::Signal;
use nix::unistd::{Uid, User};
use tempfile::TempDir;

use super::{binaries, processes};
use crate::last_rites::LastRites;

/// Starts that may fail because another process took the port.
const STARTS_MAX: usize = 5;

/// Continues whatever was paused, stops the server, removes the folder.
const LAST_RITES: &str = r#"
read -r server 2>/dev/null <"$2/data/postmaster.pid" && for stat in /proc/[0-9]*/stat; do
    read -r pid name state parent rest <"$stat" || continue
    [ "$parent" = "$server" ] && kill -CONT "$pid"
done
[ -n "$server" ] && kill -CONT "$server"
"$1/pg_ctl" -D "$2/data" -m fast -w -t 20 stop || "$1/pg_ctl" -D "$2/data" -m immediate -w -t 20 stop
rm -rf "$2"
"#;

/// A cluster of its own, for tests that stop, pause or fill it. `fsync` is on. It ends, and its folder goes, when
/// this value is dropped or this process ends in whatever way.
#[derive(Debug)]
pub struct Cluster {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
    owner: Option<User>,
    _last_rites: LastRites,
}

impl Cluster {
    /// Creates a cluster and starts it. Takes a second or two.
    pub async fn start() -> Result<Self> {
        tokio::task::spawn_blocking(Self::start_blocking).await?
    }

    fn start_blocking() -> Result<Self> {
        let programs = binaries::directory()?;
        let owner = owner()?;
        let folder = folder(owner.as_ref())?;
        let rites = LastRites::prepare(command("sh", owner.as_ref()), LAST_RITES, [&programs, &folder])?;
        let mut cluster = Self { programs, folder, port: 0, owner, _last_rites: rites };
        cluster.initdb()?;
        for attempt in 1.. {
            cluster.port = crate::free_port();
            match cluster.pg_ctl_start() {
                Ok(()) => break,
                Err(error) if attempt == STARTS_MAX => return Err(error),
                Err(_) => {}
            }
        }
        Ok(cluster)
    }

    /// The URL of a database of this cluster, for a superuser over TCP.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Creates an empty database and says its URL.
    pub async fn database(&self) -> Result<String> {
        let name = super::fresh_name();
        super::create(&self.url("postgres"), &name, None).await?;
        Ok(self.url(&name))
    }

    /// Ends the server as a crash does (`-m immediate`: every process quits at once, nothing is flushed).
    pub async fn stop_immediate(&self) -> Result<()> {
        self.pg_ctl(&["-m", "immediate", "-w", "-t", "30", "stop"]).await
    }

    /// Kills all of the server's processes where they are (SIGKILL), paused ones too. What a paused one was sent and had
    /// not read is lost: a COMMIT among it never happened.
    pub async fn kill9(&self) -> Result<()> {
        let killed = processes::signal_all(self.server_pid()?, Signal::SIGKILL)?;
        for process in killed {
            processes::gone(process).await;
        }
        // Where nobody waits for orphans, the dead server keeps its process id and would pass for a living one.
        for lock in
            [self.data().join("postmaster.pid"), self.folder.join(format!(".s.PGSQL.{}.lock", self.port))]
        {
            fs::remove_file(lock).context("removing a lock of the killed server")?;
        }
        Ok(())
    }

    /// Starts the server again on the same port and folder; recovers first, if it has to.
    pub async fn start_again(&self) -> Result<()> {
        let mut start = self.start_command();
        tokio::task::spawn_blocking(move || run(&mut start)).await?.with_context(|| self.log())
    }

    /// Stops all of the server's processes where they are (SIGSTOP): connections stay open, nothing answers.
    pub fn pause(&self) -> Result<()> {
        processes::signal_all(self.server_pid()?, Signal::SIGSTOP).map(drop)
    }

    /// Lets them go on.
    pub fn resume(&self) -> Result<()> {
        processes::signal_all(self.server_pid()?, Signal::SIGCONT).map(drop)
    }

    fn server_pid(&self) -> Result<i32> {
        let path = self.data().join("postmaster.pid");
        let text = fs::read_to_string(&path).context("the server is not running")?;
        text.lines().next().and_then(|line| line.parse().ok()).context("postmaster.pid holds no process id")
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn initdb(&self) -> Result<()> {
        let mut initdb = command(self.programs.join("initdb"), self.owner.as_ref());
        initdb.args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-locale", "--no-sync"]);
        run(initdb.arg("--pgdata").arg(self.data()))
    }

    fn start_command(&self) -> Command {
        let options = [
            format!("port={}", self.port),
            "listen_addresses=127.0.0.1".to_owned(),
            format!("unix_socket_directories={}", self.folder.display()),
            "fsync=on".to_owned(),
            "max_connections=200".to_owned(),
            "shared_buffers=128MB".to_owned(),
        ];
        let options: Vec<String> = options.iter().map(|option| format!("-c {option}")).collect();
        let mut start = command(self.programs.join("pg_ctl"), self.owner.as_ref());
        start.arg("-D").arg(self.data()).arg("-l").arg(self.folder.join("log"));
        start.arg("-o").arg(options.join(" ")).args(["-w", "-t", "60", "start"]);
        start
    }

    fn pg_ctl_start(&self) -> Result<()> {
        run(&mut self.start_command()).with_context(|| self.log())
    }

    async fn pg_ctl(&self, arguments: &[&str]) -> Result<()> {
        let mut pg_ctl = command(self.programs.join("pg_ctl"), self.owner.as_ref());
        pg_ctl.arg("-D").arg(self.data()).args(arguments);
        tokio::task::spawn_blocking(move || run(&mut pg_ctl)).await?.with_context(|| self.log())
    }

    fn log(&self) -> String {
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let last = &lines[lines.len().saturating_sub(20)..];
        format!("the server's log ends with:\n{}", last.join("\n"))
    }
}

/// Postgres refuses to run as root: then everything runs as the user that its package creates.
fn owner() -> Result<Option<User>> {
    if !Uid::effective().is_root() {
        return Ok(None);
    }
    let user = User::from_name("postgres").context("looking up the user postgres")?;
    Ok(Some(user.context("Postgres does not run as root, and there is no user postgres to run it as")?))
}

fn folder(owner: Option<&User>) -> Result<PathBuf> {
    let candidates = [std::env::temp_dir(), "/tmp".into(), "/var/tmp".into()];
    let Some(parent) = candidates.iter().find(|path| owner.is_none() || everybody_may_enter(path)) else {
        bail!("no temporary folder that the user postgres may enter");
    };
    let folder: TempDir = tempfile::Builder::new().prefix("holdfast-postgres-").tempdir_in(parent)?;
    if let Some(owner) = owner {
        chown(folder.path(), Some(owner.uid.as_raw()), Some(owner.gid.as_raw()))?;
    }
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700))?;
    // From here on the last rites remove it: they also do so if this process is killed.
    Ok(folder.keep())
}

fn everybody_may_enter(path: &Path) -> bool {
    path.ancestors().all(|folder| fs::metadata(folder).is_ok_and(|meta| meta.mode() & 0o001 != 0))
}

fn command(program: impl AsRef<std::ffi::OsStr>, owner: Option<&User>) -> Command {
    let mut command = Command::new(program);
    if let Some(owner) = owner {
        command.uid(owner.uid.as_raw()).gid(owner.gid.as_raw());
    }
    command.current_dir("/").stdin(Stdio::null());
    command
}

fn run(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("starting {program}"))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        bail!("{program} failed ({}): {}", output.status, stderr.trim());
    }
    Ok(())
}
