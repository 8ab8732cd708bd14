//! The journal: one row per batch; and the inbox.

use sqlx::error::BoxDynError;
use sqlx::postgres::PgArguments;
use sqlx::{Arguments as _, PgConnection};
use uuid::Uuid;

use crate::journal::{JournalCommand, JournalEntry, Remark};
use crate::store::postgres::errors::classify;
use crate::store::postgres::rows::version;
use crate::store::{Effects, StoreError};

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

/// An entry, as columns.
pub(super) struct Entry<'e> {
    entry: &'e JournalEntry,
    kinds: Vec<i16>,
    orders: Vec<Option<Uuid>>,
    line_command: Vec<i32>,
    line_product: Vec<i64>,
    line_units: Vec<i64>,
}

impl<'e> Entry<'e> {
    pub(super) fn of(entry: &'e JournalEntry) -> Self {
        let commands = &entry.commands;
        let mut columns = Self {
            entry,
            kinds: commands.iter().map(|command| command.kind.code().into()).collect(),
            orders: commands.iter().map(|command| command.order.map(crate::ids::OrderId::get)).collect(),
            line_command: Vec::with_capacity(commands.len()),
            line_product: Vec::with_capacity(commands.len()),
            line_units: Vec::with_capacity(commands.len()),
        };
        for (position, command) in (1..).zip(commands) {
            for line in &command.lines {
                columns.line_command.push(position);
                columns.line_product.push(line.product.get());
                columns.line_units.push(line.units.get());
            }
        }
        columns
    }

    /// Adds them in the order of the table's columns.
    pub(super) fn add_to(self, arguments: &mut PgArguments) -> Result<(), BoxDynError> {
        let after = Products::of(self.entry);
        let remarks = Remarks::of(&self.entry.commands);
        let remarks = remarks.as_ref();
        arguments.add(self.entry.batch.get())?;
        arguments.add(self.entry.at)?;
        arguments.add(self.kinds)?;
        arguments.add(self.orders)?;
        arguments.add(self.line_command)?;
        arguments.add(self.line_product)?;
        arguments.add(self.line_units)?;
        arguments.add(after.products)?;
        arguments.add(after.versions)?;
        arguments.add(after.on_hands)?;
        arguments.add(after.helds)?;
        arguments.add(after.previous)?;
        arguments.add(remarks.map(|remarks| &remarks.command))?;
        arguments.add(remarks.map(|remarks| &remarks.adjustment))?;
        arguments.add(remarks.map(|remarks| &remarks.reason))?;
        arguments.add(remarks.map(|remarks| &remarks.reference))?;
        arguments.add(remarks.map(|remarks| &remarks.customer))?;
        arguments.add(remarks.map(|remarks| &remarks.consumer))?;
        arguments.add(remarks.map(|remarks| &remarks.message))
    }
}

/// Records the deliveries; one that was handled meanwhile is a conflict.
pub(super) async fn delivered(conn: &mut PgConnection, effects: &Effects) -> Result<(), StoreError> {
    let consumers: Vec<&str> = effects.deliveries.iter().map(|delivery| delivery.consumer.as_str()).collect();
    let messages: Vec<&str> = effects.deliveries.iter().map(|delivery| delivery.message.as_str()).collect();
    sqlx::query(DELIVERED)
        .bind(consumers)
        .bind(messages)
        .bind(effects.journal.at)
        .execute(conn)
        .await
        .map(drop)
        .map_err(classify)
}
