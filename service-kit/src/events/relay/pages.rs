//! Reading pending rows and deleting those that were published.

use std::time::Duration;

use sqlx::Row as _;

use super::Key;
use super::lease::Lease;
use crate::events::Record;
use crate::sql::{Database, Row, Sql, touched};

const PAGE: Sql = Sql::each(
    "SELECT seq, topic, aggregateid, payload, headers::text AS headers FROM outbox ORDER BY seq LIMIT $1",
    "SELECT seq, topic, aggregateid, payload, headers FROM outbox ORDER BY seq LIMIT $1",
);
/// `$2` is `[[topic, key], …]`.
const PAGE_WITHOUT: Sql = Sql::each(
    "SELECT seq, topic, aggregateid, payload, headers::text AS headers FROM outbox \
     WHERE (topic, aggregateid) NOT IN (SELECT k ->> 0, k ->> 1 FROM jsonb_array_elements($2::jsonb) k) \
     ORDER BY seq LIMIT $1",
    "SELECT seq, topic, aggregateid, payload, headers FROM outbox \
     WHERE (topic, aggregateid) NOT IN (SELECT value ->> 0, value ->> 1 FROM json_each($2)) \
     ORDER BY seq LIMIT $1",
);
/// Only by who holds the lease.
const DELETE: Sql = Sql::each(
    "DELETE FROM outbox WHERE seq = ANY (string_to_array($1, ',')::bigint[]) AND EXISTS \
     (SELECT 1 FROM relay_leases WHERE name = $2 AND token = $3::uuid AND until > clock_timestamp())",
    "DELETE FROM outbox WHERE seq IN (SELECT value FROM json_each('[' || $1 || ']')) AND EXISTS \
     (SELECT 1 FROM relay_leases WHERE name = $2 AND token = $3 \
      AND until > CAST(unixepoch('subsec') * 1000000 AS INTEGER))",
);
/// The lowest number is the oldest, or nearly: a row that was committed late was also written late.
const OLDEST: Sql = Sql::each(
    "SELECT (extract(epoch FROM clock_timestamp() - created_at) * 1000000)::bigint FROM outbox ORDER BY seq LIMIT 1",
    "SELECT CAST(unixepoch('subsec') * 1000000 AS INTEGER) - created_at FROM outbox ORDER BY seq LIMIT 1",
);

/// A row of the outbox.
pub(super) struct Pending {
    pub(super) seq: i64,
    pub(super) record: Record,
}

/// The lowest rows, in order, without those of some keys.
pub(super) async fn read(
    database: &Database,
    rows_max: u32,
    skipped: &[&Key],
) -> Result<Vec<Pending>, sqlx::Error> {
    let rows = if skipped.is_empty() {
        sqlx::query(database.sql(PAGE)).bind(i64::from(rows_max)).fetch_all(database.pool()).await?
    } else {
        sqlx::query(database.sql(PAGE_WITHOUT))
            .bind(i64::from(rows_max))
            .bind(serde_json::json!(skipped).to_string())
            .fetch_all(database.pool())
            .await?
    };
    Ok(in_order(rows.iter().map(from_row).collect::<Result<_, _>>()?))
}

/// The order in which a database hands out rows is not relied on.
fn in_order(mut page: Vec<Pending>) -> Vec<Pending> {
    page.sort_unstable_by_key(|pending| pending.seq);
    page
}

/// Deletes these rows if the lease is still held; says how many went.
pub(super) async fn delete(database: &Database, seqs: &[i64], lease: &Lease) -> Result<u64, sqlx::Error> {
    let list: Vec<_> = seqs.iter().map(i64::to_string).collect();
    let deleted = sqlx::query(database.sql(DELETE))
        .bind(list.join(","))
        .bind(lease.name)
        .bind(lease.token.as_str())
        .execute(database.pool())
        .await?;
    Ok(touched(&deleted))
}

/// How long the oldest row has waited; nothing if there is none.
pub(super) async fn oldest_pending(database: &Database) -> Result<Duration, sqlx::Error> {
    let micros: Option<i64> =
        sqlx::query_scalar(database.sql(OLDEST)).fetch_optional(database.pool()).await?;
    Ok(Duration::from_micros(u64::try_from(micros.unwrap_or(0)).unwrap_or(0)))
}

fn from_row(row: &Row) -> Result<Pending, sqlx::Error> {
    let headers: String = row.try_get("headers")?;
    let headers: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(&headers).map_err(|error| sqlx::Error::Decode(error.into()))?;
    let text = |value: serde_json::Value| match value {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    };
    Ok(Pending {
        seq: row.try_get("seq")?,
        record: Record {
            topic: row.try_get("topic")?,
            key: row.try_get("aggregateid")?,
            payload: row.try_get("payload")?,
            headers: headers.into_iter().map(|(name, value)| (name, text(value))).collect(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn race_24_rows_that_come_in_another_order_are_sorted_here() {
        let record = Record { topic: "t".into(), key: "k".into(), payload: Vec::new(), headers: Vec::new() };
        let row = |seq| Pending { seq, record: record.clone() };
        let seqs: Vec<_> = in_order(vec![row(3), row(1), row(2)]).iter().map(|row| row.seq).collect();
        assert_eq!(seqs, [1, 2, 3]);
    }
}
