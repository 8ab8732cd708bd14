//! The audit over Postgres: what the model writes passes in one piece and in many, and every table's corruption by SQL
//! is named.

use inventory_core::audit::{AuditReport, Check, Subject, audit};
use inventory_core::ids::ProductId;
use inventory_core::store::ledger_copy::LedgerCopy;
use inventory_core::store::postgres::snapshot::{PIECE_ROWS_MAX, snapshot};
use sqlx::{Connection as _, Executor as _, PgConnection};
use test_support::postgres::{TestDatabase, database, database_from};

use super::ledgers::{full, one_moment, random};
use super::load::into_postgres;
use super::model::{batch, event, order};
use super::{assert_named, audit_copy, findings};

const SCHEMA: &str = include_str!("../../../../migrations/inventory/postgres/0001_ledger.sql");

async fn connected(url: &str) -> PgConnection {
    let mut connection = PgConnection::connect(url).await.unwrap();
    connection.execute("SET search_path TO inventory_service_schema").await.unwrap();
    connection
}

async fn write(url: &str, ledger: &LedgerCopy) {
    let mut connection = connected(url).await;
    connection.execute("BEGIN").await.unwrap();
    connection.execute(SCHEMA).await.unwrap();
    into_postgres(&mut connection, ledger).await;
    connection.execute("COMMIT").await.unwrap();
    connection.close().await.unwrap();
}

async fn audited(database: &TestDatabase, piece_rows_max: u32) -> AuditReport {
    // No search path: the snapshot sets its own.
    let connection = PgConnection::connect(&database.url).await.unwrap();
    audit(snapshot(connection, piece_rows_max)).await.unwrap()
}

#[tokio::test]
async fn a_ledger_on_postgres_is_read_as_the_one_in_memory() {
    for ledger in [full().ledger, one_moment(), random(7, 700), LedgerCopy::default()] {
        let database = database().await;
        write(&database.url, &ledger).await;
        let report = audited(&database, PIECE_ROWS_MAX).await;
        assert!(report.ok(), "{}", findings(&report));
        assert_eq!(report, audit_copy(&ledger).await);
    }
}

#[tokio::test]
async fn pieces_cut_small_find_the_same() {
    let database = database().await;
    let mut ledger = random(11, 200);
    ledger.products[2].held += inventory_core::quantity::Units::stored(1);
    ledger.adjustments.pop();
    write(&database.url, &ledger).await;
    let whole = audited(&database, PIECE_ROWS_MAX).await;
    for piece_rows_max in [400, 50, 7] {
        let report = audited(&database, piece_rows_max).await;
        assert_eq!(report, whole, "pieces of {piece_rows_max}");
    }
    let connection = PgConnection::connect(&database.url).await.unwrap();
    let mut view = snapshot(connection, 50);
    assert!(view.pieces().await.unwrap().len() > 20);
    view.close().await.unwrap();
}

#[tokio::test]
async fn an_audit_on_postgres_sees_nothing_of_what_is_written_meanwhile() {
    let database = database().await;
    write(&database.url, &full().ledger).await;
    let mut view = snapshot(PgConnection::connect(&database.url).await.unwrap(), PIECE_ROWS_MAX);
    let pieces = view.pieces().await.unwrap();
    view.open(&pieces[0]).await.unwrap();
    let mut writer = connected(&database.url).await;
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
        ("UPDATE inventory SET limited_since = 'infinity' WHERE product_id = 2", Check::CustomerUnits, ada()),
        (
            "ALTER TABLE inventory DROP CONSTRAINT never_oversold; UPDATE inventory SET held = 500 WHERE product_id = 2",
            Check::StockBounds,
            product(2),
        ),
        ("DELETE FROM inventory WHERE product_id = 2", Check::ProductHead, product(2)),
        ("UPDATE reservations SET status = 2 WHERE status = 1", Check::OrderState, of_order(3)),
        (
            "UPDATE reservations SET quantities = '{2}' WHERE quantities = '{3}'",
            Check::OrderState,
            of_order(1),
        ),
        (
            "UPDATE reservations SET quantities = '{3,1}' WHERE quantities = '{3}'",
            Check::OrderShape,
            of_order(1),
        ),
        (
            "UPDATE reservations SET quantities = '{NULL}' WHERE quantities = '{3}'",
            Check::OrderShape,
            of_order(1),
        ),
        (
            "UPDATE reservations SET remaining = '{1}' WHERE quantities = '{90}'",
            Check::OrderState,
            of_order(10),
        ),
        ("UPDATE reservations SET remaining = '{0,0}' WHERE status = 1", Check::HeldSum, product(2)),
        ("UPDATE reservations SET created_at = '-infinity'", Check::OrderState, of_order(1)),
        ("DELETE FROM reservations WHERE status = 1", Check::OrderMissing, of_order(3)),
        ("UPDATE journal SET at = at + interval '1 microsecond'", Check::OrderState, of_order(1)),
        ("DELETE FROM journal WHERE at = (SELECT min(at) FROM journal)", Check::BatchFence, of_batch(1)),
        ("DELETE FROM journal WHERE at = (SELECT min(at) FROM journal)", Check::VersionChain, product(1)),
        ("UPDATE journal SET kinds = '{99}' WHERE kinds = '{4}'", Check::OrderLife, of_order(7)),
        ("UPDATE journal SET kinds = '{}' WHERE kinds = '{4}'", Check::JournalShape, of_batch(6)),
        (
            "UPDATE journal SET kinds = '{}', orders = '{}' WHERE kinds = '{4}'",
            Check::JournalShape,
            product(1),
        ),
        ("UPDATE journal SET orders[1] = orders[2] WHERE kinds[1] = 1", Check::OrderLife, of_order(1)),
        ("UPDATE journal SET line_command[1] = 90 WHERE kinds[1] = 1", Check::JournalShape, product(1)),
        ("UPDATE journal SET line_product[1] = 2 WHERE kinds[1] = 1", Check::VersionEffect, product(2)),
        (
            "UPDATE journal SET line_units[1] = 9223372036854775807 WHERE kinds[1] = 1",
            Check::VersionEffect,
            product(1),
        ),
        ("UPDATE journal SET line_units = '{}' WHERE kinds[1] = 1", Check::JournalShape, of_batch(2)),
        ("UPDATE journal SET products[2] = 900 WHERE kinds[1] = 1", Check::JournalShape, product(1)),
        ("UPDATE journal SET versions[2] = 900 WHERE kinds[1] = 1", Check::VersionChain, product(1)),
        ("UPDATE journal SET on_hands[2] = 900 WHERE kinds[1] = 1", Check::VersionEffect, product(1)),
        ("UPDATE journal SET helds[2] = NULL WHERE kinds[1] = 1", Check::VersionEffect, product(1)),
        ("UPDATE journal SET previous[2] = NULL WHERE kinds[1] = 1", Check::VersionChain, product(1)),
        ("UPDATE journal SET remark_command[1] = 90 WHERE kinds[1] = 1", Check::JournalShape, of_batch(2)),
        ("UPDATE journal SET remark_customer[1] = 'eve' WHERE kinds[1] = 1", Check::OrderState, of_order(2)),
        (
            "UPDATE journal SET remark_adjustment = array_replace(remark_adjustment, 'count-1', NULL)",
            Check::Adjustment,
            adjustment(""),
        ),
        (
            "UPDATE journal SET remark_reason = array_replace(remark_reason, 'counted', 'x')",
            Check::Adjustment,
            adjustment("count-1"),
        ),
        (
            "UPDATE journal SET remark_reference = array_replace(remark_reference, 'ticket 7', NULL)",
            Check::Adjustment,
            adjustment("count-1"),
        ),
        (
            "UPDATE journal SET remark_message = array_replace(remark_message, 'message 1', 'x')",
            Check::Delivery,
            Subject::Delivery("x".to_owned()),
        ),
        (
            "UPDATE journal SET remark_consumer = array_replace(remark_consumer, 'order.confirmed', 'x')",
            Check::Delivery,
            message(),
        ),
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
        ("UPDATE outbox SET payload = '' WHERE seq = 1", Check::EventDigest, Subject::Event(event(1))),
        ("UPDATE outbox SET headers = '[]' WHERE seq = 1", Check::EventDigest, Subject::Event(event(1))),
        ("UPDATE outbox SET topic = 'x' WHERE seq = 1", Check::EventDigest, Subject::Event(event(1))),
        (
            "UPDATE outbox SET batch_id = gen_random_uuid() WHERE seq = 1",
            Check::EventOrigin,
            Subject::Event(event(1)),
        ),
        ("UPDATE outbox SET aggregateid = 'x' WHERE seq = 1", Check::EventOrigin, Subject::Event(event(1))),
    ]
}

#[tokio::test]
async fn what_sql_corrupts_in_any_table_of_postgres_is_named() {
    for (statement, check, subject) in corruptions() {
        let database = database_from("audit_full", async |url: String| {
            write(&url, &full().ledger).await;
            Ok(())
        })
        .await;
        let mut connection = connected(&database.url).await;
        connection.execute(statement).await.unwrap();
        connection.close().await.unwrap();
        assert_named(&audited(&database, PIECE_ROWS_MAX).await, check, &subject, statement);
    }
}
