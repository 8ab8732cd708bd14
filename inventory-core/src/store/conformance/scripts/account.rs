//! What a store kept of a script: every read of the port, and every row.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::time::Duration;

use super::draw::{Ending, PRODUCTS, Step};
use crate::clock::Timestamp;
use crate::command::Command;
use crate::ids::{OrderId, ProductId};
use crate::store::audit_rows::{BatchRow, EventRow, FenceRow, Piece, Snapshot};
use crate::store::{Store, StoreError};

/// More than any script leaves.
const ALL: usize = 100_000;
/// A page that does not hold all.
const FEW: usize = 3;

/// Every row of one stream.
macro_rules! rows {
    ($snapshot:ident.$stream:ident) => {{
        let mut rows = Vec::new();
        loop {
            let page = $snapshot.$stream().await?;
            if page.is_empty() {
                break rows;
            }
            rows.extend(page);
        }
    }};
}

/// Adds everything that the store has.
pub(super) async fn read(
    store: &dyn Store,
    steps: &[Step],
    lines: &mut Vec<String>,
) -> Result<(), StoreError> {
    products(store, lines).await?;
    orders(store, steps, lines).await?;
    let mut snapshot = store.snapshot().await?;
    for piece in snapshot.pieces().await? {
        snapshot.open(&piece).await?;
        rows(&mut *snapshot, &piece, lines).await?;
    }
    snapshot.close().await
}

async fn products(store: &dyn Store, lines: &mut Vec<String>) -> Result<(), StoreError> {
    for product in PRODUCTS.map(ProductId::new) {
        for limit in [ALL, FEW] {
            let holds = store.holds_on(product, limit).await?;
            lines.push(format!("holds on {product}, {limit}: {holds:?}"));
        }
        for (from, limit) in [(0, ALL), (3, FEW)] {
            let versions = store.history(product, from, limit).await?;
            list(&format!("history of {product} from {from}, {limit}"), &versions, lines);
        }
    }
    Ok(())
}

async fn orders(store: &dyn Store, steps: &[Step], lines: &mut Vec<String>) -> Result<(), StoreError> {
    let others = |step: &Step| match &step.ending {
        Ending::PassedOver(others) => others.clone(),
        _ => Vec::new(),
    };
    let commands = steps.iter().flat_map(|step| step.commands.iter().cloned().chain(others(step)));
    let asked: BTreeSet<OrderId> = commands.filter_map(|command: Command| command.order()).collect();
    for order in &asked {
        let (_, found) = store.reservation(*order).await?;
        lines.push(format!("reservation {order}: {found:?}"));
    }
    let all = store.orders_after(None, ALL).await?.orders;
    let few = store.orders_after(asked.iter().next().copied(), FEW).await?.orders;
    list("orders", &all, lines);
    list("a page of orders", &few, lines);
    for limit in [FEW, ALL] {
        list("due", &store.due(Duration::ZERO, limit).await?.orders, lines);
    }
    Ok(())
}

/// Every row of a piece. When a fence or an event was written is the store's own affair.
async fn rows(snapshot: &mut dyn Snapshot, piece: &Piece, lines: &mut Vec<String>) -> Result<(), StoreError> {
    match piece {
        Piece::Products { .. } => {
            list("product", &rows!(snapshot.products), lines);
            list("held", &rows!(snapshot.held), lines);
            list("version", &rows!(snapshot.versions), lines);
            list("effect", &rows!(snapshot.effects), lines);
            list("customer's units", &rows!(snapshot.customer_units), lines);
            list("customer's lines", &rows!(snapshot.customer_lines), lines);
        }
        Piece::Orders { .. } => {
            list("reservation", &rows!(snapshot.reservations), lines);
            list("command", &rows!(snapshot.command_lines), lines);
        }
        Piece::Batches { .. } => {
            list::<BatchRow>("batch", &rows!(snapshot.batches), lines);
            let at = Timestamp::EPOCH;
            let fences = rows!(snapshot.fences).into_iter().map(|fence| FenceRow { at, ..fence });
            list("fence", &fences.collect::<Vec<_>>(), lines);
            let events = rows!(snapshot.events).into_iter().map(|event| EventRow { created_at: at, ..event });
            list("event", &events.collect::<Vec<_>>(), lines);
        }
        Piece::Adjustments { .. } => {
            list("adjustment", &rows!(snapshot.adjustments), lines);
            list("adjusts", &rows!(snapshot.adjusts), lines);
        }
        Piece::Deliveries { .. } => {
            list("inbox", &rows!(snapshot.inbox), lines);
            list("delivery", &rows!(snapshot.deliveries), lines);
        }
    }
    Ok(())
}

fn list<R: Debug>(name: &str, rows: &[R], lines: &mut Vec<String>) {
    lines.extend(rows.iter().map(|row| format!("{name}: {row:?}")));
    lines.push(format!("{name}: {} in all", rows.len()));
}
