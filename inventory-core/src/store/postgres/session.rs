//! One connection and its transaction, from BEGIN to a checked COMMIT.

use std::pin::pin;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, PgConnection};

use super::ahead::{Begun, Busy, Fresh, Ready};
use super::errors::{classify, commit_is_definite, connection_is_lost};
use super::lock::Opened;
use super::persist::Said;
use super::presumed::{Left, Products};
use super::recent::{Recent, Written};
use super::rows::RowVersion;
use super::seen::{Recalled, Versions};
use super::{ahead, connect, lock, persist, presumed};
use crate::ids::{BatchId, ProductId};
use crate::store::{
    Backend, CommitFailure, Effects, Footprint, Locked, LookAhead, Session, StoreError, StoreErrorKind,
};

/// Ends a batch. The driver does not show the command's tag, and COMMIT of a failed transaction answers ROLLBACK without
/// any error. The empty SELECT in front closes that gap: in a failed transaction it is itself an error (25P02), and
/// what follows in the same message is not executed. So an answer without error is the tag COMMIT.
const COMMIT: &str = "SELECT;COMMIT";
/// `ROLLBACK` without a transaction is a warning, no error.
const ROLLBACK: &str = "ROLLBACK";

/// Where the connection stands.
enum State {
    Idle,
    Open(BatchId),
    Presumed(Box<Begun>),
    /// It is decided.
    Decided(Box<Begun>, Box<Ready>),
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
    /// By the open transaction, as this version of the rows.
    fresh: Option<(Fresh, RowVersion)>,
    /// Of the last batch: to be remembered while the server is busy with the next.
    unremembered: Option<(Written, RowVersion)>,
    recent: Recent,
    products: Products,
    /// For the next batch.
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
        let (versions, fresh, unremembered, recent, products, recalled) = Default::default();
        Ok(Self {
            conn,
            backend,
            state: State::Idle,
            answer_timeout,
            versions,
            fresh,
            unremembered,
            recent,
            products,
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

    /// Begins the transaction on the server.
    async fn lock(
        &mut self,
        batch: BatchId,
        footprint: &Footprint,
        recalled: Recalled,
        again: bool,
    ) -> Result<(Locked, Versions), StoreError> {
        self.state = State::Open(batch);
        let begun = lock::begin(&mut self.conn, batch, footprint, recalled, again);
        match answer(self.answer_timeout, begun).await {
            Ok(Opened { locked, versions, sighting }) => {
                self.products.learn_time(sighting, locked.now);
                Ok((locked, versions))
            }
            Err(error) => Err(self.abandon(error).await),
        }
    }

    /// Writes inside the open transaction.
    async fn write(&mut self, effects: &Effects) -> Result<(), StoreError> {
        match answer(self.answer_timeout, persist::persist(&mut self.conn, effects, &self.versions)).await {
            Ok(version) => self.fresh = version.map(|version| (Fresh::of(effects), version)),
            Err(error) => {
                self.after_conflict = error.kind == StoreErrorKind::Conflict;
                return Err(self.abandon(error).await);
            }
        }
        Ok(())
    }

    /// Of a batch that has begun on what is remembered: makes it ready to be sent, or, if it takes more than one message, begins on the server, and
    /// looks whether it was so.
    async fn write_presumed(&mut self, mut begun: Box<Begun>, effects: &Effects) -> Result<(), StoreError> {
        if begun.ready.is_none() {
            begun.make_ready(effects).inspect_err(|_| self.after_conflict = true)?;
        }
        if let Some(ready) = begun.ready.take() {
            self.state = State::Decided(begun, ready);
            return Ok(());
        }
        let Begun { presumption, versions, ready: _ } = *begun;
        self.versions = versions;
        let footprint = Footprint { products: presumption.products.clone(), ..Footprint::default() };
        // What was recalled of reservations is made sure of by what is written.
        let (locked, _) = self.lock(presumption.batch, &footprint, Recalled::default(), false).await?;
        let Some(early) = self.products.stand(&presumption, &locked) else {
            let conflict = self.presumed_wrongly();
            return Err(self.abandon(conflict).await);
        };
        self.products.was_right();
        if !early.is_zero() {
            tokio::time::sleep(early).await;
        }
        self.write(effects).await
    }

    fn presumed_wrongly(&mut self) -> StoreError {
        self.products.was_wrong();
        self.after_conflict = true;
        presumed::conflict()
    }

    /// Sends the COMMIT of the open transaction.
    async fn commit_open(&mut self, look: LookAhead<'_>) -> Result<(), CommitFailure> {
        let (answer, begun) = {
            let sent = sqlx::raw_sql(COMMIT).execute(&mut self.conn);
            let mut sent = pin!(tokio::time::timeout(self.answer_timeout, sent));
            let first = futures::poll!(sent.as_mut());
            // While the server waits for its disk. Should it fail: what does not exist is not remembered.
            if let Some((Fresh { written, left }, version)) = self.fresh.take() {
                self.recent.remember(written, version);
                self.products.remember(left, version);
            }
            let left = Left::default();
            let busy = Busy::new(&mut self.recent, &mut self.products, &left, &mut self.recalled);
            ahead::meanwhile(first, sent, busy.look(look)).await
        };
        if !matches!(answer, Ok(Ok(_))) {
            (self.recent, self.recalled) = Default::default();
            self.products.forget();
        }
        self.outcome(answer).await?;
        self.go_on(begun);
        Ok(())
    }

    /// Sends a whole batch.
    async fn commit_alone(
        &mut self,
        products: &[ProductId],
        ready: Box<Ready>,
        look: LookAhead<'_>,
    ) -> Result<(), CommitFailure> {
        let Ready { alone, fresh } = *ready;
        let Some(rows) = self.products.rows_of(products) else {
            self.state = State::Idle;
            return Err(presumed::conflict().into());
        };
        let (answer, begun) = {
            let sent = alone.send(rows, &mut self.conn);
            let mut sent = pin!(tokio::time::timeout(self.answer_timeout, sent));
            let first = futures::poll!(sent.as_mut());
            // While the server is busy.
            if let Some((written, version)) = self.unremembered.take() {
                self.recent.remember(written, version);
            }
            let busy = Busy::new(&mut self.recent, &mut self.products, &fresh.left, &mut self.recalled);
            ahead::meanwhile(first, sent, busy.look(look)).await
        };
        let outcome = self.outcome(answer).await;
        if self.after_conflict {
            self.products.was_in_vain();
        }
        match outcome? {
            Said::Written(version, sighting) => {
                self.products.remember(fresh.left, version);
                self.products.learn_time(sighting, sighting.received);
                self.products.was_right();
                self.unremembered = Some((fresh.written, version));
                self.go_on(begun);
                Ok(())
            }
            Said::NotSo => Err(CommitFailure::Definite(self.presumed_wrongly())),
        }
    }

    /// A batch that was begun ahead is open.
    fn go_on(&mut self, begun: Option<Box<Begun>>) {
        if let Some(begun) = begun {
            self.state = State::Presumed(begun);
        }
    }

    /// What the answer to a COMMIT, of a transaction that is open or of a batch of one message, says, and where it leaves the connection.
    async fn outcome<T>(
        &mut self,
        answer: Result<Result<T, sqlx::Error>, tokio::time::error::Elapsed>,
    ) -> Result<T, CommitFailure> {
        match answer {
            Ok(Ok(said)) => {
                self.state = State::Idle;
                Ok(said)
            }
            Ok(Err(error)) if commit_is_definite(&error) => {
                let mut error = classify(error);
                if let State::Open(_) = self.state {
                    error = self.abandon(error).await;
                } else {
                    self.state = State::Idle;
                }
                self.after_conflict = error.kind == StoreErrorKind::Conflict;
                Err(CommitFailure::Definite(error))
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
}

#[async_trait]
impl Session for PostgresSession {
    fn backend(&self) -> Backend {
        self.backend
    }

    async fn begin(&mut self, batch: BatchId, footprint: &Footprint) -> Result<Locked, StoreError> {
        self.rollback().await?;
        self.fresh = None;
        let again = std::mem::take(&mut self.after_conflict);
        if !footprint.orders.is_empty()
            && let Some((written, version)) = self.unremembered.take()
        {
            self.recent.remember(written, version);
        }
        let recalled = std::mem::take(&mut self.recalled).or_of(&footprint.orders, &mut self.recent);
        if !again && let Some((mut locked, presumption)) = self.products.presume(batch, footprint, &recalled)
        {
            locked.reservations = recalled.seen.reservations;
            self.state = State::Presumed(Begun::new(presumption, recalled.seen.versions));
            return Ok(locked);
        }
        let locked;
        (locked, self.versions) = self.lock(batch, footprint, recalled, again).await?;
        Ok(locked)
    }

    async fn persist(&mut self, effects: &Effects) -> Result<(), StoreError> {
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Open(batch) if batch == effects.journal.batch => {
                self.state = State::Open(batch);
                self.write(effects).await
            }
            State::Presumed(begun) if begun.presumption.batch == effects.journal.batch => {
                self.write_presumed(begun, effects).await
            }
            State::Broken => {
                self.state = State::Broken;
                Err(Self::lost())
            }
            other => {
                self.state = other;
                Err(StoreError::new(
                    StoreErrorKind::Conflict,
                    "effects of a batch that was not begun on this session",
                ))
            }
        }
    }

    async fn commit(&mut self) -> Result<(), CommitFailure> {
        self.commit_looking_ahead(LookAhead::nothing()).await
    }

    async fn commit_looking_ahead(&mut self, look: LookAhead<'_>) -> Result<(), CommitFailure> {
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Open(batch) => {
                self.state = State::Open(batch);
                self.commit_open(look).await
            }
            State::Decided(begun, ready) => {
                // Until the answer is there.
                self.state = State::Broken;
                self.commit_alone(&begun.presumption.products, ready, look).await
            }
            // Nothing was sent: whatever was open is gone.
            other => {
                self.state = other;
                Err(CommitFailure::Definite(Self::lost()))
            }
        }
    }

    async fn rollback(&mut self) -> Result<(), StoreError> {
        match self.state {
            State::Idle => Ok(()),
            State::Broken => Err(Self::lost()),
            State::Presumed(_) | State::Decided(..) => {
                self.state = State::Idle;
                Ok(())
            }
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
    use crate::command::{Command, Reserve, SetStock};
    use crate::decide::decide;
    use crate::event::NoEvents;
    use crate::ids::OrderId;
    use crate::ids::ProductId;
    use crate::lines::Lines;
    use crate::quantity::{Quantity, Units};
    use crate::store::postgres::presumed::{EARLY_MAX, LATE_MAX};
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

    /// Decides and commits one command.
    async fn execute(session: &mut PostgresSession, command: Command) -> Result<Effects, CommitFailure> {
        let batch = BatchId::new(uuid::Uuid::now_v7());
        let commands = [command];
        let locked = session.begin(batch, &Footprint::of(&commands, |_| false, false)).await?;
        let effects = decide(locked, &commands, batch, &NoEvents).effects;
        session.persist(&effects).await?;
        session.commit().await?;
        Ok(effects)
    }

    /// A session, and a product that it has left.
    async fn that_has_left_a_product() -> (PostgresSession, ProductId) {
        let url = test_support::postgres::database().await.url;
        PostgresStore::migrate(&url).await.unwrap();
        let options = PostgresOptions::default();
        let connect = connect::options(&url, &options).unwrap();
        let mut session = PostgresSession::open(&connect, options.answer_timeout).await.unwrap();
        let product = ProductId::new(1);
        execute(&mut session, Command::Set(SetStock::level(product, Units::stored(50)))).await.unwrap();
        (session, product)
    }

    fn reserve(product: ProductId) -> Command {
        let ttl = Duration::from_secs(60);
        let lines = Lines::one(product, Quantity::ONE);
        let order = OrderId::new(uuid::Uuid::now_v7());
        Command::Reserve(Reserve { order, lines, customer: None, ttl, ttl_max: ttl })
    }

    #[tokio::test]
    async fn i6_what_a_read_only_server_says_to_a_batch_of_one_message_is_definite() {
        let (mut session, product) = that_has_left_a_product().await;
        run(&mut session.conn, "SET default_transaction_read_only = on").await.unwrap();
        let refused = execute(&mut session, reserve(product)).await.unwrap_err();
        let CommitFailure::Definite(error) = refused else { panic!("{refused}") };
        assert_eq!(error.kind, StoreErrorKind::Unavailable);
        run(&mut session.conn, "SET default_transaction_read_only = off").await.unwrap();
        execute(&mut session, reserve(product)).await.unwrap();
    }

    #[tokio::test]
    async fn i16_a_batch_that_presumes_a_time_far_from_the_servers_is_decided_again() {
        let (mut session, product) = that_has_left_a_product().await;
        // It may be late, as one that has waited for its locks, or a little ahead: then it waits.
        for (off, is_ahead, is_taken) in [
            (Duration::ZERO, true, true),
            (LATE_MAX / 4, false, true),
            (EARLY_MAX / 4, true, true),
            (LATE_MAX * 2, false, false),
            (EARLY_MAX * 20, true, false),
        ] {
            // Whatever was doubted before is read now.
            session.products.forget();
            execute(&mut session, reserve(product)).await.unwrap();
            session.products.be_off(off, is_ahead);
            match execute(&mut session, reserve(product)).await {
                Ok(effects) => {
                    assert!(is_taken, "off by {off:?}, ahead: {is_ahead}");
                    let now = session.begin(effects.journal.batch, &Footprint::default()).await;
                    assert_eq!(now.unwrap_err().kind, StoreErrorKind::Conflict, "its id was used");
                    let batch = BatchId::new(uuid::Uuid::now_v7());
                    let now = session.begin(batch, &Footprint::default()).await.unwrap().now;
                    assert!(effects.journal.at <= now, "it is dated after it was committed");
                }
                Err(CommitFailure::Definite(error)) => {
                    assert!(!is_taken, "off by {off:?}, ahead: {is_ahead}: {error}");
                    assert_eq!(error.kind, StoreErrorKind::Conflict);
                }
                Err(CommitFailure::Unknown(said)) => panic!("{said}"),
            }
            session.products.doubt_nothing();
        }
    }
}
