//! What goes, and when.

use std::time::Duration;

use service_kit::events::{Forget, Retention, RetentionOptions, Transport, inbox};
use service_kit::sql::Sql;
use tokio_util::sync::CancellationToken;

use super::harness::open_log;
use super::support::{commit, pending, record, stores};

const DAY: Duration = Duration::from_secs(24 * 3600);
const AGE: Sql = Sql::each(
    "UPDATE inbox SET at = at - $1 * interval '1 microsecond' WHERE message = $2",
    "UPDATE inbox SET at = at - $1 WHERE message = $2",
);

#[tokio::test]
async fn race_31_a_delivery_is_remembered_longer_than_anything_could_deliver_it_again() {
    let stores = stores().await;
    let options = RetentionOptions { topics: 3 * DAY, dead_letters: 10 * DAY };
    assert!(options.inbox() > options.topics + options.dead_letters);
    for database in &stores.databases {
        for (message, age) in [("redriven late", 16 * DAY), ("forgotten", 18 * DAY)] {
            let mut tx = database.begin().await.unwrap();
            assert!(inbox::is_first(&mut tx, "g", message).await.unwrap());
            tx.commit().await.unwrap();
            let age = i64::try_from(age.as_micros()).unwrap();
            let aged = sqlx::query(database.sql(AGE)).bind(age).bind(message).execute(database.pool()).await;
            assert_eq!(aged.unwrap().rows_affected(), 1);
        }
        commit(database, "never published", 1).await;
        let retention = Retention::new(vec![Forget::inbox(database.clone(), &options)], None, options);
        assert_eq!(retention.turn(&CancellationToken::new()).await.rows, 1);
        let mut tx = database.begin().await.unwrap();
        assert!(!inbox::is_first(&mut tx, "g", "redriven late").await.unwrap());
        assert!(inbox::is_first(&mut tx, "g", "forgotten").await.unwrap());
        drop(tx);
        assert_eq!(pending(database).await, 1, "the outbox is never pruned");
    }
}

#[tokio::test]
async fn a_turn_prunes_the_log_and_the_calendar_ends_when_it_is_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let log = open_log(folder.path()).await;
    log.publisher().publish(&[record("t", "a", 1)]).await;
    let options = RetentionOptions { topics: Duration::ZERO, dead_letters: DAY };
    let retention = Retention::new(Vec::new(), Some(log), options);
    let stop = CancellationToken::new();
    let mut records = 0;
    // Until the clock has moved on.
    while records == 0 {
        records = retention.turn(&stop).await.records;
    }
    stop.cancel();
    retention.run(stop).await;
}
