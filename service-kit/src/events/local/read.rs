//! Reading records.

use sqlx::Row as _;

use super::{Inner, unusable};
use crate::events::{Received, Record, TransportError};
use crate::sql::Row;

/// Topics and places as `[[topic, after], …]`: of each topic the next few.
const NEXT: &str = "SELECT r.seq, r.topic, r.key, r.payload, r.headers FROM json_each($1) t CROSS JOIN records r \
     ON r.seq IN (SELECT s.seq FROM records s WHERE s.topic = t.value ->> 0 AND s.seq > t.value ->> 1 \
                  ORDER BY s.seq LIMIT $2)";

/// Of each topic the next few after its place, in the log's order.
pub(super) async fn next(inner: &Inner, places: &[(String, i64)]) -> Result<Vec<Received>, TransportError> {
    let rows = sqlx::query(NEXT)
        .bind(serde_json::json!(places).to_string())
        .bind(i64::from(inner.options.batch_records))
        .fetch_all(inner.reader.pool())
        .await
        .map_err(|error| unusable(&error))?;
    let mut received: Vec<_> =
        rows.iter().map(from_row).collect::<Result<_, _>>().map_err(|error| unusable(&error))?;
    received.sort_unstable_by_key(|received| received.offset);
    Ok(received)
}

/// Everything that stands in a topic after a place.
pub(super) async fn whole(
    inner: &Inner,
    topic: &str,
    mut after: i64,
) -> Result<Vec<Received>, TransportError> {
    let mut all = Vec::new();
    loop {
        let page = next(inner, &[(topic.to_owned(), after)]).await?;
        let Some(last) = page.last() else { return Ok(all) };
        after = last.offset;
        all.extend(page);
    }
}

fn from_row(row: &Row) -> Result<Received, sqlx::Error> {
    let headers: String = row.try_get("headers")?;
    let headers = serde_json::from_str(&headers).map_err(|error| sqlx::Error::Decode(error.into()))?;
    Ok(Received {
        record: Record {
            topic: row.try_get("topic")?,
            key: row.try_get("key")?,
            payload: row.try_get("payload")?,
            headers,
        },
        partition: 0,
        offset: row.try_get("seq")?,
    })
}
