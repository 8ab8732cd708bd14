//! Writes a model ledger into SQL tables, row by row.

use inventory_core::clock::Timestamp;
use inventory_core::ids::{BatchId, OrderId};
use inventory_core::journal::{JournalEntry, Remark};
use inventory_core::lines::Lines;
use inventory_core::quantity::Units;
use inventory_core::store::Resolution;
use inventory_core::store::ledger_copy::LedgerCopy;
use sqlx::{PgConnection, SqliteConnection};
use uuid::Uuid;

fn outcome(resolution: Resolution) -> &'static str {
    match resolution {
        Resolution::Committed => "committed",
        Resolution::Aborted => "aborted",
    }
}

/// Headers as a JSON object. The model's need no escapes but of quotes.
fn json(headers: &[(String, String)]) -> String {
    let member = |(name, value): &(String, String)| format!("\"{name}\":\"{}\"", value.replace('"', "\\\""));
    format!("{{{}}}", headers.iter().map(member).collect::<Vec<_>>().join(","))
}

fn remaining(requested: &Lines, left: &Lines) -> Vec<i32> {
    requested.iter().map(|line| left.quantity_of(line.product).map_or(0, |q| q.to_i32())).collect()
}

fn signed(version: u64) -> i64 {
    i64::try_from(version).unwrap()
}

/// `?` once per value.
fn insert(table: &str, columns: usize) -> String {
    let places: Vec<String> = (1..=columns).map(|n| format!("?{n}")).collect();
    format!("INSERT INTO {table} VALUES ({})", places.join(", "))
}

pub(crate) async fn into_sqlite(connection: &mut SqliteConnection, ledger: &LedgerCopy) {
    let micros = |at: Timestamp| at.micros();
    let blob = |id: Uuid| id.as_bytes().to_vec();
    for p in &ledger.products {
        sqlx::query(sqlx::AssertSqlSafe(insert("inventory", 11)))
            .bind(p.id.get())
            .bind(p.on_hand.get())
            .bind(p.held.get())
            .bind(signed(p.version))
            .bind(signed(p.admin_version))
            .bind(p.low_stock_threshold.map(Units::get))
            .bind(p.per_customer_limit.map(|limit| limit.to_i32()))
            .bind(p.limited_since.map(micros))
            .bind(p.name.as_ref().map(|name| name.as_str().to_owned()))
            .bind(i64::from(p.alert.code()))
            .bind(blob(p.last_batch.get()))
            .execute(&mut *connection)
            .await
            .unwrap();
    }
    for r in &ledger.reservations {
        let lines = r.requested.iter().zip(remaining(&r.requested, &r.lines));
        let lines: Vec<String> =
            lines.map(|(line, left)| format!("[{},{},{left}]", line.product, line.quantity)).collect();
        sqlx::query(sqlx::AssertSqlSafe(insert("reservations", 9)))
            .bind(blob(r.order.get()))
            .bind(i64::from(r.status.code()))
            .bind(r.late)
            .bind(r.customer.as_ref().map(|customer| customer.as_str().to_owned()))
            .bind(micros(r.created_at))
            .bind(micros(r.expires_at))
            .bind(micros(r.expires_at_max))
            .bind(r.ended_at.map(micros))
            .bind(format!("[{}]", lines.join(",")))
            .execute(&mut *connection)
            .await
            .unwrap();
    }
    for entry in &ledger.journal {
        journal_into_sqlite(connection, entry).await;
    }
    for (id, resolution, at) in &ledger.fences {
        sqlx::query(sqlx::AssertSqlSafe(insert("commit_batch", 3)))
            .bind(blob(id.get()))
            .bind(outcome(*resolution))
            .bind(micros(*at))
            .execute(&mut *connection)
            .await
            .unwrap();
    }
    for a in &ledger.adjustments {
        sqlx::query(sqlx::AssertSqlSafe(insert("adjustments", 7)))
            .bind(a.id.as_str())
            .bind(a.product.get())
            .bind(a.delta.get())
            .bind(a.reason.as_str())
            .bind(a.reference.as_ref().map(|note| note.as_str()))
            .bind(micros(a.at))
            .bind(signed(a.version))
            .execute(&mut *connection)
            .await
            .unwrap();
    }
    for (customer, product, units) in &ledger.customer_units {
        sqlx::query(sqlx::AssertSqlSafe(insert("customer_product", 3)))
            .bind(customer.as_str())
            .bind(product.get())
            .bind(units.get())
            .execute(&mut *connection)
            .await
            .unwrap();
    }
    for (delivery, at) in &ledger.deliveries {
        sqlx::query(sqlx::AssertSqlSafe(insert("inbox", 3)))
            .bind(delivery.consumer.as_str())
            .bind(delivery.message.as_str())
            .bind(micros(*at))
            .execute(&mut *connection)
            .await
            .unwrap();
    }
    for (id, row, digest, at) in &ledger.outbox {
        sqlx::query(
            "INSERT INTO outbox (id, batch_id, aggregatetype, aggregateid, aggregate_version, type, topic, payload, \
             headers, digest, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )
        .bind(blob(row.id))
        .bind(blob(id.get()))
        .bind(&row.aggregate_type)
        .bind(&row.aggregate_id)
        .bind(signed(row.aggregate_version))
        .bind(&row.event_type)
        .bind(&row.topic)
        .bind(&row.payload)
        .bind(json(&row.headers))
        .bind(*digest)
        .bind(micros(*at))
        .execute(&mut *connection)
        .await
        .unwrap();
    }
}

async fn journal_into_sqlite(connection: &mut SqliteConnection, entry: &JournalEntry) {
    let batch = entry.batch.get().as_bytes().to_vec();
    sqlx::query("INSERT INTO journal VALUES (?1, ?2)")
        .bind(&batch)
        .bind(entry.at.micros())
        .execute(&mut *connection)
        .await
        .unwrap();
    for (position, command) in (1_i64..).zip(&entry.commands) {
        let remark = command.remark.as_deref().cloned().unwrap_or_default();
        sqlx::query(sqlx::AssertSqlSafe(insert("journal_command", 10)))
            .bind(&batch)
            .bind(position)
            .bind(i64::from(command.kind.code()))
            .bind(command.order.map(|order| order.get().as_bytes().to_vec()))
            .bind(remark.adjustment.as_ref().map(|id| id.as_str()))
            .bind(remark.reason.as_ref().map(|note| note.as_str()))
            .bind(remark.reference.as_ref().map(|note| note.as_str()))
            .bind(remark.customer.as_ref().map(|id| id.as_str()))
            .bind(remark.delivery.as_ref().map(|delivery| delivery.consumer.as_str()))
            .bind(remark.delivery.as_ref().map(|delivery| delivery.message.as_str()))
            .execute(&mut *connection)
            .await
            .unwrap();
        for line in &command.lines {
            sqlx::query(sqlx::AssertSqlSafe(insert("journal_line", 4)))
                .bind(&batch)
                .bind(position)
                .bind(line.product.get())
                .bind(line.units.get())
                .execute(&mut *connection)
                .await
                .unwrap();
        }
    }
    for after in &entry.products {
        sqlx::query(sqlx::AssertSqlSafe(insert("journal_product", 6)))
            .bind(after.product.get())
            .bind(signed(after.version))
            .bind(&batch)
            .bind(after.on_hand.get())
            .bind(after.held.get())
            .bind(after.previous.map(|previous| previous.get().as_bytes().to_vec()))
            .execute(&mut *connection)
            .await
            .unwrap();
    }
}

/// `$1` and so on, once per value.
fn insert_pg(table: &str, columns: usize) -> String {
    let places: Vec<String> = (1..=columns).map(|n| format!("${n}")).collect();
    format!("INSERT INTO {table} VALUES ({})", places.join(", "))
}

pub(crate) async fn into_postgres(connection: &mut PgConnection, ledger: &LedgerCopy) {
    for p in &ledger.products {
        sqlx::query(sqlx::AssertSqlSafe(insert_pg("inventory", 11)))
            .bind(p.id.get())
            .bind(p.on_hand.get())
            .bind(p.held.get())
            .bind(signed(p.version))
            .bind(signed(p.admin_version))
            .bind(p.low_stock_threshold.map(Units::get))
            .bind(p.per_customer_limit.map(|limit| limit.to_i32()))
            .bind(p.limited_since.map(Timestamp::to_datetime))
            .bind(p.name.as_ref().map(|name| name.as_str().to_owned()))
            .bind(i16::from(p.alert.code()))
            .bind(p.last_batch.get())
            .execute(&mut *connection)
            .await
            .unwrap();
    }
    for r in &ledger.reservations {
        let is_whole = r.requested == r.lines;
        sqlx::query(sqlx::AssertSqlSafe(insert_pg("reservations", 11)))
            .bind(r.order.get())
            .bind(i16::from(r.status.code()))
            .bind(r.late)
            .bind(r.customer.as_ref().map(|customer| customer.as_str().to_owned()))
            .bind(r.created_at.to_datetime())
            .bind(r.expires_at.to_datetime())
            .bind(r.expires_at_max.to_datetime())
            .bind(r.ended_at.map(Timestamp::to_datetime))
            .bind(r.requested.iter().map(|line| line.product.get()).collect::<Vec<_>>())
            .bind(r.requested.iter().map(|line| line.quantity.to_i32()).collect::<Vec<_>>())
            .bind((!is_whole).then(|| remaining(&r.requested, &r.lines)))
            .execute(&mut *connection)
            .await
            .unwrap();
    }
    for entry in &ledger.journal {
        journal_into_postgres(connection, entry).await;
    }
    for (id, resolution, at) in &ledger.fences {
        sqlx::query(sqlx::AssertSqlSafe(insert_pg("commit_batch", 3)))
            .bind(id.get())
            .bind(outcome(*resolution))
            .bind(at.to_datetime())
            .execute(&mut *connection)
            .await
            .unwrap();
    }
    for a in &ledger.adjustments {
        sqlx::query(sqlx::AssertSqlSafe(insert_pg("adjustments", 7)))
            .bind(a.id.as_str())
            .bind(a.product.get())
            .bind(a.delta.get())
            .bind(a.reason.as_str())
            .bind(a.reference.as_ref().map(|note| note.as_str()))
            .bind(a.at.to_datetime())
            .bind(signed(a.version))
            .execute(&mut *connection)
            .await
            .unwrap();
    }
    for (customer, product, units) in &ledger.customer_units {
        sqlx::query(sqlx::AssertSqlSafe(insert_pg("customer_product", 3)))
            .bind(customer.as_str())
            .bind(product.get())
            .bind(units.get())
            .execute(&mut *connection)
            .await
            .unwrap();
    }
    for (delivery, at) in &ledger.deliveries {
        sqlx::query(sqlx::AssertSqlSafe(insert_pg("inbox", 3)))
            .bind(delivery.consumer.as_str())
            .bind(delivery.message.as_str())
            .bind(at.to_datetime())
            .execute(&mut *connection)
            .await
            .unwrap();
    }
    for (id, row, digest, at) in &ledger.outbox {
        sqlx::query(
            "INSERT INTO outbox (id, batch_id, aggregatetype, aggregateid, aggregate_version, type, topic, payload, \
             headers, digest, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::jsonb, $10, $11)",
        )
        .bind(row.id)
        .bind(id.get())
        .bind(&row.aggregate_type)
        .bind(&row.aggregate_id)
        .bind(signed(row.aggregate_version))
        .bind(&row.event_type)
        .bind(&row.topic)
        .bind(&row.payload)
        .bind(json(&row.headers))
        .bind(*digest)
        .bind(at.to_datetime())
        .execute(&mut *connection)
        .await
        .unwrap();
    }
}

async fn journal_into_postgres(connection: &mut PgConnection, entry: &JournalEntry) {
    let commands = || (1_i32..).zip(&entry.commands);
    let lines: Vec<(i32, i64, i64)> = commands()
        .flat_map(|(n, c)| c.lines.iter().map(move |l| (n, l.product.get(), l.units.get())))
        .collect();
    let remarks: Vec<(i32, Remark)> =
        commands().filter_map(|(n, c)| Some((n, c.remark.as_deref()?.clone()))).collect();
    let text = |of: fn(&Remark) -> Option<&str>| -> Option<Vec<Option<String>>> {
        let texts = remarks.iter().map(|(_, remark)| of(remark).map(str::to_owned)).collect();
        (!remarks.is_empty()).then_some(texts)
    };
    sqlx::query(sqlx::AssertSqlSafe(insert_pg("journal", 19)))
        .bind(entry.batch.get())
        .bind(entry.at.to_datetime())
        .bind(entry.commands.iter().map(|c| i16::from(c.kind.code())).collect::<Vec<_>>())
        .bind(entry.commands.iter().map(|c| c.order.map(OrderId::get)).collect::<Vec<_>>())
        .bind(lines.iter().map(|line| line.0).collect::<Vec<_>>())
        .bind(lines.iter().map(|line| line.1).collect::<Vec<_>>())
        .bind(lines.iter().map(|line| line.2).collect::<Vec<_>>())
        .bind(entry.products.iter().map(|after| after.product.get()).collect::<Vec<_>>())
        .bind(entry.products.iter().map(|after| signed(after.version)).collect::<Vec<_>>())
        .bind(entry.products.iter().map(|after| after.on_hand.get()).collect::<Vec<_>>())
        .bind(entry.products.iter().map(|after| after.held.get()).collect::<Vec<_>>())
        .bind(entry.products.iter().map(|after| after.previous.map(BatchId::get)).collect::<Vec<_>>())
        .bind((!remarks.is_empty()).then(|| remarks.iter().map(|(n, _)| *n).collect::<Vec<_>>()))
        .bind(text(|r| r.adjustment.as_ref().map(|id| id.as_str())))
        .bind(text(|r| r.reason.as_ref().map(|note| note.as_str())))
        .bind(text(|r| r.reference.as_ref().map(|note| note.as_str())))
        .bind(text(|r| r.customer.as_ref().map(|id| id.as_str())))
        .bind(text(|r| r.delivery.as_ref().map(|delivery| delivery.consumer.as_str())))
        .bind(text(|r| r.delivery.as_ref().map(|delivery| delivery.message.as_str())))
        .execute(&mut *connection)
        .await
        .unwrap();
}
