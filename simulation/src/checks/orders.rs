//! The ledger's log by order, delivery and adjustment.

use std::collections::{BTreeMap, BTreeSet};

use inventory_core::ids::OrderId;
use inventory_core::journal::{ChangeKind, JournalCommand};
use tokio::time::Instant;

use crate::ledger::Log;

/// One command that took effect.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) at: Instant,
    pub(super) process: u32,
    pub(super) command: JournalCommand,
    pub(super) lost: bool,
}

impl Record {
    pub(super) fn kind(&self) -> ChangeKind {
        self.command.kind
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Orders {
    records: BTreeMap<OrderId, Vec<Record>>,
    by_adjustment: BTreeMap<String, Vec<Record>>,
    tainted: BTreeSet<OrderId>,
}

impl Orders {
    pub(super) fn of(log: &Log) -> Self {
        let mut orders = Self::default();
        for batch in &log.batches {
            for command in &batch.entry.commands {
                let (command, lost) = (command.clone(), batch.lost);
                let record = Record { at: batch.at, process: batch.process, command, lost };
                let adjustment = record.command.remark.as_ref().and_then(|remark| remark.adjustment.clone());
                if let Some(order) = record.command.order {
                    if batch.lost {
                        orders.tainted.insert(order);
                    }
                    orders.records.entry(order).or_default().push(record);
                } else if let Some(id) = adjustment {
                    orders.by_adjustment.entry(id.to_string()).or_default().push(record);
                }
            }
        }
        orders
    }

    /// What happened to an order, in order.
    pub(super) fn records(&self, order: OrderId) -> &[Record] {
        self.records.get(&order).map_or(&[], Vec::as_slice)
    }

    /// What happened under an adjustment's key.
    pub(super) fn adjustments(&self, id: &str) -> &[Record] {
        self.by_adjustment.get(id).map_or(&[], Vec::as_slice)
    }

    /// Whether a failover took back something of the order: then nothing it was told binds.
    pub(super) fn is_tainted(&self, order: OrderId) -> bool {
        self.tainted.contains(&order)
    }

    /// Everything, with its order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (OrderId, &Record)> {
        self.records.iter().flat_map(|(order, records)| records.iter().map(move |record| (*order, record)))
    }

    /// Every adjustment, with its key.
    pub(super) fn iter_adjustments(&self) -> impl Iterator<Item = (&str, &Record)> {
        let all = self.by_adjustment.iter();
        all.flat_map(|(id, records)| records.iter().map(move |record| (id.as_str(), record)))
    }
}
