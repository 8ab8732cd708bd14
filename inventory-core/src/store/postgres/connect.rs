//! Connections: their settings, their role, and who they are.

use std::str::FromStr as _;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, PgConnection};

use super::PostgresOptions;
use super::errors::classify;
use crate::clock::Timestamp;
use crate::store::{Backend, StoreError, StoreErrorKind};

/// Reads and writes stock; no DDL, no change of the journal.
pub(super) const APP_ROLE: &str = "holdfast_inventory_app";
/// Prunes.
pub(super) const MAINTENANCE_ROLE: &str = "holdfast_inventory_maintenance";

/// A pool's connection that rested for longer is asked for a sign of life before it is used.
const READER_TRIED_AFTER: Duration = Duration::from_secs(1);
/// How long a sign of life may take.
const SIGN_OF_LIFE_MAX: Duration = Duration::from_secs(2);
/// How long a connection may take to be made.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// A pool's connection that nobody used for this long is closed.
const READER_IDLE_MAX: Duration = Duration::from_secs(60);

/// Parses the URL; nothing more.
pub(super) fn plain_options(url: &str) -> Result<PgConnectOptions, StoreError> {
    let options = PgConnectOptions::from_str(url).map_err(|error| StoreError {
        kind: StoreErrorKind::Misconfigured,
        // The URL may carry a password and stays out of the message.
        message: "the database URL cannot be understood; it should look like postgres://user@host/database"
            .into(),
        source: Some(Box::new(error)),
    })?;
    Ok(options.disable_statement_logging())
}

/// The settings that every connection of the store starts with, sent along with the login: no round trip.
pub(super) fn options(url: &str, options: &PostgresOptions) -> Result<PgConnectOptions, StoreError> {
    let milliseconds = |duration: Duration| duration.as_millis().to_string();
    Ok(plain_options(url)?.application_name("holdfast inventory").options([
        ("search_path", "inventory_service_schema".to_owned()),
        ("lock_timeout", milliseconds(options.lock_timeout)),
        ("statement_timeout", milliseconds(options.statement_timeout)),
        ("idle_in_transaction_session_timeout", milliseconds(options.idle_in_transaction_timeout)),
        // What the locking statements rely on, whatever the server's default.
        ("default_transaction_isolation", "read committed".to_owned()),
        ("plan_cache_mode", "force_generic_plan".to_owned()),
        // Every statement goes by key. The planner, who may have seen these tables empty, must not choose a plan
        // over whole tables and keep it while they grow.
        ("enable_seqscan", "off".to_owned()),
        ("enable_hashjoin", "off".to_owned()),
        ("enable_mergejoin", "off".to_owned()),
        ("jit", "off".to_owned()),
        // A client that vanished (power, network) must not keep its locks: the server looks after it. The driver
        // offers no such setting for our side of the socket; `PostgresOptions::answer_timeout` stands in.
        ("tcp_keepalives_idle", "5".to_owned()),
        ("tcp_keepalives_interval", "2".to_owned()),
        ("tcp_keepalives_count", "3".to_owned()),
        ("tcp_user_timeout", milliseconds(options.statement_timeout)),
    ]))
}

/// A connection of its own, not yet in any role.
pub(super) async fn open(options: &PgConnectOptions) -> Result<PgConnection, StoreError> {
    match tokio::time::timeout(CONNECT_MAX, PgConnection::connect_with(options)).await {
        Ok(conn) => conn.map_err(classify),
        Err(_) => Err(StoreError::new(
            StoreErrorKind::Unavailable,
            format!("no connection within {} s", CONNECT_MAX.as_secs()),
        )),
    }
}

/// Where this connection lives in the server. Asked before any role is taken: the view hides the start of
/// backends whose login is another role than the current one.
pub(super) async fn backend(conn: &mut PgConnection) -> Result<Backend, StoreError> {
    const WHO: &str = "SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()";
    let (pid, started): (i32, Option<Timestamp>) =
        sqlx::query_as(WHO).fetch_one(conn).await.map_err(classify)?;
    Ok(Backend { pid: Some(pid), started_at: started })
}

/// Takes a role if the login may; a login that may not goes on with its own rights.
pub(super) async fn take_role(conn: &mut PgConnection, role: &'static str) -> Result<(), sqlx::Error> {
    const MAY: &str = "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1 AND pg_has_role(session_user, oid, 'MEMBER'))";
    if sqlx::query_scalar(MAY).bind(role).fetch_one(&mut *conn).await? {
        conn.execute(AssertSqlSafe(format!("SET ROLE {role}"))).await?;
    }
    Ok(())
}

/// An error if the server says nothing, and with it the end of the connection.
async fn sign_of_life(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    match tokio::time::timeout(SIGN_OF_LIFE_MAX, conn.ping()).await {
        Ok(answer) => answer,
        Err(_) => Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()),
    }
}

/// The small pool that reads go through.
pub(super) async fn readers(options: &PgConnectOptions, connections: u32) -> Result<PgPool, StoreError> {
    PgPoolOptions::new()
        .max_connections(connections)
        .min_connections(0)
        .acquire_timeout(CONNECT_MAX)
        .idle_timeout(READER_IDLE_MAX)
        // A ping before every read doubles its time; a read that meets a dead connection is repeated instead. Not so one that
        // meets a silent connection, which takes all the time there is: hence one that rested is asked for a sign of life.
        .test_before_acquire(false)
        .before_acquire(|conn, rested| {
            Box::pin(async move {
                if rested.idle_for > READER_TRIED_AFTER {
                    sign_of_life(conn).await?;
                }
                Ok(true)
            })
        })
        // The driver asks, too, and waits for ever: a read that was given up would keep its place in the pool.
        .after_release(|conn, _| Box::pin(async move { sign_of_life(conn).await.map(|()| true) }))
        .after_connect(|conn, _| Box::pin(async move { take_role(conn, APP_ROLE).await }))
        .connect_with(options.clone())
        .await
        .map_err(classify)
}
