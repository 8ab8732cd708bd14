//! A batch in one message: what was presumed is locked, made sure of and written by one statement, which the server commits by itself.

use std::time::Instant;

use sqlx::error::BoxDynError;
use sqlx::postgres::PgArguments;
use sqlx::{Arguments as _, PgConnection, query_as_with};

use super::changes::Changes;
use super::ends::Ends;
use super::reserves::Reserves;
use crate::clock::Timestamp;
use crate::store::postgres::errors::unsendable;
use crate::store::postgres::presumed::{self, EARLY_MAX, LATE_MAX, Presumption, Sighting};
use crate::store::postgres::rows::{RowVersion, product_ids, version};
use crate::store::postgres::seen::Versions;
use crate::store::{Effects, StoreError};

/// How a statement begins that rests on a presumption: with the locks, with `stands` (whether all is as presumed: one row, `yes`), which
/// everything it writes goes by, and with the fence. Under the locks it waits for the time that was presumed, if that is not there yet.
macro_rules! standing {
    ($batch:literal, $products:literal, $versions:literal, $now:literal, $least:literal, $most:literal, $rows:literal) => {
        concat!(
            "locked AS MATERIALIZED (SELECT l.*, clock_timestamp() AS at FROM (SELECT product_id AS id, version, xmin AS row \
             FROM inventory WHERE product_id = ANY (",
            $products,
            ") ORDER BY product_id FOR UPDATE) l), stands AS MATERIALIZED (SELECT CASE WHEN NOT (count(*) FILTER (WHERE version = (",
            $versions,
            "::bigint[])[width_bucket(id, ",
            $products,
            "::bigint[])] AND row = (",
            $rows,
            "::xid[])[width_bucket(id, ",
            $products,
            "::bigint[])]) = cardinality(",
            $products,
            "::bigint[]) AND max(at) BETWEEN ",
            $least,
            " AND ",
            $most,
            ") THEN false WHEN max(at) >= ",
            $now,
            " THEN true ELSE pg_sleep(extract(epoch FROM ",
            $now,
            " - max(at))::float8) IS NOT NULL END AS yes FROM locked), \
             fence AS (INSERT INTO commit_batch (batch_id) SELECT ",
            $batch,
            " WHERE (SELECT yes FROM stands)), "
        )
    };
}
pub(super) use standing;

/// What a statement that rests on a presumption and changes the holds `$25` tells: [`Said`]. One that is not what was remembered, though its products
/// are, divides by zero: nothing else undoes a statement that commits by itself. So it is with a hold that another session has ended, after
/// which this one has written the products; once, for then it is forgotten.
macro_rules! said_of_changed {
    () => {
        "SELECT yes AND 1 / (NOT yes OR (SELECT count(*) FROM changed) = cardinality($25::uuid[]))::integer = 1, \
         statement_timestamp(), pg_current_xact_id()::xid FROM stands"
    };
}
pub(super) use said_of_changed;

/// What is left to be done: to send it. Which version of the rows the batch before has written, is known last.
pub(in crate::store::postgres) struct Alone {
    sql: &'static str,
    /// But for the last, the rows' versions.
    arguments: PgArguments,
}

/// The server's answer, once it has committed.
pub(in crate::store::postgres) enum Said {
    /// Everything was as presumed, and is written, as this version of the rows.
    Written(RowVersion, Sighting),
    /// It was not, and nothing is written.
    NotSo,
}

impl Alone {
    /// The statement, if the effects can be written so. Effects that change what was not presumed are a conflict. `versions` are those of
    /// the reservations that the batch was told.
    pub(in crate::store::postgres) fn of(
        effects: &Effects,
        presumption: &Presumption,
        versions: &Versions,
    ) -> Result<Option<Self>, StoreError> {
        if effects.is_empty() || !effects.are_of_stock_and_holds() || !versions.are_guarded_by(effects) {
            return Ok(None);
        }
        if !presumption.bears(effects) {
            return Err(presumed::conflict());
        }
        let alone = if let Some(reserves) = Reserves::of(effects) {
            reserves.alone(effects, presumption)
        } else if let Some(ends) = Ends::of(effects, versions) {
            ends.alone(effects, presumption)
        } else {
            Changes::of(effects, versions)?.alone(effects, presumption)
        };
        alone.map(Some).map_err(unsendable)
    }

    /// A statement that has these arguments, and after them those of [`standing`] but for the batch and the rows.
    pub(super) fn resting_on(
        presumption: &Presumption,
        sql: &'static str,
        mut arguments: PgArguments,
    ) -> Result<Self, BoxDynError> {
        arguments.add(product_ids(&presumption.products))?;
        arguments.add(presumption.versions.iter().map(|number| version(*number)).collect::<Vec<i64>>())?;
        arguments.add(presumption.now)?;
        arguments.add(presumption.now.minus(EARLY_MAX))?;
        arguments.add(presumption.now.plus(LATE_MAX))?;
        Ok(Self { sql, arguments })
    }

    /// Sends it. Outside a transaction: the answer is whole only after the server has committed, so all of it is waited for.
    /// `rows` are the versions of the products' rows.
    pub(in crate::store::postgres) async fn send(
        mut self,
        rows: Vec<RowVersion>,
        conn: &mut PgConnection,
    ) -> Result<Said, sqlx::Error> {
        self.arguments.add(rows).map_err(sqlx::Error::Encode)?;
        let sent = Instant::now();
        let rows: Vec<(bool, Timestamp, RowVersion)> =
            query_as_with(self.sql, self.arguments).fetch_all(conn).await?;
        Ok(match *rows.as_slice() {
            [(true, received, version)] => Said::Written(version, Sighting { sent, received }),
            _ => Said::NotSo,
        })
    }
}
