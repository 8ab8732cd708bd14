//! The journal, indexed: batches, each product's chain of versions, and what each batch did to each of its products.

use inventory_core::clock::Timestamp;
use inventory_core::journal::{ChangeKind, JournalCommand, JournalEntry};
use rustc_hash::FxHashMap;
use uuid::Uuid;

use crate::findings::{Findings, count};
use crate::options::{Extent, Options};
use crate::violation::Violation;

/// A batch's place in [`Journal::entries`].
pub(crate) type BatchAt = usize;

#[derive(Debug)]
pub(crate) struct Journal {
    pub(crate) entries: Vec<JournalEntry>,
    /// By product.
    pub(crate) chains: Vec<Chain>,
    chain_of: FxHashMap<i64, usize>,
    pruned_before: Option<Timestamp>,
}

/// A product's versions, in order.
#[derive(Debug)]
pub(crate) struct Chain {
    pub(crate) product: i64,
    pub(crate) versions: Vec<Version>,
}

/// A product after a batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Version {
    pub(crate) batch: BatchAt,
    pub(crate) version: u64,
    pub(crate) on_hand: i64,
    pub(crate) held: i64,
    pub(crate) previous: Option<Uuid>,
    pub(crate) effect: Effect,
}

impl Version {
    pub(crate) fn available(&self) -> i64 {
        self.on_hand.saturating_sub(self.held)
    }
}

/// What a batch's commands did to a product, one after the other.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Effect {
    pub(crate) on_hand: i128,
    pub(crate) held: i128,
    /// The least and the most availability after any of its commands, counted from before the batch.
    pub(crate) least: i128,
    pub(crate) most: i128,
    pub(crate) lines: u32,
}

impl Effect {
    fn apply(&mut self, kind: ChangeKind, units: i64) {
        let (on_hand, held) = moved(kind, units);
        self.on_hand += on_hand;
        self.held += held;
        let available = self.on_hand - self.held;
        (self.least, self.most) = match self.lines {
            0 => (available, available),
            _ => (self.least.min(available), self.most.max(available)),
        };
        self.lines = self.lines.saturating_add(1);
    }
}

/// What units of a kind do: (on hand, held). Written down again here: the checker must not believe the ledger's own table.
pub(crate) fn moved(kind: ChangeKind, units: i64) -> (i128, i128) {
    let units = i128::from(units);
    match kind {
        ChangeKind::Reserve => (0, units),
        ChangeKind::Commit => (-units, -units),
        ChangeKind::CommitLate => (-units, 0),
        ChangeKind::Release | ChangeKind::ReleasePart | ChangeKind::Expire => (0, -units),
        ChangeKind::ReleaseExpired | ChangeKind::Tombstone | ChangeKind::Lose | ChangeKind::Extend => (0, 0),
        ChangeKind::Adjust | ChangeKind::Set | ChangeKind::Import => (units, 0),
    }
}

/// Whether a kind of change is administration.
pub(crate) fn is_administration(kind: ChangeKind) -> bool {
    matches!(kind, ChangeKind::Adjust | ChangeKind::Set | ChangeKind::Import)
}

impl Journal {
    pub(crate) fn new(
        entries: impl IntoIterator<Item = JournalEntry>,
        options: &Options,
        findings: &mut Findings,
    ) -> Self {
        let mut entries: Vec<JournalEntry> = entries.into_iter().collect();
        entries.sort_by_key(|entry| (entry.at, entry.batch));
        let pruned_before = match options.journal {
            Extent::Complete => None,
            Extent::PrunedBefore(at) => Some(at),
        };
        let mut journal = Self { entries, chains: Vec::new(), chain_of: FxHashMap::default(), pruned_before };
        journal.drop_repeated(findings);
        journal.link(findings);
        let checked = findings.checked();
        checked.batches = count(journal.entries.len());
        checked.commands = journal.entries.iter().map(|entry| count(entry.commands.len())).sum();
        checked.products = count(journal.chains.len());
        checked.versions = journal.chains.iter().map(|chain| count(chain.versions.len())).sum();
        journal
    }

    pub(crate) fn id(&self, batch: BatchAt) -> Uuid {
        self.entries[batch].batch.get()
    }

    pub(crate) fn at(&self, batch: BatchAt) -> Timestamp {
        self.entries[batch].at
    }

    pub(crate) fn command(&self, batch: BatchAt, position: usize) -> &JournalCommand {
        &self.entries[batch].commands[position]
    }

    pub(crate) fn is_pruned(&self) -> bool {
        self.pruned_before.is_some()
    }

    /// Whether pruning may have taken this batch's commands.
    pub(crate) fn is_checkpoint(&self, batch: BatchAt) -> bool {
        self.pruned_before.is_some_and(|before| self.at(batch) < before)
    }

    pub(crate) fn chain(&self, product: i64) -> Option<&Chain> {
        self.chain_of.get(&product).map(|at| &self.chains[*at])
    }

    fn drop_repeated(&mut self, findings: &mut Findings) {
        let mut seen = rustc_hash::FxHashSet::default();
        self.entries.retain(|entry| {
            let is_new = seen.insert(entry.batch);
            if !is_new {
                let why = "is in the journal twice".to_owned();
                findings.add(Violation::EntryShape { batch: entry.batch.get(), why });
            }
            is_new
        });
    }

    /// Sorts every product's versions, and sums what the commands did to each.
    fn link(&mut self, findings: &mut Findings) {
        let mut chains: FxHashMap<i64, Vec<Version>> = FxHashMap::default();
        for (batch, entry) in self.entries.iter().enumerate() {
            let effects = self.effects(batch, entry, findings);
            for (after, effect) in entry.products.iter().zip(effects) {
                chains.entry(after.product.get()).or_default().push(Version {
                    batch,
                    version: after.version,
                    on_hand: after.on_hand.get(),
                    held: after.held.get(),
                    previous: after.previous.map(|batch| batch.get()),
                    effect,
                });
            }
        }
        let mut chains: Vec<Chain> =
            chains.into_iter().map(|(product, versions)| Chain { product, versions }).collect();
        chains.sort_unstable_by_key(|chain| chain.product);
        for chain in &mut chains {
            // Entries stand by time, so that of two batches with one version the earlier comes first.
            chain.versions.sort_by_key(|version| (version.version, version.batch));
        }
        self.chain_of = chains.iter().enumerate().map(|(at, chain)| (chain.product, at)).collect();
        self.chains = chains;
    }

    fn effects(&self, batch: BatchAt, entry: &JournalEntry, findings: &mut Findings) -> Vec<Effect> {
        let mut complain =
            |why: String| findings.add(Violation::EntryShape { batch: entry.batch.get(), why });
        let mut slot_of: FxHashMap<i64, usize> = FxHashMap::default();
        for (slot, after) in entry.products.iter().enumerate() {
            if slot_of.insert(after.product.get(), slot).is_some() {
                complain(format!("lists product {} twice", after.product));
            }
        }
        let mut effects = vec![Effect::default(); entry.products.len()];
        for command in &entry.commands {
            if command.order.is_none() != is_administration(command.kind) {
                complain(format!("has a command of the kind {} that fits no order", command.kind.name()));
            }
            for line in &command.lines {
                match slot_of.get(&line.product.get()) {
                    Some(slot) => effects[*slot].apply(command.kind, line.units.get()),
                    None => complain(format!("moves product {} but does not list it", line.product)),
                }
                if line.units.get() <= 0 && !is_administration(command.kind) {
                    let (kind, units) = (command.kind.name(), line.units);
                    complain(format!("has a {kind} of {units} of product {}", line.product));
                }
            }
        }
        if !self.is_checkpoint(batch) {
            for (after, _) in entry.products.iter().zip(&effects).filter(|(_, effect)| effect.lines == 0) {
                complain(format!("lists product {} but does nothing to it", after.product));
            }
        }
        effects
    }
}
