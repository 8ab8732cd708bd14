//! Many rows in one statement: `… VALUES (?,?),(?,?) …`.
//!
//! Batches have every size, and a prepared statement has one, so rows go out in powers of two: at most ten
//! statements for a thousand rows, each prepared once per connection. Parameters are anonymous: looking up a
//! numbered one takes time in proportion to their count.

use std::sync::Arc;

use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{Arguments, AssertSqlSafe};
use uuid::Uuid;

use super::error::store_error;
use crate::clock::Timestamp;
use crate::store::StoreError;

/// What SQLite allows in one statement.
const VARIABLES_MAX: usize = 32_766;
/// Rows in one statement, at most: larger ones gain nothing.
const ROWS_MAX: usize = 512;

/// A statement in every power of two.
pub(super) struct Bulk {
    columns: usize,
    /// By exponent.
    texts: Vec<Arc<str>>,
}

impl Bulk {
    /// `before` and `after` stand around the list of rows.
    pub(super) fn new(before: &str, columns: usize, after: &str) -> Self {
        let row = format!("({})", vec!["?"; columns].join(","));
        let sizes = (0..).map(|exponent| 1 << exponent);
        let sizes = sizes.take_while(|rows| *rows <= ROWS_MAX && rows * columns <= VARIABLES_MAX);
        let texts =
            sizes.map(|rows| format!("{before} VALUES {} {after}", vec![&*row; rows].join(",")).into());
        Self { columns, texts: texts.collect() }
    }

    /// The text for two to the power of `exponent` rows.
    #[cfg(test)]
    pub(super) fn text(&self, exponent: usize) -> &str {
        &self.texts[exponent]
    }

    /// Writes all rows; `bind` adds one row's columns. Says how many rows were inserted or changed.
    pub(super) async fn execute<T: Sync>(
        &self,
        connection: &mut SqliteConnection,
        mut rows: &[T],
        bind: impl Fn(&mut Binder, &T) + Send + Sync,
    ) -> Result<u64, StoreError> {
        let mut written = 0;
        while !rows.is_empty() {
            let exponent = (self.texts.len() - 1).min(rows.len().ilog2() as usize);
            let (piece, rest) = rows.split_at(1 << exponent);
            let mut binder = Binder::with_capacity(piece.len() * self.columns);
            for row in piece {
                bind(&mut binder, row);
            }
            let text = AssertSqlSafe(Arc::clone(&self.texts[exponent]));
            let done = sqlx::query_with(text, binder.finish()?).execute(&mut *connection).await;
            written += done.map_err(store_error)?.rows_affected();
            rows = rest;
        }
        Ok(written)
    }
}

/// Collects parameters; the first that cannot be encoded is reported at the end.
pub(super) struct Binder {
    arguments: SqliteArguments,
    failed: Option<sqlx::Error>,
}

impl Binder {
    fn with_capacity(parameters: usize) -> Self {
        let mut arguments = SqliteArguments::default();
        arguments.reserve(parameters, 0);
        Self { arguments, failed: None }
    }

    fn finish(self) -> Result<SqliteArguments, StoreError> {
        match self.failed {
            None => Ok(self.arguments),
            Some(error) => Err(store_error(error)),
        }
    }

    fn add<'q>(&mut self, value: impl sqlx::Encode<'q, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>) {
        if let Err(error) = self.arguments.add(value) {
            self.failed.get_or_insert(sqlx::Error::Encode(error));
        }
    }

    pub(super) fn integer(&mut self, value: i64) {
        self.add(value);
    }

    /// A version or a count: refused beyond what a column holds.
    pub(super) fn unsigned(&mut self, value: u64) {
        match i64::try_from(value) {
            Ok(value) => self.add(value),
            Err(error) => {
                self.failed.get_or_insert(sqlx::Error::Encode(Box::new(error)));
            }
        }
    }

    pub(super) fn maybe_integer(&mut self, value: Option<i64>) {
        self.add(value);
    }

    pub(super) fn time(&mut self, value: Timestamp) {
        self.add(value.micros());
    }

    pub(super) fn maybe_time(&mut self, value: Option<Timestamp>) {
        self.add(value.map(Timestamp::micros));
    }

    pub(super) fn uuid(&mut self, value: Uuid) {
        self.add(value);
    }

    pub(super) fn maybe_uuid(&mut self, value: Option<Uuid>) {
        self.add(value);
    }

    pub(super) fn text(&mut self, value: &str) {
        self.add(value);
    }

    pub(super) fn maybe_text(&mut self, value: Option<&str>) {
        self.add(value);
    }

    pub(super) fn owned_text(&mut self, value: String) {
        self.add(value);
    }

    pub(super) fn bytes(&mut self, value: &[u8]) {
        self.add(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_grow_by_powers_of_two_within_the_limit_on_variables() {
        let bulk = Bulk::new("INSERT INTO t (a, b)", 2, "RETURNING a");
        assert_eq!(&*bulk.texts[1], "INSERT INTO t (a, b) VALUES (?,?),(?,?) RETURNING a");
        assert_eq!(bulk.texts.len(), 10);
        assert_eq!(Bulk::new("", 100, "").texts.len(), 9);
    }
}
