//! What a load costs besides time: processor seconds of each process, and transactions that wrote something. From `/proc`; where
//! there is none, or Postgres runs elsewhere, those figures are missing.

use std::fs;

use anyhow::Result;
use sqlx::{Connection as _, PgConnection};

/// Ticks per second in `/proc/<pid>/stat`: USER_HZ, which is 100 on every Linux that programs see.
const TICKS_PER_SECOND: f64 = 100.0;

/// Children that end all the time are not waited for.
const LOOKS_MAX: usize = 20;

/// Reads the meters of a deployment.
#[derive(Debug)]
pub struct Meter {
    processes: Vec<(&'static str, i32)>,
    postgres: Option<i32>,
    connection: PgConnection,
}

/// Meters at one moment.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Processor seconds since its start of each process, by its name.
    pub cpu_seconds: Vec<(&'static str, Option<f64>)>,
    /// Transactions that wrote something, of the whole server.
    pub writes: i64,
}

impl Meter {
    /// Of these processes and the server of this database.
    pub async fn open(processes: Vec<(&'static str, i32)>, url: &str) -> Result<Self> {
        let mut connection = PgConnection::connect(url).await?;
        let backend: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut connection).await?;
        // A server elsewhere names processes that are not here, or are something else.
        let is_here = fs::read_to_string(format!("/proc/{backend}/comm"))
            .is_ok_and(|name| name.starts_with("postgres"));
        let postgres = if is_here { stat(backend).map(|stat| stat.parent) } else { None };
        Ok(Self { processes, postgres, connection })
    }

    /// Reads them all.
    pub async fn read(&mut self) -> Result<Reading> {
        let next = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint";
        let writes = sqlx::query_scalar(next).fetch_one(&mut self.connection).await?;
        let own = |pid| stat(pid).map(|stat| stat.own_seconds);
        let mut cpu_seconds: Vec<_> = self.processes.iter().map(|(name, pid)| (*name, own(*pid))).collect();
        cpu_seconds.push(("Postgres", self.postgres.and_then(server_seconds)));
        Ok(Reading { cpu_seconds, writes })
    }
}

impl Reading {
    /// What was used since an earlier reading of the same meter.
    pub fn since(&self, earlier: &Self) -> Self {
        let used = self.cpu_seconds.iter().zip(&earlier.cpu_seconds);
        let used = used.map(|((name, now), (_, then))| (*name, now.zip(*then).map(|(now, then)| now - then)));
        Self { cpu_seconds: used.collect(), writes: self.writes - earlier.writes }
    }
}

/// The server, its children, and the children that have ended. One that ends while we look is counted nowhere: then we look again.
fn server_seconds(server: i32) -> Option<f64> {
    let mut parent = stat(server)?;
    for _ in 0..LOOKS_MAX {
        let children = fs::read_dir("/proc").ok()?.filter_map(|entry| {
            let child = stat(entry.ok()?.file_name().to_str()?.parse().ok()?)?;
            (child.parent == server).then_some(child.own_seconds)
        });
        let children: f64 = children.sum();
        let ended_before = parent.ended_children_seconds;
        parent = stat(server)?;
        if parent.ended_children_seconds == ended_before {
            return Some(parent.own_seconds + ended_before + children);
        }
    }
    None
}

struct Stat {
    parent: i32,
    own_seconds: f64,
    ended_children_seconds: f64,
}

/// Of `/proc/<pid>/stat`, whose second field, the name in parentheses, may itself hold blanks and parentheses.
fn stat(pid: i32) -> Option<Stat> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat[stat.rfind(')')? + 1..].split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<f64>().ok();
    Some(Stat {
        parent: fields.get(1)?.parse().ok()?,
        own_seconds: (ticks(11)? + ticks(12)?) / TICKS_PER_SECOND,
        ended_children_seconds: (ticks(13)? + ticks(14)?) / TICKS_PER_SECOND,
    })
}
