//! Writing a batch's effects: one statement per table and power of two, and the row counts that guard them.

use std::sync::LazyLock;

use sqlx::sqlite::SqliteConnection;

use super::bulk::{Binder, Bulk};
use crate::clock::Timestamp;
use crate::ids::ProductId;
use crate::product::Product;
use crate::quantity::{Quantity, Units};
use crate::reservation::{Reservation, Status};
use crate::store::{Adjustment, Effects, ProductEffect, StoreError, StoreErrorKind, json};

mod journal;

/// The texts, built once.
static STATEMENTS: LazyLock<Statements> = LazyLock::new(Statements::new);

struct Statements {
    create_reservations: Bulk,
    change_reservations: Bulk,
    create_products: Bulk,
    change_products: Bulk,
    change_stock: Bulk,
    adjustments: Bulk,
    put_customer_units: Bulk,
    remove_customer_units: Bulk,
    deliveries: Bulk,
    outbox: Bulk,
}

impl Statements {
    fn new() -> Self {
        Self {
            create_reservations: Bulk::new(
                "INSERT INTO reservations (order_id, status, late, customer_id, created_at, expires_at, \
                 expires_at_max, ended_at, lines)",
                9,
                "",
            ),
            change_reservations: Bulk::new(
                "UPDATE reservations SET status = v.column2, late = v.column3, customer_id = v.column4, \
                 created_at = v.column5, expires_at = v.column6, expires_at_max = v.column7, \
                 ended_at = v.column8, lines = v.column9 FROM (",
                10,
                ") AS v WHERE order_id = v.column1 AND status = v.column10",
            ),
            create_products: Bulk::new(
                "INSERT INTO inventory (product_id, on_hand, held, version, alert_state, last_batch, \
                 admin_version, low_stock_threshold, per_customer_limit, limited_since, name)",
                11,
                "",
            ),
            change_products: Bulk::new(
                "UPDATE inventory SET on_hand = v.column2, held = v.column3, version = v.column4, \
                 alert_state = v.column5, last_batch = v.column6, admin_version = v.column7, \
                 low_stock_threshold = v.column8, per_customer_limit = v.column9, \
                 limited_since = v.column10, name = v.column11 FROM (",
                12,
                ") AS v WHERE product_id = v.column1 AND version = v.column12",
            ),
            change_stock: Bulk::new(
                "UPDATE inventory SET on_hand = v.column2, held = v.column3, version = v.column4, \
                 alert_state = v.column5, last_batch = v.column6 FROM (",
                7,
                ") AS v WHERE product_id = v.column1 AND version = v.column7",
            ),
            adjustments: Bulk::new(
                "INSERT INTO adjustments (adjustment_id, product_id, delta, reason, reference, at, version)",
                7,
                "",
            ),
            put_customer_units: Bulk::new(
                "INSERT INTO customer_product (customer_id, product_id, units)",
                3,
                "ON CONFLICT (customer_id, product_id) DO UPDATE SET units = excluded.units",
            ),
            remove_customer_units: Bulk::new(
                "DELETE FROM customer_product WHERE (customer_id, product_id) IN (",
                2,
                ")",
            ),
            deliveries: Bulk::new("INSERT INTO inbox (consumer, message, at)", 3, ""),
            outbox: Bulk::new(
                "INSERT INTO outbox (id, batch_id, aggregatetype, aggregateid, aggregate_version, type, \
                 topic, payload, headers, digest, created_at)",
                11,
                "",
            ),
        }
    }
}

/// Writes everything. `now` is the time to remember: no later process starts before it.
pub(super) async fn persist(
    connection: &mut SqliteConnection,
    effects: &Effects,
    now: Timestamp,
) -> Result<(), StoreError> {
    if effects.is_empty() {
        return Ok(());
    }
    write_reservations(connection, effects).await?;
    write_products(connection, effects).await?;
    STATEMENTS.adjustments.execute(connection, &effects.adjustments, bind_adjustment).await?;
    write_customer_units(connection, effects).await?;
    let at = effects.journal.at;
    let bind_delivery = |row: &mut Binder, delivery: &crate::ids::Delivery| {
        row.text(delivery.consumer.as_str());
        row.text(delivery.message.as_str());
        row.time(at);
    };
    STATEMENTS.deliveries.execute(connection, &effects.deliveries, bind_delivery).await?;
    write_outbox(connection, effects).await?;
    journal::write(connection, &effects.journal, now).await
}

async fn write_reservations(connection: &mut SqliteConnection, effects: &Effects) -> Result<(), StoreError> {
    STATEMENTS.create_reservations.execute(connection, &effects.created, bind_reservation).await?;
    let bind_changed = |row: &mut Binder, (before, reservation): &(Status, Reservation)| {
        bind_reservation(row, reservation);
        row.integer(before.code().into());
    };
    let changed = STATEMENTS.change_reservations.execute(connection, &effects.changed, bind_changed).await?;
    all_found(changed, effects.changed.len(), "a reservation's status")
}

async fn write_products(connection: &mut SqliteConnection, effects: &Effects) -> Result<(), StoreError> {
    let (mut created, mut changed, mut stock_only) = (Vec::new(), Vec::new(), Vec::new());
    for effect in &effects.products {
        match effect {
            ProductEffect { version_before: None, after, .. } => created.push(after),
            ProductEffect { version_before: Some(before), stock_only: true, after } => {
                stock_only.push((after, *before));
            }
            ProductEffect { version_before: Some(before), stock_only: false, after } => {
                changed.push((after, *before));
            }
        }
    }
    let bind_created = |row: &mut Binder, after: &&Product| {
        bind_stock(row, after);
        bind_settings(row, after);
    };
    STATEMENTS.create_products.execute(connection, &created, bind_created).await?;
    let bind_changed = |row: &mut Binder, (after, before): &(&Product, u64)| {
        bind_stock(row, after);
        bind_settings(row, after);
        row.unsigned(*before);
    };
    let written = STATEMENTS.change_products.execute(connection, &changed, bind_changed).await?;
    all_found(written, changed.len(), "a product's version")?;
    let bind_stock_only = |row: &mut Binder, (after, before): &(&Product, u64)| {
        bind_stock(row, after);
        row.unsigned(*before);
    };
    let written = STATEMENTS.change_stock.execute(connection, &stock_only, bind_stock_only).await?;
    all_found(written, stock_only.len(), "a product's version")
}

async fn write_customer_units(
    connection: &mut SqliteConnection,
    effects: &Effects,
) -> Result<(), StoreError> {
    let (none, some): (Vec<_>, Vec<_>) =
        effects.customer_units.iter().partition(|(_, _, units)| *units == Units::ZERO);
    let bind_key = |row: &mut Binder, (customer, product): (&crate::ids::CustomerId, &ProductId)| {
        row.text(customer.as_str());
        row.integer(product.get());
    };
    let remove =
        STATEMENTS.remove_customer_units.execute(connection, &none, |row, (customer, product, _)| {
            bind_key(row, (customer, product));
        });
    remove.await?;
    let put = STATEMENTS.put_customer_units.execute(connection, &some, |row, (customer, product, units)| {
        bind_key(row, (customer, product));
        row.integer(units.get());
    });
    put.await.map(drop)
}

async fn write_outbox(connection: &mut SqliteConnection, effects: &Effects) -> Result<(), StoreError> {
    let (batch, at) = (effects.journal.batch, effects.journal.at);
    let write = STATEMENTS.outbox.execute(connection, &effects.outbox, |row, event| {
        row.uuid(event.id);
        row.uuid(batch.get());
        row.text(&event.aggregate_type);
        row.text(&event.aggregate_id);
        row.unsigned(event.aggregate_version);
        row.text(&event.event_type);
        row.text(&event.topic);
        row.bytes(&event.payload);
        row.owned_text(json::object(&event.headers));
        row.integer(event.digest(batch));
        row.time(at);
    });
    write.await.map(drop)
}

fn bind_reservation(row: &mut Binder, reservation: &Reservation) {
    row.uuid(reservation.order.get());
    row.integer(reservation.status.code().into());
    row.integer(reservation.late.into());
    row.maybe_text(reservation.customer.as_ref().map(|customer| customer.as_str()));
    row.time(reservation.created_at);
    row.time(reservation.expires_at);
    row.time(reservation.expires_at_max);
    row.maybe_time(reservation.ended_at);
    row.owned_text(json::lines(&reservation.requested, &reservation.lines));
}

fn bind_stock(row: &mut Binder, product: &Product) {
    row.integer(product.id.get());
    row.integer(product.on_hand.get());
    row.integer(product.held.get());
    row.unsigned(product.version);
    row.integer(product.alert.code().into());
    row.uuid(product.last_batch.get());
}

fn bind_settings(row: &mut Binder, product: &Product) {
    row.unsigned(product.admin_version);
    row.maybe_integer(product.low_stock_threshold.map(Units::get));
    row.maybe_integer(product.per_customer_limit.map(Quantity::units).map(Units::get));
    row.maybe_time(product.limited_since);
    row.maybe_text(product.name.as_ref().map(|name| name.as_str()));
}

fn bind_adjustment(row: &mut Binder, adjustment: &Adjustment) {
    row.text(adjustment.id.as_str());
    row.integer(adjustment.product.get());
    row.integer(adjustment.delta.get());
    row.text(adjustment.reason.as_str());
    row.maybe_text(adjustment.reference.as_ref().map(|reference| reference.as_str()));
    row.time(adjustment.at);
    row.unsigned(adjustment.version);
}

/// A guard that did not hold matched no row.
fn all_found(written: u64, expected: usize, what: &str) -> Result<(), StoreError> {
    if written == expected as u64 {
        return Ok(());
    }
    Err(StoreError::new(StoreErrorKind::Conflict, format!("{what} is not what the batch read")))
}

#[cfg(test)]
mod tests {
    use sqlx::sqlite::SqliteRow;
    use sqlx::{AssertSqlSafe, Row};

    use super::super::read;
    use super::*;

    const ONE_ROW_EACH: &str = "\
        INSERT OR IGNORE INTO inventory VALUES (1, 0, 0, 1, 1, NULL, NULL, NULL, NULL, 0, x'00'); \
        INSERT OR IGNORE INTO reservations VALUES (x'00', 1, 0, NULL, 1, 1, 1, NULL, '[]'); \
        INSERT OR IGNORE INTO customer_product VALUES ('c', 1, 1); \
        INSERT OR IGNORE INTO adjustments VALUES ('a', 1, 1, 'r', NULL, 1, 1); \
        INSERT OR IGNORE INTO inbox VALUES ('c', 'm', 1); \
        ANALYZE";

    /// One scan of a large table would stop the shop.
    #[tokio::test]
    async fn no_statement_of_a_batch_scans_a_table_whatever_was_analyzed_before() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("ledger.db");
        for _ in 0..2 {
            let store = super::super::SqliteStore::open(&file).await.unwrap();
            let mut connection = store.shared.connect().await.unwrap();
            for statement in batch_statements() {
                looks_up_keys(&mut connection, statement).await;
            }
            // Tables of one row, and known to be: the temptation to scan is greatest.
            sqlx::query(ONE_ROW_EACH).execute(&mut connection).await.unwrap();
        }
    }

    fn batch_statements() -> Vec<&'static str> {
        let written = [
            &STATEMENTS.change_reservations,
            &STATEMENTS.change_products,
            &STATEMENTS.change_stock,
            &STATEMENTS.remove_customer_units,
        ];
        written.iter().map(|bulk| bulk.text(3)).chain(read::BATCH_READS).collect()
    }

    async fn looks_up_keys(connection: &mut SqliteConnection, statement: &str) {
        let plan = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}")));
        let plan = plan.fetch_all(connection).await.unwrap();
        let steps: Vec<String> = plan.iter().map(|row: &SqliteRow| row.get("detail")).collect();
        let tables = ["inventory", "reservations", "customer_product", "p", "r", "a", "c", "i"];
        let scanned = |step: &str| tables.iter().any(|table| step == format!("SCAN {table}"));
        assert!(!steps.iter().any(|step| scanned(step)), "{statement}: {steps:?}");
        assert!(steps.iter().any(|step| step.starts_with("SEARCH")), "{statement}: {steps:?}");
    }

    #[tokio::test]
    async fn what_answered_is_on_the_disk() {
        let directory = tempfile::tempdir().unwrap();
        let store = super::super::SqliteStore::open(directory.path().join("ledger.db")).await.unwrap();
        let mut connection = store.shared.connect().await.unwrap();
        let mode: String =
            sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut connection).await.unwrap();
        let synchronous: i64 =
            sqlx::query_scalar("PRAGMA synchronous").fetch_one(&mut connection).await.unwrap();
        assert_eq!((mode.as_str(), synchronous), ("wal", 2));
    }
}
