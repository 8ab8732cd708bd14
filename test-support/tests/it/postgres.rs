use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use test_support::postgres::{Cluster, database, database_from};
use tokio::time::{sleep, timeout};

async fn connect(url: &str) -> PgConnection {
    PgConnection::connect(url).await.expect("the server answers")
}

async fn execute(url: &str, sql: &str) {
    let mut connection = connect(url).await;
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.expect("the statement works");
    connection.close().await.expect("the connection closes");
}

async fn number(url: &str, sql: &'static str) -> i64 {
    let mut connection = connect(url).await;
    sqlx::query_scalar(sql).fetch_one(&mut connection).await.expect("a number")
}

#[tokio::test]
async fn every_call_gives_an_empty_database_of_its_own() {
    let (one, other) = tokio::join!(database(), database());
    execute(&one.url, "CREATE TABLE t (n int)").await;
    let tables = "SELECT count(*) FROM pg_tables WHERE tablename = 't'";
    assert_eq!(number(&one.url, tables).await, 1);
    assert_eq!(number(&other.url, tables).await, 0);
    let durable = "SELECT count(*) FROM pg_settings WHERE name = 'fsync' AND setting = 'on'";
    assert_eq!(number(&one.url, durable).await, 1);
}

#[tokio::test]
async fn a_template_is_prepared_once_and_copied() {
    let prepare = async |url: String| {
        execute(&url, "CREATE TABLE filled AS SELECT 7::bigint AS n").await;
        Ok(())
    };
    let (one, other) = tokio::join!(database_from("seven", prepare), database_from("seven", prepare));
    execute(&one.url, "UPDATE filled SET n = 8").await;
    assert_eq!(number(&one.url, "SELECT n FROM filled").await, 8);
    assert_eq!(number(&other.url, "SELECT n FROM filled").await, 7);
}

#[tokio::test]
async fn a_cluster_keeps_what_was_committed_over_an_immediate_stop() {
    let cluster = Cluster::start().await.expect("a cluster");
    let url = cluster.database().await.expect("a database");
    execute(&url, "CREATE TABLE kept AS SELECT 1::bigint AS n").await;
    cluster.stop_immediate().await.expect("it stops");
    assert!(PgConnection::connect(&url).await.is_err());
    cluster.start_again().await.expect("it starts again");
    assert_eq!(number(&url, "SELECT n FROM kept").await, 1);
}

#[tokio::test]
async fn a_statement_that_a_killed_cluster_had_not_read_never_happened() {
    let cluster = Cluster::start().await.expect("a cluster");
    let url = cluster.database().await.expect("a database");
    execute(&url, "CREATE TABLE t AS SELECT 1::bigint AS n").await;
    let mut connection = connect(&url).await;
    cluster.pause().expect("it pauses");
    let mut lost = Box::pin(sqlx::query("UPDATE t SET n = 2").execute(&mut connection));
    assert!(timeout(Duration::from_millis(300), &mut lost).await.is_err());
    cluster.kill9().await.expect("it dies");
    assert!(timeout(Duration::from_secs(20), lost).await.expect("the connection breaks").is_err());
    cluster.start_again().await.expect("it starts again");
    assert_eq!(number(&url, "SELECT n FROM t").await, 1);
}

#[tokio::test]
async fn a_paused_cluster_answers_nothing_until_it_is_resumed() {
    let cluster = Cluster::start().await.expect("a cluster");
    let mut connection = connect(&cluster.url("postgres")).await;
    cluster.pause().expect("it pauses");
    let mut question = Box::pin(sqlx::query("SELECT 1").execute(&mut connection));
    assert!(timeout(Duration::from_millis(300), &mut question).await.is_err());
    cluster.resume().expect("it resumes");
    timeout(Duration::from_secs(20), question).await.expect("an answer").expect("no error");
}

#[tokio::test]
async fn a_cluster_ends_with_its_process_even_if_that_one_is_killed() {
    let mut holder = Command::new(env!("CARGO_BIN_EXE_hold-a-cluster"))
        .stdout(Stdio::piped())
        .spawn()
        .expect("the helper starts");
    let mut url = String::new();
    let stdout = holder.stdout.take().expect("it was piped");
    BufReader::new(stdout).read_line(&mut url).expect("the helper prints a line");
    let mut connection = connect(url.trim()).await;
    let folder: String =
        sqlx::query_scalar("SHOW data_directory").fetch_one(&mut connection).await.expect("an answer");
    drop(connection);
    holder.kill().expect("SIGKILL");
    holder.wait().expect("it is dead");
    let gone = timeout(Duration::from_secs(60), async {
        while std::fs::exists(&folder).expect("the temporary folder is readable") {
            sleep(Duration::from_millis(50)).await;
        }
    });
    gone.await.expect("the folder is removed");
    assert!(PgConnection::connect(url.trim()).await.is_err());
}
