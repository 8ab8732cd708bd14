//! One set of rows, both databases.

use std::time::Duration;

use service_kit::sql::{Database, Dialect, Sql, is_duplicate, is_transient};
use sqlx::Row;

const CREATE: Sql = Sql::each(
    "CREATE TABLE things (id uuid PRIMARY KEY, at timestamptz, price numeric(10,2), headers jsonb, data bytea, n integer)",
    "CREATE TABLE things (id TEXT PRIMARY KEY, at INTEGER, price TEXT, headers TEXT, data BLOB, n INTEGER) STRICT",
);
const INSERT: Sql = Sql::each(
    "INSERT INTO things VALUES ($1::uuid, timestamptz 'epoch' + $2 * interval '1 microsecond', $3::numeric, $4::jsonb, $5, $6)",
    "INSERT INTO things VALUES ($1, $2, $3, $4, $5, $6)",
);
const SELECT: Sql = Sql::each(
    "SELECT id::text AS id, (extract(epoch FROM at) * 1000000)::bigint AS at, price::text AS price, headers::text AS headers, data, n FROM things WHERE id = $1::uuid",
    "SELECT id, at, price, headers, data, n FROM things WHERE id = $1",
);

async fn both() -> (tempfile::TempDir, test_support::postgres::TestDatabase, [Database; 2]) {
    let folder = tempfile::tempdir().unwrap();
    let server = test_support::postgres::database().await;
    let file = format!("sqlite:{}", folder.path().join("x.db").display());
    let databases = [
        Database::connect(&server.url, "public").await.unwrap(),
        Database::connect(&file, "public").await.unwrap(),
    ];
    (folder, server, databases)
}

#[tokio::test]
async fn values_of_every_kind_come_back_as_they_went() {
    let (_folder, _server, databases) = both().await;
    for database in databases {
        sqlx::query(database.sql(CREATE)).execute(database.pool()).await.unwrap();
        let id = "0197a3b0-1c00-7000-8000-000000000001";
        for n in [Some(3_i32), None] {
            let id = if n.is_some() { id } else { "0197a3b0-1c00-7000-8000-000000000002" };
            let mut tx = database.begin().await.unwrap();
            let now = tx.now().await.unwrap().timestamp_micros();
            sqlx::query(tx.sql(INSERT))
                .bind(id)
                .bind(now)
                .bind("12.30")
                .bind(r#"{"a":1}"#)
                .bind(b"bytes".as_slice())
                .bind(n)
                .execute(tx.connection())
                .await
                .unwrap();
            tx.commit().await.unwrap();
            let row = sqlx::query(database.sql(SELECT)).bind(id).fetch_one(database.pool()).await.unwrap();
            assert_eq!(row.get::<String, _>("id"), id);
            assert_eq!(row.get::<i64, _>("at"), now);
            assert_eq!(row.get::<String, _>("price"), "12.30");
            assert_eq!(row.get::<Vec<u8>, _>("data"), b"bytes");
            if let Some(n) = n {
                assert_eq!(
                    i64::from(n),
                    if database.dialect() == Dialect::Sqlite {
                        row.get::<i64, _>("n")
                    } else {
                        i64::from(row.get::<i32, _>("n"))
                    }
                );
            } else {
                assert_eq!(row.get::<Option<i32>, _>("n"), None);
            }
        }
        let again = sqlx::query(database.sql(INSERT))
            .bind(id)
            .bind(1_i64)
            .bind("1")
            .bind("{}")
            .bind(Vec::<u8>::new())
            .bind(None::<i32>)
            .execute(database.pool())
            .await
            .unwrap_err();
        assert!(is_duplicate(&again), "{again}");
    }
}

#[tokio::test]
async fn a_transaction_that_is_dropped_leaves_nothing() {
    let (_folder, _server, databases) = both().await;
    for database in databases {
        sqlx::query(database.sql(CREATE)).execute(database.pool()).await.unwrap();
        let mut tx = database.begin().await.unwrap();
        sqlx::query(tx.sql(INSERT))
            .bind("0197a3b0-1c00-7000-8000-000000000001")
            .bind(1_i64)
            .bind("1")
            .bind("{}")
            .bind(Vec::<u8>::new())
            .bind(None::<i32>)
            .execute(tx.connection())
            .await
            .unwrap();
        drop(tx);
        let count: i64 =
            sqlx::query_scalar("SELECT count(*) FROM things").fetch_one(database.pool()).await.unwrap();
        assert_eq!(count, 0);
    }
}

/// As when the process was stopped in the middle of it and went on after a while.
#[tokio::test]
async fn a_transaction_that_the_server_ended_for_idling_is_to_be_tried_again() {
    let server = test_support::postgres::database().await;
    let database = Database::connect(&server.url, "public").await.unwrap();
    let mut tx = database.begin().await.unwrap();
    let pid: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(tx.connection()).await.unwrap();
    sqlx::query("SET idle_in_transaction_session_timeout = '20ms'").execute(tx.connection()).await.unwrap();
    let is_there = format!("SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}");
    while sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(is_there.clone()))
        .fetch_one(database.pool())
        .await
        .unwrap()
        > 0
    {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let error = sqlx::query("SELECT 1").execute(tx.connection()).await.unwrap_err();
    assert_eq!(error.as_database_error().and_then(|error| error.code()).as_deref(), Some("25P03"), "{error}");
    assert!(is_transient(&error));
}
