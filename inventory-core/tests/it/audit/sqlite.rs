//! The audit over SQLite: what the model writes passes, and every table's corruption by SQL is named.

use std::path::Path;

use inventory_core::audit::{AuditReport, Check, Subject, audit};
use inventory_core::ids::ProductId;
use inventory_core::store::ledger_copy::LedgerCopy;
use inventory_core::store::sqlite::snapshot::snapshot;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, SqliteConnection};

use super::ledgers::{full, one_moment, random};
use super::load::into_sqlite;
use super::model::{batch, event, order};
use super::{assert_named, audit_copy, findings};

const SCHEMA: &str = include_str!("../../../../migrations/inventory/sqlite/0001_ledger.sql");

fn options(folder: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new().filename(folder.join("ledger.db")).journal_mode(SqliteJournalMode::Wal)
}

async fn written(folder: &Path, ledger: &LedgerCopy) -> SqliteConnection {
    let mut connection = options(folder).create_if_missing(true).connect().await.unwrap();
    connection.execute(SCHEMA).await.unwrap();
    connection.execute("BEGIN").await.unwrap();
    into_sqlite(&mut connection, ledger).await;
    connection.execute("COMMIT").await.unwrap();
    connection
}

async fn audited(folder: &Path) -> AuditReport {
    let connection = options(folder).read_only(true).connect().await.unwrap();
    audit(snapshot(connection)).await.unwrap()
}

#[tokio::test]
async fn a_ledger_on_sqlite_is_read_as_the_one_in_memory() {
    for ledger in [full().ledger, one_moment(), random(7, 700)] {
        let folder = tempfile::tempdir().unwrap();
        written(folder.path(), &ledger).await;
        let report = audited(folder.path()).await;
        assert!(report.ok(), "{}", findings(&report));
        assert_eq!(report, audit_copy(&ledger).await);
    }
}

#[tokio::test]
async fn an_audit_sees_nothing_of_what_is_written_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = written(folder.path(), &full().ledger).await;
    let connection = options(folder.path()).read_only(true).connect().await.unwrap();
    let mut view = snapshot(connection);
    let pieces = view.pieces().await.unwrap();
    view.open(&pieces[0]).await.unwrap();
    writer.execute("UPDATE inventory SET on_hand = on_hand + 1").await.unwrap();
    let products = view.products().await.unwrap();
    let versions = view.versions().await.unwrap();
    for row in products {
        let head = versions.iter().rfind(|version| version.product == row.product).unwrap();
        assert_eq!(row.on_hand, head.on_hand, "product {}", row.product);
    }
    view.close().await.unwrap();
}

type Corruption = (&'static str, Check, Subject);

fn corruptions() -> Vec<Corruption> {
    let product = |id| Subject::Product(ProductId::new(id));
    let of_order = |number| Subject::Order(order(number));
    let of_batch = |number| Subject::Batch(batch(number));
    let adjustment = |id: &str| Subject::Adjustment(id.to_owned());
    let ada = || Subject::Customer("ada".to_owned());
    let message = || Subject::Delivery("message 1".to_owned());
    vec![
        ("UPDATE inventory SET on_hand = on_hand + 1 WHERE product_id = 2", Check::ProductHead, product(2)),
        ("UPDATE inventory SET held = held - 1 WHERE product_id = 2", Check::HeldSum, product(2)),
        ("UPDATE inventory SET last_batch = x'00' WHERE product_id = 2", Check::ProductHead, product(2)),
        ("UPDATE inventory SET alert_state = 9 WHERE product_id = 2", Check::ProductSettings, product(2)),
        (
            "PRAGMA ignore_check_constraints = 1; UPDATE inventory SET held = 500 WHERE product_id = 2",
            Check::StockBounds,
            product(2),
        ),
        ("DELETE FROM inventory WHERE product_id = 2", Check::ProductHead, product(2)),
        ("UPDATE reservations SET status = 2 WHERE status = 1", Check::OrderState, of_order(3)),
        (
            "PRAGMA ignore_check_constraints = 1; UPDATE reservations SET status = 9 WHERE status = 1",
            Check::OrderShape,
            of_order(3),
        ),
        (
            "UPDATE reservations SET lines = '[[1,3,x]]' WHERE lines = '[[1,3,3]]'",
            Check::OrderShape,
            of_order(1),
        ),
        ("UPDATE reservations SET lines = '{}' WHERE status = 1", Check::HeldSum, product(2)),
        (
            "UPDATE reservations SET lines = '[[1,-3,3]]' WHERE lines = '[[1,3,3]]'",
            Check::OrderShape,
            of_order(1),
        ),
        (
            "UPDATE reservations SET lines = '[[1,2,2]]' WHERE lines = '[[1,3,3]]'",
            Check::OrderState,
            of_order(1),
        ),
        ("DELETE FROM reservations WHERE status = 1", Check::OrderMissing, of_order(3)),
        ("UPDATE journal SET at = at + 1", Check::OrderState, of_order(1)),
        (
            "DELETE FROM journal WHERE batch_id = (SELECT MIN(batch_id) FROM journal)",
            Check::JournalShape,
            of_batch(1),
        ),
        ("UPDATE journal_command SET kind = 99 WHERE kind = 4", Check::JournalShape, product(1)),
        ("UPDATE journal_command SET kind = 99 WHERE kind = 4", Check::OrderLife, of_order(7)),
        ("DELETE FROM journal_command WHERE kind = 4", Check::JournalShape, product(1)),
        (
            "UPDATE journal_command SET customer = 'eve' WHERE customer = 'ada'",
            Check::OrderState,
            of_order(2),
        ),
        (
            "UPDATE journal_command SET adjustment = NULL WHERE adjustment = 'count-1'",
            Check::Adjustment,
            adjustment(""),
        ),
        (
            "UPDATE journal_command SET message = 'x' WHERE message = 'message 1'",
            Check::Delivery,
            Subject::Delivery("x".to_owned()),
        ),
        ("UPDATE journal_line SET units = units + 1 WHERE units = 3", Check::VersionEffect, product(1)),
        ("UPDATE journal_line SET units = 9223372036854775807", Check::VersionEffect, product(1)),
        ("DELETE FROM journal_line WHERE units = 3", Check::VersionEffect, product(1)),
        (
            "UPDATE journal_product SET held = held + 1 WHERE product_id = 2 AND version = 3",
            Check::VersionEffect,
            product(2),
        ),
        (
            "UPDATE journal_product SET previous = NULL WHERE product_id = 2 AND version = 3",
            Check::VersionChain,
            product(2),
        ),
        ("DELETE FROM journal_product WHERE product_id = 2 AND version = 3", Check::VersionChain, product(2)),
        ("DELETE FROM journal_product WHERE product_id = 2 AND version = 3", Check::JournalShape, product(2)),
        ("UPDATE commit_batch SET outcome = 'aborted'", Check::BatchFence, of_batch(3)),
        ("DELETE FROM commit_batch", Check::BatchFence, of_batch(3)),
        ("UPDATE commit_batch SET outcome = 'committed'", Check::BatchFence, of_batch(900)),
        (
            "UPDATE adjustments SET delta = delta + 1 WHERE adjustment_id = 'count-1'",
            Check::Adjustment,
            adjustment("count-1"),
        ),
        ("DELETE FROM adjustments WHERE adjustment_id = 'count-1'", Check::Adjustment, adjustment("count-1")),
        (
            "UPDATE customer_product SET units = units + 1 WHERE customer_id = 'ada'",
            Check::CustomerUnits,
            ada(),
        ),
        ("DELETE FROM customer_product WHERE customer_id = 'ada'", Check::CustomerUnits, ada()),
        ("DELETE FROM inbox WHERE message = 'message 1'", Check::Delivery, message()),
        ("UPDATE inbox SET consumer = 'x' WHERE message = 'message 1'", Check::Delivery, message()),
        ("UPDATE outbox SET payload = x'7b7d' WHERE seq = 1", Check::EventDigest, Subject::Event(event(1))),
        ("UPDATE outbox SET headers = 'nothing' WHERE seq = 1", Check::EventDigest, Subject::Event(event(1))),
        ("UPDATE outbox SET topic = 'x' WHERE seq = 1", Check::EventDigest, Subject::Event(event(1))),
        ("UPDATE outbox SET batch_id = x'01' WHERE seq = 1", Check::EventOrigin, Subject::Event(event(1))),
        ("UPDATE outbox SET aggregateid = 'x' WHERE seq = 1", Check::EventOrigin, Subject::Event(event(1))),
    ]
}

#[tokio::test]
async fn what_sql_corrupts_in_any_table_of_sqlite_is_named() {
    let clean = tempfile::tempdir().unwrap();
    written(clean.path(), &full().ledger).await.close().await.unwrap();
    for (statement, check, subject) in corruptions() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::copy(clean.path().join("ledger.db"), folder.path().join("ledger.db")).unwrap();
        let mut connection = options(folder.path()).connect().await.unwrap();
        connection.execute(statement).await.unwrap();
        connection.close().await.unwrap();
        assert_named(&audited(folder.path()).await, check, &subject, statement);
    }
}
