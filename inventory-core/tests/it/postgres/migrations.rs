//! The schema: made once, whoever comes first; refused when it is another one.

use inventory_core::store::StoreErrorKind;
use inventory_core::store::postgres::{PostgresOptions, PostgresStore};
use tokio::task::JoinSet;

use super::hand::{Ledger, execute};

#[tokio::test]
async fn concurrent_starts_on_several_databases_of_one_cluster_do_not_trip_over_each_other() {
    let (one, two) =
        (test_support::postgres::database().await.url, test_support::postgres::database().await.url);
    let mut starts = JoinSet::new();
    for url in [&one, &two, &one, &two, &one, &two] {
        let url = url.clone();
        starts.spawn(async move { PostgresStore::migrate(&url).await });
    }
    while let Some(done) = starts.join_next().await {
        done.unwrap().unwrap();
    }
    for url in [one, two] {
        PostgresStore::connect(&url, PostgresOptions::default()).await.unwrap();
    }
}

#[tokio::test]
async fn a_schema_that_is_missing_older_or_newer_is_refused_with_advice() {
    let url = test_support::postgres::database().await.url;
    let missing = PostgresStore::connect(&url, PostgresOptions::default()).await.unwrap_err();
    assert_eq!(missing.kind, StoreErrorKind::Misconfigured);
    assert!(missing.message.contains("run the migrations"), "{missing}");

    let ledger = Ledger::new().await;
    let mut sql = ledger.sql().await;
    for (change, advice) in [
        (
            "UPDATE _sqlx_migrations SET version = 9001 WHERE version = (SELECT max(version) FROM _sqlx_migrations)",
            "newer",
        ),
        ("DELETE FROM _sqlx_migrations WHERE version = 9001", "run the migrations"),
    ] {
        execute(&mut sql, change).await.unwrap();
        let refused = PostgresStore::connect(&ledger.url, PostgresOptions::default()).await.unwrap_err();
        assert_eq!(refused.kind, StoreErrorKind::Misconfigured);
        assert!(refused.message.contains(advice), "{refused}");
    }
}

#[tokio::test]
async fn nothing_is_left_outside_the_schema() {
    let ledger = Ledger::new().await;
    let public: i64 =
        sqlx::query_scalar("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace")
            .fetch_one(&mut ledger.sql().await)
            .await
            .unwrap();
    assert_eq!(public, 0);
}

#[tokio::test]
async fn a_database_that_is_not_there_or_a_url_that_is_none_is_a_clear_error() {
    let url = test_support::postgres::database().await.url;
    let elsewhere = format!("{url}_which_does_not_exist");
    let error = PostgresStore::connect(&elsewhere, PostgresOptions::default()).await.unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Misconfigured, "{error}");
    let error =
        PostgresStore::connect("postgres://u:secret@[", PostgresOptions::default()).await.unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Misconfigured, "{error}");
    assert!(!error.to_string().contains("secret"), "{error}");
    let nobody = PostgresStore::connect("postgres://x@127.0.0.1:1/x", PostgresOptions::default()).await;
    assert_eq!(nobody.unwrap_err().kind, StoreErrorKind::Unavailable);
}
