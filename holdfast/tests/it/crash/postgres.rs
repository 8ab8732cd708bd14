//! Postgres itself crashes or stalls while everybody buys.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use test_support::postgres::Cluster;
use test_support::service::Holdfast;
use tokio::time::sleep;

use crate::crash::fleet::Fleet;
use crate::shop::{Caller, eventually, launch};

/// A service over a cluster of its own, and the database's address.
async fn open(cluster: &Cluster) -> (Holdfast, Caller, String) {
    let url = cluster.database().await.expect("a database");
    let service = launch().env("DATABASE_URL", &url).start().await.expect("the service starts");
    let caller = Caller::new(&service.url());
    (service, caller, url)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i5_i6_what_was_acknowledged_survives_a_crash_of_postgres_and_the_service_recovers_by_itself() {
    let cluster = Cluster::start().await.expect("a cluster");
    let (service, shop, database) = open(&cluster).await;
    let fleet = Fleet::send_off(std::slice::from_ref(&shop)).await;
    for _ in 0..3 {
        fleet.until_acknowledged(300).await;
        cluster.stop_immediate().await.expect("it stops");
        fleet.until_unavailable().await;
        cluster.start_again().await.expect("it starts again");
    }
    fleet.until_acknowledged(100).await;
    eventually("the service is ready again", async || service.is_ready().await).await;
    let mut told = fleet.come_home().await;
    assert_eq!(told.cut_off, 0, "the service answers every request, whatever its database does");
    told.check(&shop).await;
    told.settle_doubts_and_check(&shop).await;
    told.history.agrees_with(&database).await;
}

/// Commits linger in Postgres' memory for a tenth of a second before they are flushed, and Postgres is killed: those
/// under way never happened, and the writer must find that out before it tells anybody anything.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i5_i6_a_commit_that_postgres_lost_is_not_acknowledged() {
    let cluster = Cluster::start().await.expect("a cluster");
    for setting in ["commit_delay = 100000", "commit_siblings = 0", "wal_writer_delay = '10s'"] {
        execute(&cluster, format!("ALTER SYSTEM SET {setting}")).await;
    }
    execute(&cluster, "SELECT pg_reload_conf()".to_owned()).await;
    let (_service, shop, database) = open(&cluster).await;
    let fleet = Fleet::send_off(std::slice::from_ref(&shop)).await;
    for _ in 0..5 {
        fleet.until_acknowledged(100).await;
        cluster.kill9().await.expect("it dies");
        cluster.start_again().await.expect("it starts again");
    }
    fleet.until_acknowledged(100).await;
    let mut told = fleet.come_home().await;
    assert_eq!(told.cut_off, 0, "the service answers every request, whatever its database does");
    told.check(&shop).await;
    told.settle_doubts_and_check(&shop).await;
    told.history.agrees_with(&database).await;
}

async fn execute(cluster: &Cluster, sql: String) {
    let mut connection = PgConnection::connect(&cluster.url("postgres")).await.expect("the server answers");
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.expect("it works");
}

/// Scenario G. The pause lasts at least five seconds, and until somebody has been refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g_i15_a_stalled_postgres_is_answered_with_retry_after_and_nothing_acknowledged_is_lost() {
    let cluster = Cluster::start().await.expect("a cluster");
    let (service, shop, database) = open(&cluster).await;
    let fleet = Fleet::send_off(std::slice::from_ref(&shop)).await;
    fleet.until_acknowledged(300).await;
    cluster.pause().expect("it pauses");
    sleep(Duration::from_secs(5)).await;
    fleet.until_unavailable().await;
    assert!(service.pid().is_ok() && shop.get("/health/live").await.status == 200, "it lives on");
    cluster.resume().expect("it resumes");
    fleet.until_acknowledged(300).await;
    let mut told = fleet.come_home().await;
    assert!(told.unavailable > 0);
    assert_eq!(told.cut_off, 0, "the service answers every request, whatever its database does");
    told.check(&shop).await;
    told.settle_doubts_and_check(&shop).await;
    told.history.agrees_with(&database).await;
}
