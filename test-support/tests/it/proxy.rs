//! The proxy in front of a real server: each kind of harm does what it says, is counted when it strikes, and ends.

use std::time::Duration;

use sqlx::{Connection, PgConnection};
use test_support::postgres::proxy::{CommitHarm, Harm, Proxy, Reach};
use tokio::time::timeout;

/// Bounds a failure; measures nothing.
const PATIENCE: Duration = Duration::from_secs(20);

/// Long enough to tell silence from an answer.
const SILENCE: Duration = Duration::from_millis(500);

async fn open() -> (Proxy, PgConnection, PgConnection) {
    let database = test_support::postgres::database().await;
    let proxy = Proxy::before(&database.url).await.expect("a proxy");
    let mut direct = PgConnection::connect(&database.url).await.expect("a connection past the proxy");
    sqlx::raw_sql("CREATE TABLE t (n int)").execute(&mut direct).await.expect("a table");
    let through = open_through(&proxy).await;
    (proxy, through, direct)
}

async fn open_through(proxy: &Proxy) -> PgConnection {
    PgConnection::connect(proxy.url()).await.expect("a connection through the proxy")
}

async fn answers(connection: &mut PgConnection) -> bool {
    sqlx::query_scalar::<_, i32>("SELECT 1 + $1").bind(1).fetch_one(connection).await.is_ok()
}

async fn rows(connection: &mut PgConnection) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM t").fetch_one(connection).await.expect("a count")
}

/// Inserts a row in a transaction, up to the answer to COMMIT.
async fn insert(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    sqlx::query("INSERT INTO t VALUES (1)").execute(&mut *transaction).await?;
    transaction.commit().await
}

async fn eventually(what: &str, holds: impl AsyncFn() -> bool) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("not within {PATIENCE:?}: {what}"));
}

#[tokio::test]
async fn without_harm_everything_passes_and_nothing_is_counted() {
    let (proxy, mut through, mut direct) = open().await;
    insert(&mut through).await.expect("it passes");
    // Many messages in one burst, and one of more than a read.
    let series = "SELECT repeat('x', 100000) FROM generate_series(1, 20)";
    let long: Vec<String> = sqlx::query_scalar(series).fetch_all(&mut through).await.expect("it passes");
    assert_eq!((long.len(), long[0].len()), (20, 100_000));
    assert_eq!(rows(&mut direct).await, 1);
    assert!(proxy.counts().is_empty());
}

#[tokio::test]
async fn a_connection_that_is_cut_is_gone_and_the_next_one_is_served() {
    let (proxy, mut through, _direct) = open().await;
    let mut other = open_through(&proxy).await;
    let (first, _) = proxy.connections()[0].clone();
    proxy.cut(Reach::One(first));
    eventually("it is cut", async || proxy.count(Harm::Cut) == 1).await;
    assert!(!answers(&mut through).await);
    assert!(answers(&mut other).await, "the other one was not meant");
    proxy.cut(Reach::All);
    eventually("all are cut", async || proxy.connections().is_empty()).await;
    assert!(answers(&mut open_through(&proxy).await).await);
}

#[tokio::test]
async fn silence_swallows_everything_and_keeps_connections_open_for_good() {
    let (proxy, mut through, _direct) = open().await;
    proxy.silence(Reach::All);
    eventually("it is silent", async || proxy.count(Harm::Silenced) == 1).await;
    assert!(timeout(SILENCE, answers(&mut through)).await.is_err(), "neither an answer nor an error");
    assert!(
        timeout(SILENCE, PgConnection::connect(proxy.url())).await.is_err(),
        "those to come hear nothing"
    );
    proxy.clear();
    assert!(timeout(SILENCE, answers(&mut through)).await.is_err(), "what was swallowed never comes");
    assert!(answers(&mut open_through(&proxy).await).await);
}

#[tokio::test]
async fn slowness_delays_and_changes_nothing_else() {
    let (proxy, mut through, mut direct) = open().await;
    proxy.slow(Reach::All, Duration::from_millis(20));
    insert(&mut through).await.expect("it passes");
    assert!(proxy.count(Harm::Slowed) >= 6, "three questions and three answers: {:?}", proxy.counts());
    proxy.clear();
    let before = proxy.count(Harm::Slowed);
    insert(&mut through).await.expect("it passes");
    assert_eq!((proxy.count(Harm::Slowed), rows(&mut direct).await), (before, 2));
}

#[tokio::test]
async fn a_commit_that_is_dropped_never_happened() {
    let (proxy, mut through, mut direct) = open().await;
    proxy.at_next_commit(Reach::All, CommitHarm::Drop);
    insert(&mut through).await.expect_err("no answer");
    assert_eq!(rows(&mut direct).await, 0);
    assert_eq!(proxy.count(Harm::CommitDropped), 1);
    insert(&mut open_through(&proxy).await).await.expect("only the next one was meant");
}

#[tokio::test]
async fn a_commit_whose_reply_is_dropped_happened() {
    let (proxy, mut through, mut direct) = open().await;
    proxy.at_next_commit(Reach::All, CommitHarm::DropReply);
    insert(&mut through).await.expect_err("no answer");
    eventually("the server has answered", async || proxy.count(Harm::ReplyDropped) == 1).await;
    assert_eq!(rows(&mut direct).await, 1);
}

#[tokio::test]
async fn a_commit_that_is_held_happens_after_its_client_has_gone() {
    let (proxy, mut through, mut direct) = open().await;
    let held = proxy.hold_next_commit(Reach::All);
    insert(&mut through).await.expect_err("no answer");
    assert_eq!(rows(&mut direct).await, 0);
    assert_eq!(proxy.count(Harm::CommitHeld), 1);
    held.forward().await.expect("it is forwarded");
    assert_eq!(rows(&mut direct).await, 1);
    assert_eq!(proxy.count(Harm::CommitForwarded), 1);
}

#[tokio::test]
async fn harm_to_one_application_leaves_others_alone() {
    let (proxy, mut through, mut direct) = open().await;
    let named = format!("{}?application_name=victim", proxy.url());
    let mut victim = PgConnection::connect(&named).await.expect("a connection");
    proxy.at_next_commit(Reach::Application("victim"), CommitHarm::Drop);
    insert(&mut through).await.expect("not meant");
    insert(&mut victim).await.expect_err("meant");
    assert_eq!(rows(&mut direct).await, 1);
}
