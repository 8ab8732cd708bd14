//! Where peers meet: one Postgres, an empty database for every run, and the meters beside it.

use anyhow::{Context as _, Result, ensure};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, PgConnection};
use test_support::postgres::TestDatabase;
use uuid::Uuid;

use crate::usage::Meter;

/// What makes an answer durable; a server without them is another league.
const DURABLE: [&str; 3] = ["fsync", "synchronous_commit", "full_page_writes"];
/// Settings that are told with the figures.
const TOLD: [&str; 8] = [
    "server_version",
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "wal_sync_method",
    "shared_buffers",
    "max_wal_size",
    "max_connections",
];

/// The first version of Postgres that asks how a database is to be copied.
const STRATEGY_SINCE: i32 = 150_000;

/// One server.
#[derive(Debug)]
pub struct Arena {
    server: String,
    /// An ephemeral cluster's first database; none on a server that was named.
    _database: Option<TestDatabase>,
}

/// An empty database for one run.
#[derive(Debug)]
pub struct Scratch {
    /// For a superuser.
    pub url: String,
    name: String,
}

impl Arena {
    /// On the server of this superuser's URL, or on an ephemeral one.
    ///
    /// # Errors
    /// If the server acknowledges what is not durable.
    pub async fn open(url: Option<String>) -> Result<Self> {
        let (server, database) = match url {
            Some(url) => (url, None),
            None => {
                let database = test_support::postgres::database().await;
                (database.url.clone(), Some(database))
            }
        };
        let arena = Self { server, _database: database };
        for (name, value) in arena.settings().await? {
            let is_durable = !DURABLE.contains(&name.as_str()) || value == "on";
            ensure!(
                is_durable,
                "the server runs with {name} = {value}: set it to on, peers are compared durable"
            );
        }
        Ok(arena)
    }

    /// Settings that matter, by name.
    pub async fn settings(&self) -> Result<Vec<(String, String)>> {
        let mut conn = self.connect().await?;
        let settings = "SELECT name, current_setting(name) FROM unnest($1::text[]) AS name";
        let settings = sqlx::query_as(settings).bind(TOLD.as_slice()).fetch_all(&mut conn).await?;
        conn.close().await?;
        Ok(settings)
    }

    /// The server's day.
    pub async fn today(&self) -> Result<String> {
        Ok(sqlx::query_scalar("SELECT current_date::text").fetch_one(&mut self.connect().await?).await?)
    }

    /// A new database.
    pub async fn scratch(&self) -> Result<Scratch> {
        self.create("").await
    }

    /// A new database that begins as a copy of another, to which nobody is connected. Files are copied as they are, where the
    /// server has a choice: through the write-ahead log a copy costs three times as much.
    pub async fn copy(&self, of: &Scratch) -> Result<Scratch> {
        let mut conn = self.connect().await?;
        let version: i32 = sqlx::query_scalar("SELECT current_setting('server_version_num')::int")
            .fetch_one(&mut conn)
            .await?;
        conn.close().await?;
        let strategy = if version >= STRATEGY_SINCE { " STRATEGY file_copy" } else { "" };
        self.create(&format!(" TEMPLATE {}{strategy}", of.name)).await
    }

    async fn create(&self, how: &str) -> Result<Scratch> {
        let name = format!("peers_{}", Uuid::new_v4().simple());
        let mut conn = self.connect().await?;
        conn.execute(AssertSqlSafe(format!("CREATE DATABASE {name}{how}")))
            .await
            .context("a run's database")?;
        conn.close().await?;
        let options: PgConnectOptions = self.server.parse()?;
        Ok(Scratch { url: options.database(&name).to_url_lossy().into(), name })
    }

    /// Gives its room back: a run may write a gigabyte.
    pub async fn remove(&self, scratch: Scratch) -> Result<()> {
        let mut conn = self.connect().await?;
        let drop = AssertSqlSafe(format!("DROP DATABASE {} WITH (FORCE)", scratch.name));
        conn.execute(drop).await.context("dropping a run's database")?;
        Ok(conn.close().await?)
    }

    /// Every run begins just after a checkpoint: nobody pays for what another has written.
    pub async fn checkpoint(&self) -> Result<()> {
        let mut conn = self.connect().await?;
        conn.execute("CHECKPOINT").await?;
        Ok(conn.close().await?)
    }

    /// Meters of this program, of Postgres and of another process that takes part.
    pub async fn meter(&self, other: Option<(&'static str, u32)>) -> Result<Meter> {
        let mut processes = vec![("program", i32::try_from(std::process::id())?)];
        if let Some((name, pid)) = other {
            processes.push((name, i32::try_from(pid)?));
        }
        Meter::open(processes, &self.server).await
    }

    async fn connect(&self) -> Result<PgConnection> {
        let options: PgConnectOptions = self.server.parse()?;
        options.disable_statement_logging().connect().await.context("connecting to the server")
    }
}
