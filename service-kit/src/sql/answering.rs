//! Every statement has a bound. A server that goes silent without closing anything (its machine is gone, a firewall forgot the
//! connection) would keep whoever asks waiting for many minutes: the driver sets no limit.

use std::io;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt as _};
use sqlx::any::{AnyQueryResult, AnyRow, AnyStatement, AnyTypeInfo};
use sqlx::{Any, AnyConnection, Connection as _, Describe, Either, Error, Execute, Executor, SqlStr};
use tokio::time::{Instant, timeout, timeout_at};

/// How long a statement may take, its answer included. Those of services go by key and are done in milliseconds.
pub(super) const ANSWER_MAX: Duration = Duration::from_secs(10);
/// How long a sign of life may take.
const SIGN_OF_LIFE_MAX: Duration = Duration::from_secs(2);

/// A pool or a connection that waits for each answer no longer than that. What was given up is an error of input and output: the
/// connection must go, and goes when it is given back.
#[derive(Clone, Copy, Debug)]
pub struct Answering<E>(pub(super) E);

impl<'c, E: Executor<'c, Database = Any>> Executor<'c> for Answering<E> {
    type Database = Any;

    fn fetch_many<'e, 'q: 'e, Q>(
        self,
        query: Q,
    ) -> BoxStream<'e, Result<Either<AnyQueryResult, AnyRow>, Error>>
    where
        'c: 'e,
        Q: 'q + Execute<'q, Any>,
    {
        let until = Instant::now() + ANSWER_MAX;
        let asked = Some(self.0.fetch_many(query));
        let answers = stream::unfold(asked, move |asked| async move {
            let mut asked = asked?;
            match timeout_at(until, asked.next()).await {
                Ok(answer) => answer.map(|answer| (answer, Some(asked))),
                Err(_) => Some((Err(silent()), None)),
            }
        });
        answers.boxed()
    }

    fn fetch_optional<'e, 'q: 'e, Q>(self, query: Q) -> BoxFuture<'e, Result<Option<AnyRow>, Error>>
    where
        'c: 'e,
        Q: 'q + Execute<'q, Any>,
    {
        bounded(self.0.fetch_optional(query)).boxed()
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [AnyTypeInfo],
    ) -> BoxFuture<'e, Result<AnyStatement, Error>>
    where
        'c: 'e,
    {
        bounded(self.0.prepare_with(sql, parameters)).boxed()
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Any>, Error>>
    where
        'c: 'e,
    {
        bounded(self.0.describe(sql)).boxed()
    }
}

/// Waits for an answer no longer than [`ANSWER_MAX`].
pub(super) async fn bounded<T>(answer: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    timeout(ANSWER_MAX, answer).await.unwrap_or_else(|_| Err(silent()))
}

/// An error if the server says nothing, and with it the end of the connection.
pub(super) async fn sign_of_life(connection: &mut AnyConnection) -> Result<(), Error> {
    timeout(SIGN_OF_LIFE_MAX, connection.ping()).await.unwrap_or_else(|_| Err(silent()))
}

fn silent() -> Error {
    Error::Io(io::Error::new(io::ErrorKind::TimedOut, "the database gives no answer"))
}
