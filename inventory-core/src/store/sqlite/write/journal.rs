//! A batch's journal entry.

use std::sync::LazyLock;

use sqlx::sqlite::SqliteConnection;

use super::super::bulk::Bulk;
use super::super::error::store_error;
use crate::clock::Timestamp;
use crate::journal::{JournalCommand, JournalEntry, JournalLine, Remark};
use crate::store::StoreError;

/// The texts, built once.
static STATEMENTS: LazyLock<Statements> = LazyLock::new(|| Statements {
    commands: Bulk::new("INSERT INTO journal_command (batch_id, position, kind, order_id)", 4, ""),
    remarked: Bulk::new(
        "INSERT INTO journal_command (batch_id, position, kind, order_id, adjustment, reason, reference, \
         customer, consumer, message)",
        10,
        "",
    ),
    lines: Bulk::new("INSERT INTO journal_line (batch_id, position, product_id, units)", 4, ""),
    products: Bulk::new(
        "INSERT INTO journal_product (product_id, version, batch_id, on_hand, held, previous)",
        6,
        "",
    ),
});

struct Statements {
    commands: Bulk,
    remarked: Bulk,
    lines: Bulk,
    products: Bulk,
}

/// Writes the entry and, in the same round trip, the time.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    entry: &JournalEntry,
    now: Timestamp,
) -> Result<(), StoreError> {
    let batch = entry.batch.get();
    sqlx::query(
        "INSERT INTO journal (batch_id, at) VALUES (?1, ?2); \
         INSERT INTO watermarks (name, at) VALUES ('clock', ?3) \
         ON CONFLICT (name) DO UPDATE SET at = max(at, excluded.at)",
    )
    .bind(batch)
    .bind(entry.at.micros())
    .bind(now.max(entry.at).micros())
    .execute(&mut *connection)
    .await
    .map_err(store_error)?;
    let numbered = || (0_i64..).zip(&entry.commands);
    let (remarked, plain): (Vec<_>, Vec<_>) = numbered().partition(|(_, command)| command.remark.is_some());
    let write = STATEMENTS.commands.execute(connection, &plain, |row, (position, command)| {
        bind_command(row, batch, *position, command);
    });
    write.await?;
    let write = STATEMENTS.remarked.execute(connection, &remarked, |row, (position, command)| {
        bind_command(row, batch, *position, command);
        bind_remark(row, command.remark.as_deref().unwrap_or(&Remark::default()));
    });
    write.await?;
    let lines: Vec<(i64, JournalLine)> = numbered()
        .flat_map(|(position, command)| command.lines.iter().map(move |line| (position, *line)))
        .collect();
    let write = STATEMENTS.lines.execute(connection, &lines, |row, (position, line)| {
        row.uuid(batch);
        row.integer(*position);
        row.integer(line.product.get());
        row.integer(line.units.get());
    });
    write.await?;
    let write = STATEMENTS.products.execute(connection, &entry.products, |row, product| {
        row.integer(product.product.get());
        row.unsigned(product.version);
        row.uuid(batch);
        row.integer(product.on_hand.get());
        row.integer(product.held.get());
        row.maybe_uuid(product.previous.map(|previous| previous.get()));
    });
    write.await.map(drop)
}

fn bind_command(row: &mut super::Binder, batch: uuid::Uuid, position: i64, command: &JournalCommand) {
    row.uuid(batch);
    row.integer(position);
    row.integer(command.kind.code().into());
    row.maybe_uuid(command.order.map(|order| order.get()));
}

fn bind_remark(row: &mut super::Binder, remark: &Remark) {
    row.maybe_text(remark.adjustment.as_ref().map(|id| id.as_str()));
    row.maybe_text(remark.reason.as_ref().map(|note| note.as_str()));
    row.maybe_text(remark.reference.as_ref().map(|note| note.as_str()));
    row.maybe_text(remark.customer.as_ref().map(|id| id.as_str()));
    row.maybe_text(remark.delivery.as_ref().map(|delivery| delivery.consumer.as_str()));
    row.maybe_text(remark.delivery.as_ref().map(|delivery| delivery.message.as_str()));
}
