//! One set of rows on two databases. Postgres and SQLite speak nearly the same SQL: a statement is written once where they
//! agree and twice where they do not ([`Sql`]), and the code around it is the same.
//!
//! Values cross as what both drivers know: text, 64-bit integers, booleans, bytes. Ids are text (`$1::uuid` on Postgres,
//! text on SQLite), times are microseconds since 1970 ([`Database::now`] reads the database's own clock), money is text with two places
//! on Postgres (`$1::numeric`) and on SQLite.
//!
//! **A transaction is never dropped half-way by a caller that goes away**: whoever runs one from a request does so in a
//! task of its own, since a `begin` that is dropped gives a connection with an open transaction back to the pool.

mod answering;

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::any::{AnyPoolOptions, AnyQueryResult, AnyRow};
use sqlx::migrate::Migrator;
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, AnyPool, Executor, Row as _};
use uuid::Uuid;

pub use self::answering::Answering;
use self::answering::{bounded, sign_of_life};

/// Connections to Postgres, at most.
const POSTGRES_CONNECTIONS_MAX: u32 = 16;
/// A connection that rested for longer is tried before it is used: the server may be gone. One that was just given back was tried then.
const TRIED_AFTER: Duration = Duration::from_secs(1);
/// How long to wait for a connection.
const ACQUIRE_DEADLINE: Duration = Duration::from_secs(5);

static EVENTS_POSTGRES: Migrator = sqlx::migrate!("../migrations/events/postgres");
static EVENTS_SQLITE: Migrator = sqlx::migrate!("../migrations/events/sqlite");

/// Which database.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialect {
    /// A server, shared with others.
    Postgres,
    /// A file; one writer at a time.
    Sqlite,
}

/// One statement in both dialects.
#[derive(Clone, Copy, Debug)]
pub struct Sql {
    postgres: &'static str,
    sqlite: &'static str,
}

impl Sql {
    /// The same text for both.
    pub const fn same(text: &'static str) -> Self {
        Self { postgres: text, sqlite: text }
    }

    /// A text each.
    pub const fn each(postgres: &'static str, sqlite: &'static str) -> Self {
        Self { postgres, sqlite }
    }

    /// The text for one.
    pub const fn for_dialect(self, dialect: Dialect) -> &'static str {
        match dialect {
            Dialect::Postgres => self.postgres,
            Dialect::Sqlite => self.sqlite,
        }
    }
}

/// A pool on one of the two. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Database {
    pool: AnyPool,
    dialect: Dialect,
    schema: &'static str,
}

/// An open transaction; dropped without [`Transaction::commit`] it is rolled back.
pub struct Transaction {
    inner: sqlx::Transaction<'static, Any>,
    dialect: Dialect,
}

impl Database {
    /// Connects. `postgres://…` or `sqlite:PATH` (created if it is missing). On Postgres every name is looked up in `schema`
    /// alone, which [`Database::migrate`] creates.
    pub async fn connect(url: &str, schema: &'static str) -> Result<Self, sqlx::Error> {
        sqlx::any::install_default_drivers();
        let dialect = if url.starts_with("sqlite:") { Dialect::Sqlite } else { Dialect::Postgres };
        let set_up = match dialect {
            // A client that stands still in a transaction must not keep its locks. Every statement goes by key, and is planned
            // once: the planner, who may have seen these tables empty, must not choose a plan over whole tables and keep it.
            Dialect::Postgres => format!(
                "SET search_path TO {schema}; SET idle_in_transaction_session_timeout = '5s'; \
                 SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_hashjoin = off; \
                 SET enable_mergejoin = off; SET jit = off"
            ),
            Dialect::Sqlite => {
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000; \
                                PRAGMA foreign_keys = ON"
                    .to_owned()
            }
        };
        let set_up: sqlx::SqlStr = sqlx::SqlSafeStr::into_sql_str(sqlx::AssertSqlSafe(set_up));
        let url = match dialect {
            Dialect::Sqlite if !url.contains('?') => format!("{url}?mode=rwc"),
            Dialect::Sqlite | Dialect::Postgres => url.to_owned(),
        };
        // One connection to a file: a second writer would only wait for the file's lock.
        let connections_max = if dialect == Dialect::Sqlite { 1 } else { POSTGRES_CONNECTIONS_MAX };
        let pool = AnyPoolOptions::new()
            .max_connections(connections_max)
            .acquire_timeout(ACQUIRE_DEADLINE)
            .test_before_acquire(false)
            .before_acquire(move |connection, meta| {
                Box::pin(async move {
                    if dialect == Dialect::Postgres && meta.idle_for > TRIED_AFTER {
                        sign_of_life(connection).await?;
                    }
                    Ok(true)
                })
            })
            // The driver asks, too, and waits for ever: what was given up would keep its place in the pool.
            .after_release(|connection, _| {
                Box::pin(async move { sign_of_life(connection).await.map(|()| true) })
            })
            .idle_timeout(None)
            .max_lifetime(None)
            .after_connect(move |connection, _| {
                let set_up = set_up.clone();
                Box::pin(async move { connection.execute(sqlx::raw_sql(set_up)).await.map(drop) })
            })
            .connect(&url)
            .await?;
        Ok(Self { pool, dialect, schema })
    }

    /// Which database this is.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Brings a service's schema up to date: its own tables, and those that events need.
    pub async fn migrate(
        &self,
        postgres: &'static Migrator,
        sqlite: &'static Migrator,
    ) -> Result<(), sqlx::Error> {
        let mut connection = self.pool.acquire().await?;
        let (own, events) = match self.dialect {
            Dialect::Postgres => (postgres, &EVENTS_POSTGRES),
            Dialect::Sqlite => (sqlite, &EVENTS_SQLITE),
        };
        if self.dialect == Dialect::Postgres {
            let create = format!("CREATE SCHEMA IF NOT EXISTS {}", self.schema);
            match connection.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(create))).await {
                // Another process made it at the same moment.
                Err(error) if is_duplicate(&error) => {}
                created => {
                    created?;
                }
            }
        }
        // Not `run`, whose future the compiler cannot see to be Send.
        own.run_direct(None, &mut *connection, false).await?;
        let events = Migrator {
            migrations: events.migrations.clone(),
            table_name: "_events_migrations".into(),
            ..Migrator::DEFAULT
        };
        events.run_direct(None, &mut *connection, false).await?;
        Ok(())
    }

    /// Begins a transaction. On SQLite it takes the file's one write lock at once, so that it cannot fail half-way for it.
    pub async fn begin(&self) -> Result<Transaction, sqlx::Error> {
        // A server that went away leaves every pooled connection dead; each is found out by who takes it.
        for _ in 0..self.pool.options().get_max_connections() {
            match self.begin_once().await {
                Err(error) if connection_is_lost(&error) => {}
                begun => return begun,
            }
        }
        self.begin_once().await
    }

    async fn begin_once(&self) -> Result<Transaction, sqlx::Error> {
        let inner = bounded(async {
            match self.dialect {
                Dialect::Postgres => self.pool.begin().await,
                Dialect::Sqlite => self.pool.begin_with("BEGIN IMMEDIATE").await,
            }
        });
        let inner = inner.await?;
        Ok(Transaction { inner, dialect: self.dialect })
    }

    /// For a single statement outside any transaction.
    pub fn pool(&self) -> Answering<&AnyPool> {
        Answering(&self.pool)
    }

    /// A connection whose statements have no bound, for migrations alone.
    pub async fn acquire(&self) -> Result<PoolConnection<Any>, sqlx::Error> {
        self.pool.acquire().await
    }

    /// The text of a statement for this database.
    pub fn sql(&self, sql: Sql) -> &'static str {
        sql.for_dialect(self.dialect)
    }

    /// The database's clock: the only one that judges deadlines which were written by it.
    pub async fn now(&self) -> Result<DateTime<Utc>, sqlx::Error> {
        let micros: i64 = sqlx::query_scalar(self.sql(NOW)).fetch_one(self.pool()).await?;
        Ok(time(micros))
    }

    /// Closes every connection, waiting for those in use.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

impl Transaction {
    /// Which database this is.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The text of a statement for this database.
    pub fn sql(&self, sql: Sql) -> &'static str {
        sql.for_dialect(self.dialect)
    }

    /// What statements are executed on.
    pub fn connection(&mut self) -> Answering<&mut AnyConnection> {
        Answering(&mut self.inner)
    }

    /// The database's clock, now (not when the transaction began).
    pub async fn now(&mut self) -> Result<DateTime<Utc>, sqlx::Error> {
        let micros: i64 = sqlx::query_scalar(self.sql(NOW)).fetch_one(self.connection()).await?;
        Ok(time(micros))
    }

    /// Makes it durable. An error leaves the outcome open unless it says otherwise: do what would be right in both cases.
    pub async fn commit(self) -> Result<(), sqlx::Error> {
        bounded(self.inner.commit()).await
    }
}

/// The database's clock in microseconds.
const NOW: Sql = Sql::each(
    "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint",
    "SELECT CAST(unixepoch('subsec') * 1000000 AS INTEGER)",
);

/// Microseconds since 1970 as a time; those that no calendar has become its first.
pub fn time(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::UNIX_EPOCH)
}

/// An id from its text, which is how ids cross.
pub fn id(row: &Row, column: &str) -> Result<Uuid, sqlx::Error> {
    let decode =
        |error: uuid::Error| sqlx::Error::ColumnDecode { index: column.to_owned(), source: error.into() };
    Uuid::try_parse(row.try_get::<&str, _>(column)?).map_err(decode)
}

/// Rows as one parameter, for statements that take them all at once.
pub fn json<T: serde::Serialize + ?Sized>(rows: &T) -> Result<String, sqlx::Error> {
    serde_json::to_string(rows).map_err(|error| sqlx::Error::Encode(error.into()))
}

/// Whether two rows met under one key, one of them being there before.
pub fn is_duplicate(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

/// Whether the same statement may succeed later: the database is away, busy, or broke a deadlock.
pub fn is_transient(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            // Postgres: serialisation and deadlock, resources, operator intervention, connection; a lock not had in time, a standby, a
            // transaction that idled or took too long, as that of a process that stood still. SQLite: BUSY, LOCKED, FULL.
            ["40", "53", "57", "58", "08", "55P03", "25006", "25P03", "25P04"]
                .iter()
                .any(|class| code.starts_with(class) && code.len() == 5)
                || ["5", "6", "13", "261", "517"].contains(&code.as_ref())
        }),
        _ => false,
    }
}

/// Whether it is the connection that failed, and another one may do better.
fn connection_is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            code.len() == 5 && ["08", "57P", "25P03", "25P04"].iter().any(|class| code.starts_with(class))
        }),
        _ => false,
    }
}

/// How many rows a statement touched.
pub fn touched(result: &AnyQueryResult) -> u64 {
    result.rows_affected()
}

/// A row of either database.
pub type Row = AnyRow;
