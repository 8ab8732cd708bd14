//! The product's own pruning, as the calendar does it, with the retention that it has unless told otherwise.

use std::time::Instant;

use anyhow::Result;
use inventory_core::options::EngineOptions;
use inventory_core::store::Store as _;
use inventory_core::store::postgres::{PostgresOptions, PostgresStore};
use serde::Serialize;

use super::Ledger;
use crate::report::markdown::grouped;

/// What it removed, and how long that took.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pruning {
    /// Reservations removed.
    pub reservations: u64,
    /// Entries of the journal.
    pub journal: u64,
    /// Fences.
    pub fences: u64,
    /// Pieces.
    pub pieces: u64,
    /// In seconds, without the pauses that the calendar makes between pieces.
    pub seconds: f64,
    /// How long the first piece took, in milliseconds.
    pub first_ms: f64,
    /// The longest.
    pub longest_ms: f64,
}

/// Prunes until nothing is left to be pruned.
pub async fn prune(ledger: &Ledger) -> Result<Pruning> {
    let store = PostgresStore::connect(ledger.url(), PostgresOptions::default()).await?;
    let retention = EngineOptions::default().retention;
    let begun = Instant::now();
    let mut all = Pruning {
        reservations: 0,
        journal: 0,
        fences: 0,
        pieces: 0,
        seconds: 0.0,
        first_ms: 0.0,
        longest_ms: 0.0,
    };
    loop {
        let piece = Instant::now();
        let pruned = store.prune(&retention).await?;
        let took_ms = piece.elapsed().as_secs_f64() * 1e3;
        if all.pieces == 0 {
            all.first_ms = took_ms;
        }
        all.longest_ms = all.longest_ms.max(took_ms);
        all.pieces += 1;
        all.reservations += pruned.reservations;
        all.journal += pruned.journal;
        all.fences += pruned.fences;
        if !pruned.more {
            all.seconds = begun.elapsed().as_secs_f64();
            return Ok(all);
        }
    }
}

impl Pruning {
    /// A sentence.
    pub fn describe(&self) -> String {
        format!(
            "Pruned {} reservations, {} entries of the journal and {} fences in {:.1} s: {} pieces, the first in {:.0} ms, the longest in {:.0} ms.",
            grouped(self.reservations as f64),
            grouped(self.journal as f64),
            grouped(self.fences as f64),
            self.seconds,
            grouped(self.pieces as f64),
            self.first_ms,
            self.longest_ms,
        )
    }
}
