//! Cuts the ledger into pieces, by counting.

use sqlx::{PgConnection, Result};
use uuid::Uuid;

use super::sql;
use crate::ids::ProductId;
use crate::store::audit_rows::Piece;

/// Pieces of about `rows_max` rows.
pub(super) async fn cut(connection: &mut PgConnection, rows_max: u32) -> Result<Vec<Piece>> {
    let rows_max = i64::from(rows_max.max(1));
    let journal = count(connection, sql::COUNT_JOURNAL).await?;
    let reservations = count(connection, sql::COUNT_RESERVATIONS).await?;

    let parts = share(journal + reservations, rows_max);
    let cuts: Vec<i64> = match parts {
        ..=1 => Vec::new(),
        #[expect(clippy::cast_precision_loss, reason = "a few thousand at most")]
        _ => sqlx::query_scalar(sql::CUT_PRODUCTS).bind(parts as f64).fetch_all(&mut *connection).await?,
    };
    let mut pieces = product_pieces(&cuts);

    // A reservation brings the journal's lines on it along.
    let rows_each = share(journal + reservations, reservations.max(1));
    let cuts = every(connection, sql::CUT_ORDERS, reservations, rows_max / rows_each.max(1)).await?;
    pieces.extend(id_pieces(&cuts).map(|(from, through)| Piece::Orders { from, through }));

    let batches = count(connection, sql::COUNT_BATCHES).await?;
    let cuts = every(connection, sql::CUT_BATCHES, batches, rows_max).await?;
    pieces.extend(id_pieces(&cuts).map(|(from, through)| Piece::Batches { from, through }));

    let adjustments = count(connection, sql::COUNT_ADJUSTMENTS).await?;
    let cuts = every(connection, sql::CUT_ADJUSTMENTS, adjustments, rows_max).await?;
    pieces.extend(text_pieces(cuts).map(|(from, before)| Piece::Adjustments { from, before }));

    let inbox = count(connection, sql::COUNT_INBOX).await?;
    let cuts = every(connection, sql::CUT_INBOX, inbox, rows_max).await?;
    pieces.extend(text_pieces(cuts).map(|(from, before)| Piece::Deliveries { from, before }));
    Ok(pieces)
}

/// Of positive numbers, rounded up.
fn share(rows: i64, of: i64) -> i64 {
    (rows + of - 1) / of
}

async fn count(connection: &mut PgConnection, statement: &'static str) -> Result<i64> {
    sqlx::query_scalar(statement).fetch_one(connection).await
}

/// The keys of every `rows_each`th row, unless all rows fit into one piece.
async fn every<K>(
    connection: &mut PgConnection,
    statement: &'static str,
    rows: i64,
    rows_each: i64,
) -> Result<Vec<K>>
where
    K: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + Send + Unpin,
{
    let rows_each = rows_each.max(1);
    if rows <= rows_each {
        return Ok(Vec::new());
    }
    sqlx::query_scalar(statement).bind(rows_each).fetch_all(connection).await
}

fn product_pieces(cuts: &[i64]) -> Vec<Piece> {
    let mut pieces = Vec::with_capacity(cuts.len() + 1);
    let mut next = Some(i64::MIN);
    for through in cuts.iter().copied().chain([i64::MAX]) {
        if let Some(from) = next {
            pieces.push(Piece::Products { from: ProductId::new(from), through: ProductId::new(through) });
        }
        next = through.checked_add(1);
    }
    pieces
}

fn id_pieces(cuts: &[Uuid]) -> impl Iterator<Item = (Uuid, Uuid)> {
    let mut next = Some(0_u128);
    let mut pieces = Vec::with_capacity(cuts.len() + 1);
    for through in cuts.iter().copied().chain([Uuid::max()]) {
        if let Some(from) = next {
            pieces.push((Uuid::from_u128(from), through));
        }
        next = through.as_u128().checked_add(1);
    }
    pieces.into_iter()
}

fn text_pieces(cuts: Vec<String>) -> impl Iterator<Item = (String, Option<String>)> {
    let from = std::iter::once(String::new()).chain(cuts.clone());
    let before = cuts.into_iter().map(Some).chain([None]);
    from.zip(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cover_every_product_once() {
        let bounds = |pieces: Vec<Piece>| -> Vec<(i64, i64)> {
            pieces
                .into_iter()
                .map(|piece| match piece {
                    Piece::Products { from, through } => (from.get(), through.get()),
                    other => panic!("{other:?}"),
                })
                .collect()
        };
        assert_eq!(bounds(product_pieces(&[])), [(i64::MIN, i64::MAX)]);
        assert_eq!(bounds(product_pieces(&[-3, 7])), [(i64::MIN, -3), (-2, 7), (8, i64::MAX)]);
        assert_eq!(bounds(product_pieces(&[i64::MAX])), [(i64::MIN, i64::MAX)]);
    }

    #[test]
    fn pieces_cover_every_id_and_every_text_once() {
        let id = Uuid::from_u128;
        assert_eq!(id_pieces(&[id(9)]).collect::<Vec<_>>(), [(id(0), id(9)), (id(10), Uuid::max())]);
        assert_eq!(id_pieces(&[Uuid::max()]).collect::<Vec<_>>(), [(id(0), Uuid::max())]);
        let texts: Vec<_> = text_pieces(vec!["m".into()]).collect();
        assert_eq!(texts, [(String::new(), Some("m".into())), ("m".into(), None)]);
    }
}
