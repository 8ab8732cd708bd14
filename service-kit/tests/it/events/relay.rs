//! The relay, on both databases.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use service_kit::Metrics;
use service_kit::events::{PublishError, Publisher, Relay, RelayOptions, RelayWake, inbox};
use service_kit::sql::{Database, Dialect, Sql};
use sqlx::migrate::Migrator;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::support::{FakePublisher, PATIENCE, commit, pending, stores, until, write};

struct Running {
    wake: RelayWake,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

fn options() -> RelayOptions {
    RelayOptions {
        poll_every: Duration::from_millis(10),
        retry_first: Duration::from_millis(1),
        retry_max: Duration::from_millis(10),
        ..RelayOptions::default()
    }
}

fn start(database: &Database, publisher: &Arc<FakePublisher>, options: RelayOptions) -> Running {
    start_measured(database, publisher, options, None)
}

fn start_measured(
    database: &Database,
    publisher: &Arc<FakePublisher>,
    options: RelayOptions,
    metrics: Option<&Metrics>,
) -> Running {
    let publisher: Arc<dyn Publisher> = publisher.clone();
    let relay = Relay::new(database.clone(), publisher, options, metrics);
    let (wake, stop) = (relay.handle(), CancellationToken::new());
    Running { wake, task: TaskTracker::new().spawn(relay.run(stop.clone())), stop }
}

impl Running {
    async fn end(self) {
        self.stop.cancel();
        tokio::time::timeout(PATIENCE, self.task).await.expect("ends").unwrap();
    }
}

async fn drained(database: &Database) {
    // A connection that a test broke may be asked first: that is no answer.
    let count = || sqlx::query_scalar::<_, i64>("SELECT count(*) FROM outbox").fetch_one(database.pool());
    until("the outbox is empty", async || count().await.is_ok_and(|rows| rows == 0)).await;
}

#[tokio::test]
async fn race_09_a_crash_between_commit_and_publish_loses_nothing_and_a_rollback_sends_nothing() {
    for database in stores().await.databases {
        let id = commit(&database, "a", 1).await;
        let mut tx = database.begin().await.unwrap();
        write(&mut tx, "a", 2).await;
        drop(tx);
        // The process that committed is gone; this relay never heard of it.
        let publisher = FakePublisher::new(|_| Ok(()));
        let relay = start(&database, &publisher, options());
        drained(&database).await;
        relay.end().await;
        assert_eq!(publisher.ids(), [id.to_string()]);
    }
}

#[tokio::test]
async fn race_10_a_crash_between_publish_and_delete_sends_the_same_ids_again() {
    for database in stores().await.databases {
        commit(&database, "a", 1).await;
        let crashing = FakePublisher::gated();
        let relay =
            start(&database, &crashing, RelayOptions { lease: Duration::from_millis(300), ..options() });
        until("it was sent", async || crashing.ids().len() == 1).await;
        relay.task.abort();
        assert!(relay.task.await.unwrap_err().is_cancelled());
        assert_eq!(pending(&database).await, 1, "sent and not deleted");
        let publisher = FakePublisher::new(|_| Ok(()));
        let relay = start(&database, &publisher, options());
        drained(&database).await;
        relay.end().await;
        assert_eq!(crashing.ids(), publisher.ids());
        let mut firsts = Vec::new();
        for id in crashing.ids().iter().chain(&publisher.ids()) {
            let mut tx = database.begin().await.unwrap();
            firsts.push(inbox::is_first(&mut tx, "g", id).await.unwrap());
            tx.commit().await.unwrap();
        }
        assert_eq!(firsts, [true, false]);
    }
}

const STEAL: Sql = Sql::each(
    "UPDATE relay_leases SET token = gen_random_uuid(), until = clock_timestamp() + interval '1 hour'",
    "UPDATE relay_leases SET token = 'another', until = CAST(unixepoch('subsec') * 1000000 AS INTEGER) + 3600000000",
);

#[tokio::test]
async fn race_19_a_relay_that_lost_its_lease_deletes_nothing() {
    for database in stores().await.databases {
        commit(&database, "a", 1).await;
        let publisher = FakePublisher::gated();
        let relay = start(&database, &publisher, options());
        until("it was sent", async || publisher.ids().len() == 1).await;
        sqlx::query(database.sql(STEAL)).execute(database.pool()).await.unwrap();
        publisher.open();
        // It asks for the lease again and does not get it; what it would do with it is visible once it is told to stop.
        relay.end().await;
        assert_eq!((pending(&database).await, publisher.calls.load(Ordering::SeqCst)), (1, 1));
        sqlx::query("DELETE FROM relay_leases").execute(database.pool()).await.unwrap();
        let publisher = FakePublisher::new(|_| Ok(()));
        let relay = start(&database, &publisher, options());
        drained(&database).await;
        relay.end().await;
    }
}

#[tokio::test]
async fn race_21_a_lower_number_that_is_committed_later_is_published() {
    for database in stores().await.databases {
        let publisher = FakePublisher::new(|_| Ok(()));
        let relay = start(&database, &publisher, options());
        let late = if database.dialect() == Dialect::Postgres {
            let mut late = database.begin().await.unwrap();
            write(&mut late, "late", 1).await;
            Some(late)
        } else {
            // There transactions do not overlap: the number is taken by hand below.
            None
        };
        commit(&database, "early", 1).await;
        drained(&database).await;
        assert_eq!(publisher.sent().keys().collect::<Vec<_>>(), ["early"]);
        if let Some(late) = late {
            late.commit().await.unwrap();
        } else {
            relay.stop.cancel();
            until("the relay gave its lease back", async || relay.task.is_finished()).await;
            commit(&database, "late", 1).await;
            sqlx::query("UPDATE outbox SET seq = 0").execute(database.pool()).await.unwrap();
        }
        let relay = if relay.task.is_finished() { start(&database, &publisher, options()) } else { relay };
        drained(&database).await;
        relay.end().await;
        assert_eq!(publisher.sent()["late"], [1]);
    }
}

#[tokio::test]
async fn race_22_a_second_relay_waits_until_the_first_has_gone() {
    for database in stores().await.databases {
        commit(&database, "a", 1).await;
        let (first, second) = (FakePublisher::gated(), FakePublisher::new(|_| Ok(())));
        let metrics = Metrics::default();
        let one = start(&database, &first, options());
        until("the first publishes", async || first.ids().len() == 1).await;
        let two = start_measured(&database, &second, options(), Some(&metrics));
        until("the second has looked", async || {
            metrics
                .render()
                .lines()
                .any(|line| line.starts_with("outbox_oldest_pending_seconds") && !line.ends_with(" 0"))
        })
        .await;
        for _ in 0..20 {
            two.wake.wake();
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert!(second.ids().is_empty(), "the first one holds the lease");
        first.open();
        drained(&database).await;
        one.end().await;
        commit(&database, "a", 2).await;
        two.wake.wake();
        drained(&database).await;
        two.end().await;
        assert_eq!((first.sent()["a"].clone(), second.sent()["a"].clone()), (vec![1], vec![2]));
    }
}

#[tokio::test]
async fn race_23_when_one_record_times_out_and_the_next_arrives_only_the_prefix_is_deleted() {
    for database in stores().await.databases {
        for n in 1..=3 {
            commit(&database, "a", n).await;
        }
        commit(&database, "b", 1).await;
        let mut timeouts = 1;
        // A transport that breaks its promise: the third arrives although the second did not.
        let publisher = FakePublisher::new(move |record| {
            let is_second = record.headers.contains(&("aggregateVersion".into(), "2".into()));
            if is_second && timeouts > 0 {
                timeouts -= 1;
                return Err(PublishError::Transient("timed out".into()));
            }
            Ok(())
        });
        let relay = start(&database, &publisher, options());
        drained(&database).await;
        relay.end().await;
        let sent = publisher.sent();
        assert_eq!(sent["a"], [1, 3, 2, 3], "the third went again, behind the second; the first did not");
        assert_eq!(sent["b"], [1]);
    }
}

#[tokio::test]
async fn a_refused_record_blocks_its_key_only_and_raises_an_alarm_until_it_is_taken() {
    for database in stores().await.databases {
        let mut expected = HashSet::new();
        // More than a page of rows that cannot go, and all of them first.
        for n in 1..=10 {
            commit(&database, "bad", n).await;
        }
        for key in 0..10 {
            commit(&database, &key.to_string(), 1).await;
            expected.insert(key.to_string());
        }
        let metrics = Metrics::default();
        let is_healed = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let healed = is_healed.clone();
        let publisher = FakePublisher::new(move |record| {
            if record.key == "bad" && !healed.load(Ordering::SeqCst) {
                return Err(PublishError::Permanent("too large".into()));
            }
            Ok(())
        });
        let options = RelayOptions { page_rows: 4, refused_pause: Duration::from_millis(50), ..options() };
        let relay = start_measured(&database, &publisher, options, Some(&metrics));
        until("the others are sent", async || pending(&database).await == 10).await;
        assert_eq!(publisher.sent().into_keys().collect::<HashSet<_>>(), expected);
        let rendered = metrics.render();
        assert!(rendered.contains("outbox_blocked_keys{service=\"holdfast\"} 1"), "{rendered}");
        assert!(!rendered.contains("kind=\"refused\"} 0"), "{rendered}");
        is_healed.store(true, Ordering::SeqCst);
        drained(&database).await;
        relay.end().await;
        assert_eq!(publisher.sent()["bad"], (1..=10).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_transport_that_is_away_delays_and_reorders_nothing() {
    for database in stores().await.databases {
        for n in 1..=20 {
            commit(&database, ["a", "b"][usize::try_from(n).unwrap() % 2], n).await;
        }
        let mut failures = 15;
        let publisher = FakePublisher::new(move |_| {
            failures -= 1;
            if failures > 0 { Err(PublishError::Transient("away".into())) } else { Ok(()) }
        });
        let relay = start(&database, &publisher, RelayOptions { page_rows: 7, ..options() });
        drained(&database).await;
        relay.end().await;
        for (key, sent) in publisher.sent() {
            let mut last = sent.clone();
            last.sort_unstable();
            last.dedup();
            // Some went twice, in the call in which the fake stopped failing half-way; the last of each stand in order.
            assert_eq!(last.len(), 10, "{key}");
            assert_eq!(sent[sent.len() - 10..], last, "{key}: {sent:?}");
        }
    }
}

#[tokio::test]
async fn a_database_that_breaks_connections_delays_and_loses_nothing() {
    let stores = stores().await;
    let database = &stores.databases[0];
    for n in 1..=30 {
        commit(database, "a", n).await;
    }
    let publisher = FakePublisher::new(|_| Ok(()));
    let metrics = Metrics::default();
    let relay =
        start_measured(database, &publisher, RelayOptions { page_rows: 1, ..options() }, Some(&metrics));
    let broke = async || {
        let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                    WHERE datname = current_database() AND pid <> pg_backend_pid()";
        let _ = sqlx::query(kill).execute(database.pool()).await;
        metrics.render().lines().any(|line| line.contains("kind=\"database\"") && !line.ends_with(" 0"))
    };
    until("the relay met a broken connection", broke).await;
    drained(database).await;
    relay.end().await;
    let mut sent = publisher.sent()["a"].clone();
    assert!(sent.is_sorted(), "{sent:?}");
    sent.dedup();
    assert_eq!(sent, (1..=30).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_was_committed_before_the_stop_is_sent_before_the_end() {
    for database in stores().await.databases {
        let publisher = FakePublisher::new(|_| Ok(()));
        let options = RelayOptions { poll_every: Duration::from_secs(3600), page_rows: 3, ..options() };
        let relay = start(&database, &publisher, options);
        until("it holds the lease", async || {
            let leases: i64 = sqlx::query_scalar("SELECT count(*) FROM relay_leases")
                .fetch_one(database.pool())
                .await
                .unwrap();
            leases == 1
        })
        .await;
        for n in 1..=10 {
            commit(&database, "a", n).await;
        }
        relay.end().await;
        assert_eq!(publisher.sent()["a"], (1..=10).collect::<Vec<_>>());
        assert_eq!(pending(&database).await, 0);
    }
}

static INVENTORY_POSTGRES: Migrator = sqlx::migrate!("../migrations/inventory/postgres");
static INVENTORY_SQLITE: Migrator = sqlx::migrate!("../migrations/inventory/sqlite");
const INVENTORY_ROW: Sql = Sql::each(
    "INSERT INTO outbox (id, batch_id, aggregatetype, aggregateid, aggregate_version, type, topic, payload, headers, \
     digest, created_at) VALUES (gen_random_uuid(), gen_random_uuid(), 'product', $1, $2, 't', 't', 'x', \
     jsonb_build_object('eventId', 'e', 'aggregateVersion', $2::text), 0, clock_timestamp())",
    "INSERT INTO outbox (id, batch_id, aggregatetype, aggregateid, aggregate_version, type, topic, payload, headers, \
     digest, created_at) VALUES (randomblob(16), randomblob(16), 'product', $1, $2, 't', 't', x'78', \
     json_object('eventId', 'e', 'aggregateVersion', CAST($2 AS TEXT)), 0, 0)",
);

#[tokio::test]
async fn it_publishes_the_outbox_of_the_inventory_too() {
    let folder = tempfile::tempdir().unwrap();
    let server = test_support::postgres::database().await;
    let file = format!("sqlite:{}", folder.path().join("inventory.db").display());
    for (url, migrations) in [(server.url.as_str(), &INVENTORY_POSTGRES), (&file, &INVENTORY_SQLITE)] {
        let database = Database::connect(url, "inventory_service_schema").await.unwrap();
        if database.dialect() == Dialect::Postgres {
            let schema = "CREATE SCHEMA IF NOT EXISTS inventory_service_schema";
            sqlx::query(schema).execute(database.pool()).await.unwrap();
        }
        let mut connection = database.acquire().await.unwrap();
        migrations.run_direct(None, &mut *connection, false).await.unwrap();
        drop(connection);
        for n in 1..=3_i64 {
            sqlx::query(database.sql(INVENTORY_ROW))
                .bind("7")
                .bind(n)
                .execute(database.pool())
                .await
                .unwrap();
        }
        let publisher = FakePublisher::new(|_| Ok(()));
        let relay = start(&database, &publisher, options());
        drained(&database).await;
        relay.end().await;
        assert_eq!(publisher.sent()["7"], [1, 2, 3]);
    }
}
