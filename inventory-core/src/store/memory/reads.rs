//! What is read of the tables: by the rules under locks, and by everyone else.

use std::ops::Bound;
use std::time::Duration;

use super::Ledger;
use crate::clock::Timestamp;
use crate::event::OutboxRow;
use crate::ids::{CustomerId, OrderId, ProductId};
use crate::journal::{ProductChange, ProductVersion};
use crate::quantity::Units;
use crate::reservation::{Reservation, Status};
use crate::store::{Due, Footprint, HoldOn, IdMap, IdSet, Locked, OrdersPage, Read};

impl Ledger {
    /// The products that a footprint locks, known or not: those it names, and those of its orders.
    pub fn concerned(&self, footprint: &Footprint) -> IdSet<ProductId> {
        let of_orders = self.of(footprint).flat_map(|r| r.requested.iter()).map(|line| line.product);
        footprint.products.iter().copied().chain(of_orders).collect()
    }

    /// Everything that the rules need to know about a footprint of which these products are locked.
    pub fn look(&self, footprint: &Footprint, products: &IdSet<ProductId>, now: Timestamp) -> Locked {
        let of_orders = self.of(footprint).filter_map(|r| r.customer.clone());
        let customers: IdSet<CustomerId> = footprint.customers.iter().cloned().chain(of_orders).collect();
        Locked {
            now,
            customer_units: self.units_of(&customers, products),
            products: products.iter().filter_map(|id| Some((*id, self.products.get(id)?.clone()))).collect(),
            reservations: self.of(footprint).map(|r| (r.order, r.clone())).collect(),
            adjustments: (footprint.adjustments.iter())
                .filter_map(|id| Some((id.clone(), self.adjustments.get(id)?.clone())))
                .collect(),
            delivered: (footprint.deliveries.iter())
                .filter(|delivery| self.deliveries.contains_key(*delivery))
                .cloned()
                .collect(),
            skipped: Vec::new(),
        }
    }

    /// The reservations that a footprint reads.
    fn of(&self, footprint: &Footprint) -> impl Iterator<Item = &Reservation> {
        footprint.orders.iter().filter_map(|order| self.reservations.get(order))
    }

    fn units_of(
        &self,
        customers: &IdSet<CustomerId>,
        products: &IdSet<ProductId>,
    ) -> IdMap<(CustomerId, ProductId), Units> {
        let first = ProductId::new(i64::MIN);
        let last = ProductId::new(i64::MAX);
        let rows = customers.iter().flat_map(|customer| {
            self.customer_units.range((customer.clone(), first)..=(customer.clone(), last))
        });
        rows.filter(|((_, product), _)| products.contains(product))
            .map(|(key, units)| (key.clone(), *units))
            .collect()
    }

    /// See [`crate::store::Store::read`].
    pub fn read(&self, products: &[ProductId], orders: &[OrderId]) -> Read {
        Read {
            products: products.iter().filter_map(|id| self.products.get(id).cloned()).collect(),
            known_orders: orders.iter().copied().filter(|id| self.reservations.contains_key(id)).collect(),
        }
    }

    /// One reservation.
    pub fn reservation(&self, order: OrderId) -> Option<&Reservation> {
        self.reservations.get(&order)
    }

    /// See [`crate::store::Store::orders_after`].
    pub fn orders_after(&self, after: Option<OrderId>, limit: usize, now: Timestamp) -> OrdersPage {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let page = self.reservations.range((from, Bound::Unbounded)).take(limit);
        let held_until = |r: &Reservation| (r.status == Status::Held).then_some(r.expires_at);
        OrdersPage { now, orders: page.map(|(order, r)| (*order, held_until(r))).collect() }
    }

    /// See [`crate::store::Store::due`].
    pub fn due(&self, grace: Duration, limit: usize, now: Timestamp) -> Due {
        let latest = now.minus(grace);
        let over = self.open_holds.iter().take_while(|(expires_at, _)| *expires_at <= latest);
        Due { now, orders: over.map(|(_, order)| *order).take(limit).collect() }
    }

    /// See [`crate::store::Store::holds_on`].
    pub fn holds_on(&self, product: ProductId, limit: usize) -> Vec<HoldOn> {
        let holds = self.open_holds.iter().filter_map(|(expires_at, order)| {
            let quantity = self.reservations.get(order)?.lines.quantity_of(product)?;
            Some(HoldOn { order: *order, quantity, expires_at: *expires_at })
        });
        holds.take(limit).collect()
    }

    /// See [`crate::store::Store::history`].
    pub fn history(&self, product: ProductId, from_version: u64, limit: usize) -> Vec<ProductVersion> {
        let versions = self.journal.iter().filter_map(|entry| {
            let after = entry.products.iter().find(|p| p.product == product && p.version >= from_version)?;
            let changes = entry.commands.iter().flat_map(|command| {
                let lines = command.lines.iter().filter(|line| line.product == product);
                lines.map(|line| ProductChange {
                    kind: command.kind,
                    order: command.order,
                    units: line.units,
                    reason: command.remark.as_ref().and_then(|remark| remark.reason.clone()),
                })
            });
            Some(ProductVersion {
                batch: entry.batch,
                at: entry.at,
                after: *after,
                changes: changes.collect(),
            })
        });
        versions.take(limit).collect()
    }

    /// Every event written so far, in order.
    pub fn events(&self) -> Vec<OutboxRow> {
        self.events_after(0)
    }

    /// The events that were written when there were so many already, in order.
    pub fn events_after(&self, known: usize) -> Vec<OutboxRow> {
        self.outbox.iter().skip(known).map(|(_, _, row, _)| row.clone()).collect()
    }
}
