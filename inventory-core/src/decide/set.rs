//! Create a product, or set its stock and settings; by hand or by import.

use smallvec::smallvec;

use super::stock::not_locked;
use super::working::Working;
use crate::command::SetStock;
use crate::error::{Failure, SetError};
use crate::ids::BatchId;
use crate::journal::{ChangeKind, JournalLine, Remark};
use crate::limits::UNITS_MAX;
use crate::outcome::{SetChange, StockSet};
use crate::product::{Alert, Product};
use crate::quantity::Units;

/// `kind` is what the journal calls it: set or import. Absent fields stay; no difference, no effect.
pub(super) fn set(
    working: &mut Working<'_>,
    command: &SetStock,
    kind: ChangeKind,
) -> Result<StockSet, SetError> {
    if working.stock.is_skipped(command.product) {
        return Err(not_locked(command.product).into());
    }
    let had = working.stock.product(command.product);
    let admin_version = had.map(|product| product.admin_version);
    if command.expected_admin_version.is_some() && command.expected_admin_version != admin_version {
        return Err(SetError::Stale { product: command.product, admin_version });
    }
    let held = had.map_or(Units::ZERO, |product| product.held);
    if command.on_hand < held {
        return Err(SetError::BelowHeld { product: command.product, held });
    }
    if command.on_hand.get() > UNITS_MAX {
        let reason = format!("a product may have {UNITS_MAX} units at most");
        return Err(Failure::Refused { reason }.into());
    }
    let change = if had.is_some() { SetChange::Updated } else { SetChange::Created };
    let before = had.cloned().unwrap_or_else(|| new_product(command));
    let mut wanted = before.clone();
    wanted.low_stock_threshold = command.low_stock_threshold.or(before.low_stock_threshold);
    wanted.per_customer_limit = command.per_customer_limit.or(before.per_customer_limit);
    wanted.name = command.name.clone().or_else(|| before.name.clone());
    if change == SetChange::Updated && wanted == before && command.on_hand == before.on_hand {
        return Ok(StockSet { product: before, change: SetChange::Unchanged });
    }
    let limit_starts = before.per_customer_limit.is_none() && wanted.per_customer_limit.is_some();
    if limit_starts {
        wanted.limited_since = Some(working.now);
    }
    working.stock.put(wanted);
    if limit_starts {
        working.stock.start_counting(command.product, &working.orders);
    }
    let units = command.on_hand - before.on_hand;
    let Some(product) = working.stock.administer(kind, command.product, units) else {
        return Err(not_locked(command.product).into());
    };
    let product = product.clone();
    let line = JournalLine { product: command.product, units };
    working.journal(kind, None, smallvec![line], Remark::default());
    Ok(StockSet { product, change })
}

/// Nothing yet: the change that creates it brings it to version 1 and names the batch.
fn new_product(command: &SetStock) -> Product {
    Product {
        id: command.product,
        on_hand: Units::ZERO,
        held: Units::ZERO,
        version: 0,
        admin_version: 0,
        low_stock_threshold: None,
        per_customer_limit: None,
        limited_since: None,
        name: None,
        alert: Alert::None,
        last_batch: BatchId::new(uuid::Uuid::nil()),
    }
}
