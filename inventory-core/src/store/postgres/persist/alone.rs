//! A batch in one message: what was presumed is locked, made sure of and written by one statement, which the server commits by itself.

use std::time::Instant;

use sqlx::postgres::PgArguments;
use sqlx::{PgConnection, query_as_with};

use super::reserves::Reserves;
use crate::clock::Timestamp;
use crate::store::postgres::errors::classify;
use crate::store::postgres::presumed::{self, Presumption, Sighting};
use crate::store::postgres::rows::RowVersion;
use crate::store::{Effects, StoreError};

/// What is left to be done: to send it.
pub(in crate::store::postgres) struct Alone {
    pub(super) sql: &'static str,
    pub(super) arguments: PgArguments,
}

/// The server's answer, once it has committed.
pub(in crate::store::postgres) enum Said {
    /// Everything was as presumed, and is written, as this version of the rows.
    Written(RowVersion, Sighting),
    /// It was not, and nothing is written.
    NotSo,
}

impl Alone {
    /// The statement, if the effects can be written so. Effects that change what was not presumed are a conflict.
    pub(in crate::store::postgres) fn of(
        effects: &Effects,
        presumption: &Presumption,
    ) -> Result<Option<Self>, StoreError> {
        let is_more = !(effects.adjustments.is_empty()
            && effects.customer_units.is_empty()
            && effects.deliveries.is_empty()
            && effects.outbox.is_empty());
        if is_more {
            return Ok(None);
        }
        let Some(reserves) = Reserves::of(effects) else { return Ok(None) };
        if !presumption.bears(effects) {
            return Err(presumed::conflict());
        }
        let alone = reserves.alone(effects, presumption);
        alone.map(Some).map_err(|error| classify(sqlx::Error::Encode(error)))
    }

    /// Sends it. Outside a transaction: the answer is whole only after the server has committed, so all of it is waited for.
    pub(in crate::store::postgres) async fn send(self, conn: &mut PgConnection) -> Result<Said, sqlx::Error> {
        let sent = Instant::now();
        let rows: Vec<(bool, Timestamp, RowVersion)> =
            query_as_with(self.sql, self.arguments).fetch_all(conn).await?;
        Ok(match *rows.as_slice() {
            [(true, received, version)] => Said::Written(version, Sighting { sent, received }),
            _ => Said::NotSo,
        })
    }
}
