//! Events, in the batch's own transaction.

use std::fmt::Write as _;

use sqlx::PgConnection;
use uuid::Uuid;

use crate::store::postgres::errors::classify;
use crate::store::postgres::rows::version;
use crate::store::{Effects, StoreError};

/// `seq` follows the order of the arrays: rows are inserted as `unnest` hands them out.
const APPEND: &str = "INSERT INTO outbox (id, batch_id, aggregatetype, aggregateid, aggregate_version, type, topic, \
     payload, headers, digest, created_at) \
     SELECT e.id, $11, e.kind, e.aggregate, e.version, e.event, e.topic, e.payload, e.headers::jsonb, e.digest, $10 \
     FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::bytea[], $8::text[], \
     $9::bigint[]) \
     WITH ORDINALITY AS e (id, kind, aggregate, version, event, topic, payload, headers, digest, position) ORDER BY position";

/// Appends the events in the order decided.
pub(super) async fn append(conn: &mut PgConnection, effects: &Effects) -> Result<(), StoreError> {
    let rows = &effects.outbox;
    sqlx::query(APPEND)
        .bind(rows.iter().map(|row| row.id).collect::<Vec<Uuid>>())
        .bind(rows.iter().map(|row| row.aggregate_type.as_str()).collect::<Vec<&str>>())
        .bind(rows.iter().map(|row| row.aggregate_id.as_str()).collect::<Vec<&str>>())
        .bind(rows.iter().map(|row| version(row.aggregate_version)).collect::<Vec<i64>>())
        .bind(rows.iter().map(|row| row.event_type.as_str()).collect::<Vec<&str>>())
        .bind(rows.iter().map(|row| row.topic.as_str()).collect::<Vec<&str>>())
        .bind(rows.iter().map(|row| row.payload.as_slice()).collect::<Vec<&[u8]>>())
        .bind(rows.iter().map(|row| object(&row.headers)).collect::<Vec<String>>())
        .bind(rows.iter().map(|row| row.digest(effects.journal.batch)).collect::<Vec<i64>>())
        .bind(effects.journal.at)
        .bind(effects.journal.batch.get())
        .execute(conn)
        .await
        .map(drop)
        .map_err(classify)
}

/// Headers as a JSON object. A dozen lines, against a JSON library in a crate that has no other use for one.
fn object(headers: &[(String, String)]) -> String {
    let mut json = String::from("{");
    for (position, (name, value)) in headers.iter().enumerate() {
        if position > 0 {
            json.push(',');
        }
        string(&mut json, name);
        json.push(':');
        string(&mut json, value);
    }
    json.push('}');
    json
}

fn string(json: &mut String, text: &str) {
    json.push('"');
    for character in text.chars() {
        match character {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            control if control < ' ' => {
                // Writing to a String cannot fail.
                let _ = write!(json, "\\u{:04x}", u32::from(control));
            }
            other => json.push(other),
        }
    }
    json.push('"');
}

#[cfg(test)]
mod tests {
    use super::object;

    #[test]
    fn headers_become_one_json_object_with_everything_escaped() {
        assert_eq!(object(&[]), "{}");
        let headers = [("a".to_owned(), "x\"y\\z\n".to_owned()), ("ü".to_owned(), "\u{1f}é".to_owned())];
        assert_eq!(object(&headers), r#"{"a":"x\"y\\z\u000a","ü":"\u001fé"}"#);
    }
}
