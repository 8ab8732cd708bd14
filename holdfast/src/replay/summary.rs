//! What a replay came to, for people and machines.

use std::collections::BTreeMap;

use inventory_core::ids::OrderId;
use serde::{Serialize, Serializer};

use super::{Digest, Fate};
use crate::ledger::{AuditReport, Ending};

/// What became of one basket.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum BasketOutcome {
    /// Every line was dropped; nothing was sent.
    Empty,
    /// Refused, by code.
    Refused(String),
    /// Held, and then what fate decided.
    Held {
        /// It had been held before this run.
        is_replay: bool,
        /// What was tried.
        fate: Fate,
        /// What came of it.
        ending: Ending,
    },
}

/// Counts of baskets, and the digest over every order and its outcome in file order.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tally {
    /// Baskets dealt with.
    pub baskets: u64,
    /// Held by this run.
    pub admitted: u64,
    /// Held by an earlier run over the same store.
    pub replayed: u64,
    /// Refused, by code.
    pub refused: BTreeMap<String, u64>,
    /// Baskets without a usable line.
    pub empty: u64,
    /// Holds committed.
    pub committed: u64,
    /// Holds released.
    pub released: u64,
    /// Holds left to expire.
    pub left: u64,
    /// Holds that could not be ended as decided, by code.
    pub not_ended: BTreeMap<String, u64>,
    /// Tells whether two runs had the same admissions and refusals.
    #[serde(serialize_with = "as_text")]
    pub digest: Digest,
}

fn as_text<S: Serializer>(digest: &Digest, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(digest)
}

impl Tally {
    /// Takes one basket in. Call in file order.
    pub(super) fn count(&mut self, order: OrderId, outcome: &BasketOutcome) {
        self.baskets += 1;
        self.digest.feed(order.get().as_bytes());
        match outcome {
            BasketOutcome::Empty => {
                self.empty += 1;
                self.digest.feed(b"empty");
            }
            BasketOutcome::Refused(code) => {
                *self.refused.entry(code.clone()).or_default() += 1;
                self.digest.feed(code.as_bytes());
            }
            BasketOutcome::Held { is_replay, fate, ending } => {
                let (counter, word): (_, &[u8]) = if *is_replay {
                    (&mut self.replayed, b"replayed")
                } else {
                    (&mut self.admitted, b"admitted")
                };
                *counter += 1;
                self.digest.feed(word);
                self.count_ending(*fate, ending);
            }
        }
        self.digest.feed(b"\n");
    }

    fn count_ending(&mut self, fate: Fate, ending: &Ending) {
        if let Ending::Refused(code) = ending {
            *self.not_ended.entry(code.clone()).or_default() += 1;
            self.digest.feed(code.as_bytes());
            return;
        }
        let (counter, word): (_, &[u8]) = match fate {
            Fate::Commit => (&mut self.committed, b"+committed"),
            Fate::Release => (&mut self.released, b"+released"),
            Fate::Leave => (&mut self.left, b"+left"),
        };
        *counter += 1;
        self.digest.feed(word);
    }
}

/// What became of the file's lines.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LineCounts {
    /// Below the header.
    pub read: u64,
    /// Left out, by reason.
    pub dropped: BTreeMap<&'static str, u64>,
}

/// Everything that a finished run has to say.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// What was replayed.
    pub file: String,
    /// Against what.
    pub place: String,
    /// Deciding fates.
    pub seed: u64,
    /// Above 1 the digest depends on timing.
    pub concurrency: usize,
    /// The run without reading the file, the import and the audit.
    pub elapsed_seconds: f64,
    /// What became of lines.
    pub lines: LineCounts,
    /// What became of baskets.
    #[serde(flatten)]
    pub tally: Tally,
    /// Whether the result holds water.
    pub audit: AuditReport,
}
