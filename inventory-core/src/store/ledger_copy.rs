//! A ledger held in memory, as a snapshot: for stores that keep theirs there, and for programs that bring one.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;

use super::StoreError;
use super::audit_rows::{
    AdjustRow, AdjustmentRow, BatchRow, CommandLineRow, CustomerRow, DeliveryRow, EffectRow, EventRow,
    FenceRow, HeldRow, LineRow, Page, Piece, ProductRow, ReservationRow, Snapshot, VersionRow, Watermarks,
    command_rank,
};
use super::{Adjustment, Resolution};
use crate::clock::Timestamp;
use crate::event::OutboxRow;
use crate::ids::{BatchId, CustomerId, Delivery, ProductId};
use crate::journal::{ChangeKind, JournalCommand, JournalEntry};
use crate::product::Product;
use crate::quantity::Units;
use crate::reservation::{Reservation, Status};

/// Rows in one page.
const PAGE_ROWS: usize = 1_000;

/// Product, version, batch, kind.
type EffectKey = (ProductId, Option<i64>, BatchId, u8);

/// Every table, in any order.
#[derive(Clone, Debug, Default)]
pub struct LedgerCopy {
    /// Products.
    pub products: Vec<Product>,
    /// Reservations.
    pub reservations: Vec<Reservation>,
    /// The journal.
    pub journal: Vec<JournalEntry>,
    /// How batches ended, and when that was written.
    pub fences: Vec<(BatchId, Resolution, Timestamp)>,
    /// Adjustments.
    pub adjustments: Vec<Adjustment>,
    /// What customers have of limited products.
    pub customer_units: Vec<(CustomerId, ProductId, Units)>,
    /// The inbox.
    pub deliveries: Vec<(Delivery, Timestamp)>,
    /// The outbox: the batch, the row, its digest when it was written, when that was.
    pub outbox: Vec<(BatchId, OutboxRow, i64, Timestamp)>,
    /// How far pruning has come.
    pub watermarks: Watermarks,
}

impl LedgerCopy {
    /// Reads the copy for the audit.
    pub fn into_snapshot(self) -> Box<dyn Snapshot> {
        Box::new(CopySnapshot { ledger: self, ..CopySnapshot::default() })
    }

    fn held(&self) -> Vec<HeldRow> {
        let mut held: BTreeMap<ProductId, i64> = BTreeMap::new();
        for reservation in self.reservations.iter().filter(|r| r.status == Status::Held) {
            for line in reservation.lines.iter() {
                *held.entry(line.product).or_default() += i64::from(line.quantity.get());
            }
        }
        held.into_iter().map(|(product, units)| HeldRow { product, units }).collect()
    }

    fn versions(&self) -> Vec<VersionRow> {
        let rows =
            self.journal.iter().flat_map(|entry| entry.products.iter().map(move |after| (entry, after)));
        sorted(
            rows.map(|(entry, after)| VersionRow {
                product: after.product,
                version: signed(after.version),
                batch: entry.batch,
                at: Some(entry.at),
                on_hand: after.on_hand.get(),
                held: after.held.get(),
                previous: after.previous,
            }),
            |row| (row.product, row.version),
        )
    }

    fn effects(&self) -> Vec<EffectRow> {
        let mut sums: BTreeMap<EffectKey, (i64, i64)> = BTreeMap::new();
        for (entry, command) in self.commands() {
            for line in &command.lines {
                let version = version_of(entry, line.product);
                let key = (line.product, version, entry.batch, command.kind.code());
                let sum = sums.entry(key).or_default();
                *sum = (sum.0.saturating_add(line.units.get()), sum.1 + 1);
            }
        }
        let rows = sums.into_iter().map(|((product, version, batch, kind), (units, lines))| EffectRow {
            product,
            version,
            batch,
            kind: Some(i64::from(kind)),
            units,
            lines,
        });
        rows.collect()
    }

    fn customer_lines(&self) -> Vec<CustomerRow> {
        let since: HashMap<ProductId, Timestamp> =
            self.products.iter().filter_map(|p| Some((p.id, p.limited_since?))).collect();
        let mut units: BTreeMap<(ProductId, &str), i64> = BTreeMap::new();
        for reservation in &self.reservations {
            let counts = matches!(reservation.status, Status::Held | Status::Committed);
            let Some(customer) = reservation.customer.as_ref().filter(|_| counts) else { continue };
            for line in reservation.lines.iter() {
                if since.get(&line.product).is_some_and(|since| reservation.created_at >= *since) {
                    *units.entry((line.product, customer.as_str())).or_default() +=
                        i64::from(line.quantity.get());
                }
            }
        }
        let rows = units.into_iter().map(|((product, customer), units)| CustomerRow {
            product,
            customer: customer.to_owned(),
            units,
        });
        rows.collect()
    }

    fn command_lines(&self) -> Vec<CommandLineRow> {
        let mut rows = Vec::new();
        for entry in &self.journal {
            for (position, command) in (1..).zip(&entry.commands) {
                let Some(order) = command.order else { continue };
                let remark = command.remark.as_deref();
                let row = |line| CommandLineRow {
                    order,
                    at: entry.at,
                    batch: entry.batch,
                    position,
                    kind: i64::from(command.kind.code()),
                    customer: remark.and_then(|r| r.customer.as_ref()).map(CustomerId::to_string),
                    line,
                };
                if command.lines.is_empty() {
                    rows.push(row(None));
                }
                rows.extend(command.lines.iter().map(|line| row(Some((line.product, line.units.get())))));
            }
        }
        sorted(rows, |row| (row.order, row.at, command_rank(row.kind), row.batch, row.position, row.line))
    }

    fn adjusts(&self) -> Vec<AdjustRow> {
        let adjusts = self.commands().filter_map(|(entry, command)| {
            let remark = command.remark.as_deref();
            let id = remark.and_then(|r| r.adjustment.as_ref());
            if command.kind != ChangeKind::Adjust && id.is_none() {
                return None;
            }
            let line = command.lines.first();
            Some(AdjustRow {
                id: id.map(|id| id.to_string()).unwrap_or_default(),
                batch: entry.batch,
                at: entry.at,
                kind: i64::from(command.kind.code()),
                reason: remark.and_then(|r| r.reason.as_ref()).map(|note| note.to_string()),
                reference: remark.and_then(|r| r.reference.as_ref()).map(|note| note.to_string()),
                line: line.map(|l| (l.product, l.units.get(), version_of(entry, l.product))),
            })
        });
        sorted(adjusts, |row| row.id.clone())
    }

    fn carried(&self) -> Vec<DeliveryRow> {
        let carried = self.commands().filter_map(|(entry, command)| {
            let delivery = command.remark.as_deref()?.delivery.as_ref()?;
            Some(delivery_row(delivery, entry.at, Some(entry.batch)))
        });
        sorted(carried, Clone::clone)
    }

    fn commands(&self) -> impl Iterator<Item = (&JournalEntry, &JournalCommand)> {
        self.journal.iter().flat_map(|entry| entry.commands.iter().map(move |command| (entry, command)))
    }
}

/// The open piece, which is always everything of its kind: each stream sorted when it is first asked for.
#[derive(Default)]
struct CopySnapshot {
    ledger: LedgerCopy,
    products: Stream<ProductRow>,
    held: Stream<HeldRow>,
    versions: Stream<VersionRow>,
    effects: Stream<EffectRow>,
    customer_units: Stream<CustomerRow>,
    customer_lines: Stream<CustomerRow>,
    reservations: Stream<ReservationRow>,
    command_lines: Stream<CommandLineRow>,
    batches: Stream<BatchRow>,
    fences: Stream<FenceRow>,
    events: Stream<EventRow>,
    adjustments: Stream<AdjustmentRow>,
    adjusts: Stream<AdjustRow>,
    inbox: Stream<DeliveryRow>,
    deliveries: Stream<DeliveryRow>,
}

/// A stream's rows that are left, once it was begun.
struct Stream<R>(Option<std::vec::IntoIter<R>>);

impl<R> Default for Stream<R> {
    fn default() -> Self {
        Self(None)
    }
}

impl<R> Stream<R> {
    fn page(&mut self, rows: impl FnOnce() -> Vec<R>) -> Page<R> {
        Ok(self.0.get_or_insert_with(|| rows().into_iter()).by_ref().take(PAGE_ROWS).collect())
    }
}

#[async_trait]
impl Snapshot for CopySnapshot {
    async fn pieces(&mut self) -> Result<Vec<Piece>, StoreError> {
        Ok(Piece::whole())
    }

    async fn open(&mut self, _piece: &Piece) -> Result<Watermarks, StoreError> {
        let ledger = std::mem::take(&mut self.ledger);
        *self = Self { ledger, ..Self::default() };
        Ok(self.ledger.watermarks)
    }

    async fn products(&mut self) -> Page<ProductRow> {
        self.products.page(|| sorted(self.ledger.products.iter().map(product_row), |row| row.product))
    }

    async fn held(&mut self) -> Page<HeldRow> {
        self.held.page(|| self.ledger.held())
    }

    async fn versions(&mut self) -> Page<VersionRow> {
        self.versions.page(|| self.ledger.versions())
    }

    async fn effects(&mut self) -> Page<EffectRow> {
        self.effects.page(|| self.ledger.effects())
    }

    async fn customer_units(&mut self) -> Page<CustomerRow> {
        self.customer_units.page(|| {
            let rows = self.ledger.customer_units.iter().map(|(customer, product, units)| CustomerRow {
                product: *product,
                customer: customer.to_string(),
                units: units.get(),
            });
            sorted(rows, |row| (row.product, row.customer.clone()))
        })
    }

    async fn customer_lines(&mut self) -> Page<CustomerRow> {
        self.customer_lines.page(|| self.ledger.customer_lines())
    }

    async fn reservations(&mut self) -> Page<ReservationRow> {
        self.reservations
            .page(|| sorted(self.ledger.reservations.iter().map(reservation_row), |row| row.order))
    }

    async fn command_lines(&mut self) -> Page<CommandLineRow> {
        self.command_lines.page(|| self.ledger.command_lines())
    }

    async fn batches(&mut self) -> Page<BatchRow> {
        self.batches.page(|| {
            let row =
                |entry: &JournalEntry| BatchRow { batch: entry.batch, at: Some(entry.at), malformed: None };
            sorted(self.ledger.journal.iter().map(row), |row| row.batch)
        })
    }

    async fn fences(&mut self) -> Page<FenceRow> {
        self.fences.page(|| {
            let rows = self.ledger.fences.iter().map(|(batch, resolution, at)| FenceRow {
                batch: *batch,
                outcome: outcome(*resolution).to_owned(),
                at: *at,
            });
            sorted(rows, |row| row.batch)
        })
    }

    async fn events(&mut self) -> Page<EventRow> {
        self.events.page(|| {
            let rows = self.ledger.outbox.iter().map(|(batch, row, digest, at)| EventRow {
                batch: *batch,
                row: row.clone(),
                digest: *digest,
                created_at: *at,
            });
            sorted(rows, |row| row.batch)
        })
    }

    async fn adjustments(&mut self) -> Page<AdjustmentRow> {
        self.adjustments
            .page(|| sorted(self.ledger.adjustments.iter().map(adjustment_row), |row| row.id.clone()))
    }

    async fn adjusts(&mut self) -> Page<AdjustRow> {
        self.adjusts.page(|| self.ledger.adjusts())
    }

    async fn inbox(&mut self) -> Page<DeliveryRow> {
        self.inbox.page(|| {
            let rows = self.ledger.deliveries.iter().map(|(delivery, at)| delivery_row(delivery, *at, None));
            sorted(rows, Clone::clone)
        })
    }

    async fn deliveries(&mut self) -> Page<DeliveryRow> {
        self.deliveries.page(|| self.ledger.carried())
    }

    async fn close(self: Box<Self>) -> Result<(), StoreError> {
        Ok(())
    }
}

fn sorted<R, K: Ord>(rows: impl IntoIterator<Item = R>, key: impl FnMut(&R) -> K) -> Vec<R> {
    let mut rows: Vec<R> = rows.into_iter().collect();
    rows.sort_by_key(key);
    rows
}

fn signed(version: u64) -> i64 {
    i64::try_from(version).unwrap_or(i64::MAX)
}

fn version_of(entry: &JournalEntry, product: ProductId) -> Option<i64> {
    entry.products.iter().find(|after| after.product == product).map(|after| signed(after.version))
}

fn outcome(resolution: Resolution) -> &'static str {
    match resolution {
        Resolution::Committed => "committed",
        Resolution::Aborted => "aborted",
    }
}

fn product_row(product: &Product) -> ProductRow {
    ProductRow {
        product: product.id,
        on_hand: product.on_hand.get(),
        held: product.held.get(),
        version: signed(product.version),
        admin_version: signed(product.admin_version),
        low_stock_threshold: product.low_stock_threshold.map(Units::get),
        per_customer_limit: product.per_customer_limit.map(|limit| i64::from(limit.get())),
        limited_since: product.limited_since,
        alert_state: i64::from(product.alert.code()),
        last_batch: product.last_batch,
    }
}

fn reservation_row(reservation: &Reservation) -> ReservationRow {
    let line = |line: crate::lines::Line| LineRow {
        product: line.product,
        requested: i64::from(line.quantity.get()),
        remaining: reservation.lines.quantity_of(line.product).map_or(0, |left| i64::from(left.get())),
    };
    ReservationRow {
        order: reservation.order,
        status: i64::from(reservation.status.code()),
        late: reservation.late,
        customer: reservation.customer.as_ref().map(CustomerId::to_string),
        created_at: reservation.created_at,
        expires_at: reservation.expires_at,
        expires_at_max: reservation.expires_at_max,
        ended_at: reservation.ended_at,
        lines: Ok(reservation.requested.iter().map(line).collect()),
    }
}

fn adjustment_row(adjustment: &Adjustment) -> AdjustmentRow {
    AdjustmentRow {
        id: adjustment.id.to_string(),
        product: adjustment.product,
        delta: adjustment.delta.get(),
        reason: adjustment.reason.to_string(),
        reference: adjustment.reference.as_ref().map(|note| note.to_string()),
        at: adjustment.at,
        version: signed(adjustment.version),
    }
}

fn delivery_row(delivery: &Delivery, at: Timestamp, batch: Option<BatchId>) -> DeliveryRow {
    let Delivery { consumer, message } = delivery;
    DeliveryRow { message: message.to_string(), consumer: consumer.to_string(), at, batch }
}
