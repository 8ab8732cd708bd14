//! The journal: one row per batch; and the inbox.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::journal::{JournalCommand, JournalEntry, Remark};
use crate::store::postgres::errors::classify;
use crate::store::postgres::rows::version;
use crate::store::{Effects, StoreError};

const APPEND: &str = "INSERT INTO journal (batch_id, at, kinds, orders, line_command, line_product, line_units, \
     products, versions, on_hands, helds, previous, remark_command, remark_adjustment, remark_reason, \
     remark_reference, remark_customer, remark_consumer, remark_message) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)";
const DELIVERED: &str = "INSERT INTO inbox (consumer, message, at) \
     SELECT d.consumer, d.message, $3 FROM unnest($1::text[], $2::text[]) AS d (consumer, message)";

/// The products after a batch, as columns.
pub(super) struct Products {
    pub(super) products: Vec<i64>,
    pub(super) versions: Vec<i64>,
    pub(super) on_hands: Vec<i64>,
    pub(super) helds: Vec<i64>,
    pub(super) previous: Vec<Option<Uuid>>,
}

impl Products {
    pub(super) fn of(entry: &JournalEntry) -> Self {
        let products = &entry.products;
        Self {
            products: products.iter().map(|after| after.product.get()).collect(),
            versions: products.iter().map(|after| version(after.version)).collect(),
            on_hands: products.iter().map(|after| after.on_hand.get()).collect(),
            helds: products.iter().map(|after| after.held.get()).collect(),
            previous: products.iter().map(|after| after.previous.map(crate::ids::BatchId::get)).collect(),
        }
    }
}

/// What few commands carry, as columns.
#[derive(Default)]
pub(super) struct Remarks<'e> {
    /// Which command, from 1.
    pub(super) command: Vec<i32>,
    adjustment: Vec<Option<&'e str>>,
    reason: Vec<Option<&'e str>>,
    reference: Vec<Option<&'e str>>,
    pub(super) customer: Vec<Option<&'e str>>,
    consumer: Vec<Option<&'e str>>,
    message: Vec<Option<&'e str>>,
}

impl<'e> Remarks<'e> {
    /// The columns, or nothing (NULL) when no command carries a remark.
    pub(super) fn of(commands: &'e [JournalCommand]) -> Option<Self> {
        let mut columns = Self::default();
        for (position, command) in (1..).zip(commands) {
            if let Some(remark) = &command.remark {
                columns.push(position, remark);
            }
        }
        (!columns.command.is_empty()).then_some(columns)
    }

    fn push(&mut self, position: i32, remark: &'e Remark) {
        self.command.push(position);
        self.adjustment.push(remark.adjustment.as_ref().map(|id| id.as_str()));
        self.reason.push(remark.reason.as_ref().map(|note| note.as_str()));
        self.reference.push(remark.reference.as_ref().map(|note| note.as_str()));
        self.customer.push(remark.customer.as_ref().map(|id| id.as_str()));
        self.consumer.push(remark.delivery.as_ref().map(|delivery| delivery.consumer.as_str()));
        self.message.push(remark.delivery.as_ref().map(|delivery| delivery.message.as_str()));
    }
}

/// Appends the batch's entry.
pub(super) async fn append(conn: &mut PgConnection, entry: &JournalEntry) -> Result<(), StoreError> {
    let commands = &entry.commands;
    let kinds: Vec<i16> = commands.iter().map(|command| command.kind.code().into()).collect();
    let orders: Vec<Option<Uuid>> =
        commands.iter().map(|command| command.order.map(crate::ids::OrderId::get)).collect();
    let mut line_command: Vec<i32> = Vec::with_capacity(commands.len());
    let mut line_product: Vec<i64> = Vec::with_capacity(commands.len());
    let mut line_units: Vec<i64> = Vec::with_capacity(commands.len());
    for (position, command) in (1..).zip(commands) {
        for line in &command.lines {
            line_command.push(position);
            line_product.push(line.product.get());
            line_units.push(line.units.get());
        }
    }
    let after = Products::of(entry);
    let remarks = Remarks::of(commands);
    let remarks = remarks.as_ref();
    sqlx::query(APPEND)
        .bind(entry.batch.get())
        .bind(entry.at.to_datetime())
        .bind(kinds)
        .bind(orders)
        .bind(line_command)
        .bind(line_product)
        .bind(line_units)
        .bind(after.products)
        .bind(after.versions)
        .bind(after.on_hands)
        .bind(after.helds)
        .bind(after.previous)
        .bind(remarks.map(|remarks| &remarks.command))
        .bind(remarks.map(|remarks| &remarks.adjustment))
        .bind(remarks.map(|remarks| &remarks.reason))
        .bind(remarks.map(|remarks| &remarks.reference))
        .bind(remarks.map(|remarks| &remarks.customer))
        .bind(remarks.map(|remarks| &remarks.consumer))
        .bind(remarks.map(|remarks| &remarks.message))
        .execute(conn)
        .await
        .map(drop)
        .map_err(classify)
}

/// Records the deliveries; one that was handled meanwhile is a conflict.
pub(super) async fn delivered(conn: &mut PgConnection, effects: &Effects) -> Result<(), StoreError> {
    let consumers: Vec<&str> = effects.deliveries.iter().map(|delivery| delivery.consumer.as_str()).collect();
    let messages: Vec<&str> = effects.deliveries.iter().map(|delivery| delivery.message.as_str()).collect();
    sqlx::query(DELIVERED)
        .bind(consumers)
        .bind(messages)
        .bind(effects.journal.at.to_datetime())
        .execute(conn)
        .await
        .map(drop)
        .map_err(classify)
}
