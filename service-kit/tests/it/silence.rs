//! A database that goes silent without closing anything costs one bounded wait, and its connections give their places up.

use std::time::Duration;

use futures::future::join_all;
use service_kit::sql::{Database, is_transient};
use test_support::postgres::proxy::{Harm, Proxy, Reach};

/// Bounds a failure; measures nothing.
const PATIENCE: Duration = Duration::from_secs(90);
/// More than there are connections.
const ASKING: usize = 20;

async fn ask(database: &Database) -> Result<i64, sqlx::Error> {
    let mut tx = database.begin().await?;
    let answer = sqlx::query_scalar("SELECT 1::bigint").fetch_one(tx.connection()).await?;
    tx.commit().await?;
    Ok(answer)
}

#[tokio::test]
async fn whoever_asks_a_silent_database_is_told_and_all_goes_on_when_it_is_back() {
    let server = test_support::postgres::database().await;
    let proxy = Proxy::before(&server.url).await.unwrap();
    let database = Database::connect(proxy.url(), "public").await.unwrap();
    join_all((0..ASKING).map(|_| ask(&database))).await;
    proxy.silence(Reach::All);
    // Some go away while they wait: their connections are given back as they are.
    let gone =
        tokio::time::timeout(Duration::from_millis(300), join_all((0..ASKING).map(|_| ask(&database)))).await;
    assert!(gone.is_err());
    let told = tokio::time::timeout(PATIENCE, join_all((0..ASKING).map(|_| ask(&database)))).await;
    for outcome in told.expect("nobody waits for ever") {
        let error = outcome.unwrap_err();
        assert!(is_transient(&error), "{error}");
    }
    assert!(proxy.count(Harm::Silenced) > 0, "nothing was silent: nothing was tested");
    proxy.clear();
    let again = async { while ask(&database).await.is_err() {} };
    tokio::time::timeout(PATIENCE, again).await.expect("all goes on once it is back");
}
