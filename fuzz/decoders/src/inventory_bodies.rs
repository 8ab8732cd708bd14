//! Bodies of inventory's calls: the same bytes as each of them.

use inventory_core::command::SetStock;
use inventory_core::engine::ReserveRequest;
use inventory_core::ids::ProductId;
use inventory_core::limits::UNITS_MAX;
use inventory_service::wire::requests::{CommitWire, ExtendWire, ReleaseWire, ReserveWire};
use inventory_service::wire::stock::{AdjustWire, ImportRowWire, SetWire};
use serde_json::{Value, json};

use crate::promises;

/// Reads `bytes` as every body.
pub fn run(bytes: &[u8]) {
    if let Some(reserve) = promises::body::<ReserveWire>(bytes) {
        check_reserve(&reserve);
    }
    if let Some(commit) = promises::body::<CommitWire>(bytes) {
        commit.items.iter().for_each(|items| promises::lines(&items.lines));
    }
    if let Some(release) = promises::body::<ReleaseWire>(bytes) {
        release.items.iter().for_each(|items| promises::lines(&items.lines));
        release.reason.iter().for_each(|reason| promises::text(reason.as_str()));
    }
    if let Some(extend) = promises::body::<ExtendWire>(bytes) {
        assert!(extend.ttl.as_secs() >= 1, "{extend:?}");
    }
    if let Some(row) = promises::body::<ImportRowWire>(bytes) {
        check_set(&row);
        let written: Value = written_row(&row);
        assert_eq!(promises::body::<ImportRowWire>(written.to_string().as_bytes()), Some(row));
    }
    if let Some(settings) = promises::body::<SetWire>(bytes) {
        check_set(&settings.of(ProductId::new(7), None));
    }
    if let Some(adjustment) = promises::body::<AdjustWire>(bytes) {
        let adjust = adjustment.of(ProductId::new(7));
        assert!(adjust.delta.get().abs() <= UNITS_MAX, "{adjust:?}");
        promises::text(adjust.adjustment.as_str());
        promises::text(adjust.reason.as_str());
        adjust.reference.iter().for_each(|reference| promises::text(reference.as_str()));
    }
}

fn check_reserve(reserve: &ReserveRequest) {
    promises::lines(&reserve.lines);
    reserve.customer.iter().for_each(|customer| promises::text(customer.as_str()));
    assert!(reserve.ttl.is_none_or(|ttl| ttl.as_secs() >= 1), "{reserve:?}");
    let items: Vec<_> = reserve
        .lines
        .iter()
        .map(|line| json!({"productId": line.product.get(), "quantity": line.quantity.get()}))
        .collect();
    let written = json!({
        "orderId": reserve.order.get(),
        "items": items,
        "customerId": reserve.customer.as_ref().map(|customer| customer.as_str()),
        "ttlSeconds": reserve.ttl.map(|ttl| ttl.as_secs()),
    });
    let read = promises::body::<ReserveWire>(written.to_string().as_bytes());
    assert_eq!(read.as_ref(), Some(reserve), "{written}");
}

pub(crate) fn check_set(set: &SetStock) {
    promises::level(set.on_hand);
    set.low_stock_threshold.into_iter().for_each(promises::level);
    set.name.iter().for_each(|name| promises::text(name.as_str()));
    assert!(set.per_customer_limit.is_none_or(|limit| limit.get() >= 1), "{set:?}");
}

/// A row as NDJSON has it.
pub(crate) fn written_row(set: &SetStock) -> Value {
    let mut row = json!({"productId": set.product.get(), "onHand": set.on_hand.get()});
    if let Some(threshold) = set.low_stock_threshold {
        row["lowStockThreshold"] = threshold.get().into();
    }
    if let Some(limit) = set.per_customer_limit {
        row["perCustomerLimit"] = limit.get().into();
    }
    if let Some(name) = &set.name {
        row["name"] = name.as_str().into();
    }
    row
}
