//! Points in time as the driver sends them: microseconds, as ours, and counted from another day. Not by way of calendar dates, as the
//! driver's own types go: that costs a batch of a thousand dearly, and a calendar would not survive `infinity` or the year 290000,
//! which the audit is to see.

use chrono::{DateTime, Utc};
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo, PgValueFormat, PgValueRef};
use sqlx::{Decode, Encode, Postgres, Type};

use crate::clock::Timestamp;

/// 2000-01-01 UTC, where the server's time begins, in microseconds since 1970.
const SERVER_EPOCH: i64 = 946_684_800_000_000;

impl Type<Postgres> for Timestamp {
    fn type_info() -> PgTypeInfo {
        <DateTime<Utc> as Type<Postgres>>::type_info()
    }
}

impl PgHasArrayType for Timestamp {
    fn array_type_info() -> PgTypeInfo {
        <DateTime<Utc> as PgHasArrayType>::array_type_info()
    }
}

impl Encode<'_, Postgres> for Timestamp {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buffer.extend_from_slice(&self.micros().saturating_sub(SERVER_EPOCH).to_be_bytes());
        Ok(IsNull::No)
    }
}

impl Decode<'_, Postgres> for Timestamp {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        match value.format() {
            PgValueFormat::Binary => {
                let since_epoch = i64::from_be_bytes(value.as_bytes()?.try_into()?);
                Ok(Self::from_micros(since_epoch.saturating_add(SERVER_EPOCH)))
            }
            // The simple protocol answers in text.
            PgValueFormat::Text => {
                <DateTime<Utc> as Decode<Postgres>>::decode(value).map(Self::from_datetime)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn times_are_the_servers_in_binary_and_in_text_and_go_there_unchanged() {
        let database = test_support::postgres::database().await;
        let mut conn = <sqlx::PgConnection as sqlx::Connection>::connect(&database.url).await.unwrap();
        for text in ["1999-12-31T23:59:59.999999Z", "2026-11-23T12:00:00.000001Z", "1970-01-01T00:00:00Z"] {
            let sql = format!("SELECT timestamptz '{text}', ARRAY[timestamptz '{text}']");
            let expected = Timestamp::from_datetime(text.parse().unwrap());
            let row = sqlx::query(sqlx::AssertSqlSafe(sql.clone())).fetch_one(&mut conn).await.unwrap();
            assert_eq!(sqlx::Row::get::<Timestamp, _>(&row, 0), expected);
            assert_eq!(sqlx::Row::get::<Vec<Timestamp>, _>(&row, 1), [expected]);
            let row = sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).fetch_one(&mut conn).await.unwrap();
            assert_eq!(sqlx::Row::get::<Timestamp, _>(&row, 0), expected);
            let there: bool = sqlx::query_scalar("SELECT $1 = $2::text::timestamptz AND $3 = ARRAY[$1]")
                .bind(expected)
                .bind(text)
                .bind(vec![expected])
                .fetch_one(&mut conn)
                .await
                .unwrap();
            assert!(there, "{text}");
        }
    }
}
