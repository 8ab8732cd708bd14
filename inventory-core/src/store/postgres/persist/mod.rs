//! The second half of a batch: what was decided, as set-based statements.

mod alone;
mod changes;
mod customers;
mod ends;
mod journal;
mod opening;
mod outbox;
mod products;
mod reservations;
mod reserves;

use sqlx::PgConnection;

pub(super) use self::alone::{Alone, Said};
use super::rows::RowVersion;
use super::seen::Versions;
use crate::store::{Effects, StoreError, StoreErrorKind};

/// See [`crate::store::Session::persist`]; `versions` are those of the reservations that the batch has seen. Says which version of the
/// rows it has written, if it writes any. On error the transaction is still open.
pub(super) async fn persist(
    conn: &mut PgConnection,
    effects: &Effects,
    versions: &Versions,
) -> Result<Option<RowVersion>, StoreError> {
    versions.stand(conn, effects).await?;
    if effects.is_empty() {
        return Ok(None);
    }
    let version = reservations_stock_and_journal(conn, effects, versions).await?;
    if !effects.adjustments.is_empty() {
        products::adjusted(conn, &effects.adjustments).await?;
    }
    if !effects.customer_units.is_empty() {
        customers::persist(conn, effects).await?;
    }
    if !effects.deliveries.is_empty() {
        journal::delivered(conn, effects).await?;
    }
    if !effects.outbox.is_empty() {
        outbox::append(conn, effects).await?;
    }
    Ok(Some(version))
}

/// In one statement where it can be.
async fn reservations_stock_and_journal(
    conn: &mut PgConnection,
    effects: &Effects,
    versions: &Versions,
) -> Result<RowVersion, StoreError> {
    if let Some(reserves) = reserves::Reserves::of(effects) {
        return reserves.persist(conn, effects).await;
    }
    let version = match ends::Ends::of(effects, versions) {
        Some(ends) => ends.persist(conn, effects).await?,
        None => changes::Changes::of(effects, versions)?.persist(conn, effects).await?,
    };
    products::persist(conn, effects).await?;
    Ok(version)
}

/// A guarded statement must have met every row that it was written for.
fn guard(what: &str, expected: usize, met: i64) -> Result<(), StoreError> {
    if i64::try_from(expected) == Ok(met) {
        return Ok(());
    }
    Err(StoreError::new(
        StoreErrorKind::Conflict,
        format!("{met} of {expected} {what} were in the state that the decision rests on"),
    ))
}
