//! The second half of a batch: what was decided, as set-based statements.

mod changes;
mod customers;
mod journal;
mod outbox;
mod products;
mod reservations;
mod reserves;

use sqlx::PgConnection;

use super::lock::Versions;
use crate::store::{Effects, StoreError, StoreErrorKind};

/// See [`crate::store::Session::persist`]; `versions` are those of the reservations that the batch has read. On error the transaction
/// is still open.
pub(super) async fn persist(
    conn: &mut PgConnection,
    effects: &Effects,
    versions: &Versions,
) -> Result<(), StoreError> {
    if let Some(reserves) = reserves::Reserves::of(effects) {
        reserves.persist(conn, effects).await?;
    } else {
        if !effects.created.is_empty() {
            reservations::create(conn, &effects.created).await?;
        }
        changes::persist(conn, effects, versions).await?;
        products::persist(conn, effects).await?;
    }
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
    Ok(())
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
