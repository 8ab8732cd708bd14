//! One connection and its transaction, from BEGIN to a checked COMMIT.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, PgConnection};

use super::errors::{classify, commit_is_definite, connection_is_lost};
use super::recent::{Recent, Written};
use super::seen::{Recalled, Versions};
use super::{connect, lock, persist};
use crate::ids::{BatchId, OrderId};
use crate::store::{Backend, CommitFailure, Effects, Footprint, Locked, Session, StoreError, StoreErrorKind};

/// Ends a batch. The driver does not show the command's tag, and COMMIT of a failed transaction answers ROLLBACK without
/// any error. The empty SELECT in front closes that gap: in a failed transaction it is itself an error (25P02), and
/// what follows in the same message is not executed. So an answer without error is the tag COMMIT.
const COMMIT: &str = "SELECT;COMMIT";
/// `ROLLBACK` without a transaction is a warning, no error.
const ROLLBACK: &str = "ROLLBACK";

/// Where the connection stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Idle,
    Open(BatchId),
    /// Lost, or in an unknown state: never used again.
    Broken,
}

/// See [`Session`].
pub(super) struct PostgresSession {
    conn: PgConnection,
    backend: Backend,
    state: State,
    answer_timeout: Duration,
    /// Of the reservations that the open transaction has seen.
    versions: Versions,
    /// By the open transaction.
    written: Written,
    recent: Recent,
    /// Of the next batch, by what the writer expects: its orders, and, once they were looked for, what is remembered of them.
    foreseen: Vec<OrderId>,
    recalled: Recalled,
    /// The last batch rested on what was no longer so, or on a key that was taken.
    after_conflict: bool,
}

impl PostgresSession {
    /// Opens a connection, learns its identity, takes the application's role, prepares.
    pub(super) async fn open(
        options: &PgConnectOptions,
        answer_timeout: Duration,
    ) -> Result<Self, StoreError> {
        let mut conn = connect::open(options).await?;
        let prepared = answer(answer_timeout, async {
            let backend = connect::backend(&mut conn).await?;
            connect::take_role(&mut conn, connect::APP_ROLE).await.map_err(classify)?;
            lock::prepare(&mut conn).await?;
            Ok(backend)
        });
        let backend = prepared.await?;
        let (versions, written, recent, foreseen, recalled) = Default::default();
        Ok(Self {
            conn,
            backend,
            state: State::Idle,
            answer_timeout,
            versions,
            written,
            recent,
            foreseen,
            recalled,
            after_conflict: false,
        })
    }

    /// Makes the session usable again after an error inside a transaction, or marks it as lost.
    async fn abandon(&mut self, error: StoreError) -> StoreError {
        if error.kind == StoreErrorKind::Unavailable && !is_answer(&error) {
            self.state = State::Broken;
            return error;
        }
        match answer(self.answer_timeout, run(&mut self.conn, ROLLBACK)).await {
            Ok(()) => self.state = State::Idle,
            // The server ends the transaction together with the connection.
            Err(_) => self.state = State::Broken,
        }
        error
    }

    fn lost() -> StoreError {
        StoreError::new(StoreErrorKind::Unavailable, "this session's connection was lost; open another")
    }
}

#[async_trait]
impl Session for PostgresSession {
    fn backend(&self) -> Backend {
        self.backend
    }

    async fn begin(&mut self, batch: BatchId, footprint: &Footprint) -> Result<Locked, StoreError> {
        match self.state {
            State::Idle => {}
            State::Open(_) => self.rollback().await?,
            State::Broken => return Err(Self::lost()),
        }
        self.state = State::Open(batch);
        self.written = Written::default();
        let again = std::mem::take(&mut self.after_conflict);
        let recalled = std::mem::take(&mut self.recalled).or_of(&footprint.orders, &mut self.recent);
        let begun = lock::begin(&mut self.conn, batch, footprint, recalled, again);
        match answer(self.answer_timeout, begun).await {
            Ok((locked, versions)) => {
                self.versions = versions;
                Ok(locked)
            }
            Err(error) => Err(self.abandon(error).await),
        }
    }

    async fn persist(&mut self, effects: &Effects) -> Result<(), StoreError> {
        match self.state {
            State::Open(batch) if batch == effects.journal.batch => {}
            State::Open(_) | State::Idle => {
                return Err(StoreError::new(
                    StoreErrorKind::Conflict,
                    "effects of a batch that was not begun on this session",
                ));
            }
            State::Broken => return Err(Self::lost()),
        }
        match answer(self.answer_timeout, persist::persist(&mut self.conn, effects, &self.versions)).await {
            Ok(version) => {
                self.written = version.map(|version| Written::of(effects, version)).unwrap_or_default();
                Ok(())
            }
            Err(error) => {
                self.after_conflict = error.kind == StoreErrorKind::Conflict;
                Err(self.abandon(error).await)
            }
        }
    }

    fn foresee(&mut self, orders: Vec<OrderId>) {
        self.foreseen = orders;
    }

    async fn commit(&mut self) -> Result<(), CommitFailure> {
        if !matches!(self.state, State::Open(_)) {
            // Nothing was sent: whatever was open is gone.
            return Err(CommitFailure::Definite(Self::lost()));
        }
        let sent = tokio::time::timeout(self.answer_timeout, sqlx::raw_sql(COMMIT).execute(&mut self.conn));
        // While the server waits for its disk. Should it fail: what does not exist is not remembered.
        let (written, foreseen) = (std::mem::take(&mut self.written), std::mem::take(&mut self.foreseen));
        let (answer, ()) = tokio::join!(sent, async {
            self.recent.remember(written);
            self.recalled = Recalled::of(foreseen, &mut self.recent);
        });
        if !matches!(answer, Ok(Ok(_))) {
            (self.recent, self.recalled) = Default::default();
        }
        match answer {
            Ok(Ok(_)) => {
                self.state = State::Idle;
                Ok(())
            }
            Ok(Err(error)) if commit_is_definite(&error) => {
                Err(CommitFailure::Definite(self.abandon(classify(error)).await))
            }
            Ok(Err(error)) => {
                self.state = State::Broken;
                Err(CommitFailure::Unknown(error.to_string()))
            }
            Err(_) => {
                self.state = State::Broken;
                Err(CommitFailure::Unknown(format!("none within {:?}", self.answer_timeout)))
            }
        }
    }

    async fn rollback(&mut self) -> Result<(), StoreError> {
        match self.state {
            State::Idle => Ok(()),
            State::Broken => Err(Self::lost()),
            State::Open(_) => match answer(self.answer_timeout, run(&mut self.conn, ROLLBACK)).await {
                Ok(()) => {
                    self.state = State::Idle;
                    Ok(())
                }
                Err(error) => {
                    self.state = State::Broken;
                    Err(error)
                }
            },
        }
    }
}

/// Whether the server said it (the connection stands), or the way to it failed.
fn is_answer(error: &StoreError) -> bool {
    let answer = error.source.as_ref().and_then(|source| source.downcast_ref::<sqlx::Error>());
    // A server that shuts down or has ended this backend says so and closes.
    answer.is_some_and(|answer| matches!(answer, sqlx::Error::Database(_)) && !connection_is_lost(answer))
}

/// Waits for the server no longer than this. What was cut off is in an unknown state: the connection must go.
pub(super) async fn answer<T>(
    longest: Duration,
    exchange: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    match tokio::time::timeout(longest, exchange).await {
        Ok(outcome) => outcome,
        Err(_) => Err(StoreError::new(
            StoreErrorKind::Unavailable,
            format!("the database did not answer within {longest:?}"),
        )),
    }
}

/// Runs statements of ours by the simple protocol, for their effect.
pub(super) async fn run(conn: &mut PgConnection, sql: impl Into<String>) -> Result<(), StoreError> {
    sqlx::raw_sql(AssertSqlSafe(sql.into())).execute(conn).await.map(drop).map_err(classify)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::postgres::{PostgresOptions, PostgresStore};

    #[tokio::test]
    async fn i5_a_commit_that_the_server_turned_into_a_rollback_is_not_taken_for_success() {
        let url = test_support::postgres::database().await.url;
        PostgresStore::migrate(&url).await.unwrap();
        let options = PostgresOptions::default();
        let connect = connect::options(&url, &options).unwrap();
        let mut session = PostgresSession::open(&connect, options.answer_timeout).await.unwrap();
        let batch = BatchId::new(uuid::Uuid::now_v7());
        session.begin(batch, &Footprint::default()).await.unwrap();
        // Behind the session's back: the transaction has failed, and the session believes that it is open.
        run(&mut session.conn, "SELECT 1 / 0").await.unwrap_err();
        let failure = session.commit().await.unwrap_err();
        assert!(matches!(failure, CommitFailure::Definite(_)), "{failure}");
        // The session goes on.
        session.begin(BatchId::new(uuid::Uuid::now_v7()), &Footprint::default()).await.unwrap();
        session.commit().await.unwrap();
    }
}
