//! Settling the outcome of a batch whose COMMIT got no answer.
//!
//! Reading whether the batch is there would be wrong: the orphaned backend may still process a COMMIT that waits in some
//! buffer. So the resolver writes the batch's fence itself. Either that insert succeeds, and then the batch, which inserts the same
//! key, can never commit any more; or the key exists, and its outcome is final. While an orphan that has inserted it
//! is open the insert waits for it: it is then ended by its pid and start time, as idle timeouts would do later. (A batch of one message
//! inserts it after its locks. While it waits for those it is told as aborted at once, and fails when it comes to its fence; its locks stand in
//! others' way until then, for as long as `lock_timeout` a row and `statement_timeout` let it.)

use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, PgConnection};

use super::connect::{self, APP_ROLE};
use super::errors::classify;
use super::session::{answer, run};
use crate::ids::BatchId;
use crate::store::{Backend, Resolution, StoreError, StoreErrorKind};

const FENCE: &str =
    "INSERT INTO commit_batch (batch_id, outcome) VALUES ($1, 'aborted') ON CONFLICT DO NOTHING";
/// A statement of its own: the insert's snapshot may be older than the row that it met.
const OUTCOME: &str = "SELECT outcome FROM commit_batch WHERE batch_id = $1";
/// The start time makes sure that the pid was not given to someone else.
const TERMINATE: &str = "SELECT COALESCE(bool_or(pg_terminate_backend(pid)), false) FROM pg_stat_activity \
     WHERE pid = $1 AND backend_start = $2";

/// Each waits for the orphan as long as `lock_timeout` allows.
const TRIES_MAX: u32 = 10;

/// See [`crate::store::Store::resolve`].
pub(super) async fn resolve(
    options: &PgConnectOptions,
    answer_timeout: Duration,
    batch: BatchId,
    orphan: Backend,
) -> Result<Resolution, StoreError> {
    let mut conn = connect::open(options).await?;
    let outcome = answer(answer_timeout, settle(&mut conn, batch, orphan)).await;
    let _ = conn.close().await;
    outcome
}

async fn settle(conn: &mut PgConnection, batch: BatchId, orphan: Backend) -> Result<Resolution, StoreError> {
    connect::take_role(conn, APP_ROLE).await.map_err(classify)?;
    for _ in 0..TRIES_MAX {
        match sqlx::query(FENCE).bind(batch.get()).execute(&mut *conn).await.map_err(classify) {
            Ok(_) => return outcome(conn, batch).await,
            Err(error) if error.kind == StoreErrorKind::LockTimeout => terminate(conn, orphan).await?,
            Err(error) => return Err(error),
        }
    }
    Err(StoreError::new(
        StoreErrorKind::LockTimeout,
        format!("batch {batch} is still open in a backend that cannot be ended from here"),
    ))
}

/// Only the column counts: the row may be this resolver's own, of an earlier try whose answer was lost.
async fn outcome(conn: &mut PgConnection, batch: BatchId) -> Result<Resolution, StoreError> {
    let outcome: String =
        sqlx::query_scalar(OUTCOME).bind(batch.get()).fetch_one(conn).await.map_err(classify)?;
    match outcome.as_str() {
        "committed" => Ok(Resolution::Committed),
        "aborted" => Ok(Resolution::Aborted),
        other => Err(super::rows::corrupt("commit_batch", format_args!("batch {batch} is {other:?}"))),
    }
}

/// As the login itself, whose backend the orphan is: the application's role may not end it.
async fn terminate(conn: &mut PgConnection, orphan: Backend) -> Result<(), StoreError> {
    let (Some(pid), Some(started_at)) = (orphan.pid, orphan.started_at) else { return Ok(()) };
    run(conn, "RESET ROLE").await?;
    let ended: bool = sqlx::query_scalar(TERMINATE)
        .bind(pid)
        .bind(started_at)
        .fetch_one(&mut *conn)
        .await
        .map_err(classify)?;
    tracing::warn!(pid, ended, "ended the backend of a batch whose outcome is unknown");
    connect::take_role(conn, APP_ROLE).await.map_err(classify)
}
