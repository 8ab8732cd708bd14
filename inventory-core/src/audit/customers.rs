//! What customers have of limited products, against their reservations.

use super::is_pruned;
use super::report::{AuditReport, Check, Subject};
use super::rows::Rows;
use crate::ids::ProductId;
use crate::store::StoreError;
use crate::store::audit_rows::{CustomerRow, ProductRow, Snapshot, Watermarks};

pub(super) struct Customers {
    units: Rows<CustomerRow>,
    lines: Rows<CustomerRow>,
}

impl Customers {
    pub(super) fn new() -> Self {
        Self { units: Rows::new(|s| s.customer_units()), lines: Rows::new(|s| s.customer_lines()) }
    }

    pub(super) async fn first_key(
        &mut self,
        snapshot: &mut dyn Snapshot,
    ) -> Result<Option<ProductId>, StoreError> {
        let units = self.units.peek(snapshot).await?.map(|row| row.product);
        let lines = self.lines.peek(snapshot).await?.map(|row| row.product);
        Ok(units.into_iter().chain(lines).min())
    }

    /// Checks all customers of one product.
    pub(super) async fn check(
        &mut self,
        snapshot: &mut dyn Snapshot,
        product: ProductId,
        row: Option<&ProductRow>,
        marks: &Watermarks,
        report: &mut AuditReport,
    ) -> Result<(), StoreError> {
        let is_limited = row.is_some_and(|row| row.per_customer_limit.is_some());
        // Bought units count on after pruning took the reservation away.
        let lower_bound_only =
            row.and_then(|row| row.limited_since).is_some_and(|since| is_pruned(since, marks.reservations));
        loop {
            let ours = |row: &&CustomerRow| row.product == product;
            let units = self.units.peek(snapshot).await?.filter(ours).map(|row| row.customer.clone());
            let lines = self.lines.peek(snapshot).await?.filter(ours).map(|row| row.customer.clone());
            let Some(customer) = units.into_iter().chain(lines).min() else { return Ok(()) };
            let is_next = |row: &CustomerRow| row.product == product && row.customer == customer;
            let units = self.units.next_if(snapshot, is_next).await?;
            let lines = self.lines.next_if(snapshot, is_next).await?;
            report.checked.customer_units += u64::from(units.is_some());
            let units = units.map_or(0, |row| row.units);
            let lines = lines.map_or(0, |row| row.units);
            let detail = if !is_limited && units != 0 {
                format!("{units} of product {product}, which has no limit")
            } else if is_limited && (units < lines || (units > lines && !lower_bound_only)) {
                format!("{units} of product {product}, but HELD and COMMITTED lines say {lines}")
            } else {
                continue;
            };
            report.add(Check::CustomerUnits, Subject::Customer(customer), detail);
        }
    }
}
