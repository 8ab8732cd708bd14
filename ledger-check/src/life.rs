//! Each hold's life: it begins once and ends once; an expired one may end once more. A table of the checker's own.

use inventory_core::journal::ChangeKind;
use rustc_hash::FxHashMap;

use crate::cases::{Case, Did};
use crate::findings::Findings;
use crate::history::Lines;
use crate::journal::Journal;
use crate::stock::narrowed;
use crate::violation::Violation;

/// What an order is in the ledger.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Standing {
    Unknown,
    Held,
    Committed,
    Released,
    Expired,
    Lost,
}

impl Standing {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Held => "HELD",
            Self::Committed => "COMMITTED",
            Self::Released => "RELEASED",
            Self::Expired => "EXPIRED",
            Self::Lost => "LOST",
        }
    }
}

/// What an order was, after each of its commands.
#[derive(Debug)]
pub(crate) struct Life {
    /// Before the first command, and after each.
    pub(crate) standings: Vec<Standing>,
    /// It began in a part of the journal that was pruned: what it held is not known.
    pub(crate) began_before: bool,
}

/// Units held of each product by the orders that hold it.
pub(crate) type HeldUnits = FxHashMap<i64, i128>;

/// Where a command leads from, and where to.
const fn step(kind: ChangeKind) -> (Standing, Standing) {
    use Standing::{Committed, Expired, Held, Lost, Released, Unknown};
    match kind {
        ChangeKind::Reserve => (Unknown, Held),
        ChangeKind::Tombstone => (Unknown, Released),
        ChangeKind::Commit => (Held, Committed),
        ChangeKind::Release => (Held, Released),
        ChangeKind::ReleasePart | ChangeKind::Extend => (Held, Held),
        ChangeKind::Expire => (Held, Expired),
        ChangeKind::CommitLate => (Expired, Committed),
        ChangeKind::ReleaseExpired => (Expired, Released),
        ChangeKind::Lose => (Expired, Lost),
        // Of no order: the shape of the entry was found wrong.
        ChangeKind::Adjust | ChangeKind::Set | ChangeKind::Import => (Unknown, Unknown),
    }
}

/// Lives one order's commands through. What it holds at the end is added to `held`.
pub(crate) fn replay(journal: &Journal, case: &Case, held: &mut HeldUnits, findings: &mut Findings) -> Life {
    let start = case.dids.first().map_or(Standing::Unknown, |did| step(did.kind).0);
    let began_before = journal.is_pruned() && start != Standing::Unknown;
    let mut now = if began_before { start } else { Standing::Unknown };
    // What is held or, once expired, was; unknown where it began before.
    let mut lines: Option<Lines> = (!began_before).then(Vec::new);
    let mut standings = Vec::with_capacity(case.dids.len() + 1);
    standings.push(now);
    for did in &case.dids {
        let (from, to) = step(did.kind);
        if now != from {
            findings.add(Violation::HoldLife {
                order: case.order,
                batch: journal.id(did.batch),
                did: did.kind.name(),
                was: now.name(),
            });
        } else if let Some(lines) = &mut lines {
            move_lines(journal, case, *did, lines, findings);
        }
        now = to;
        standings.push(now);
    }
    if now == Standing::Held {
        for (product, units) in lines.into_iter().flatten() {
            *held.entry(product).or_default() += i128::from(units);
        }
    }
    Life { standings, began_before }
}

fn move_lines(journal: &Journal, case: &Case, did: Did, held: &mut Lines, findings: &mut Findings) {
    let moved = did.lines(journal);
    if did.kind == ChangeKind::Reserve {
        *held = moved.iter().map(|line| (line.product.get(), line.units.get())).collect();
        return;
    }
    let mut complain = |product: i64, held: i64, moved: i64| {
        findings.add(Violation::HoldLines {
            order: case.order,
            batch: journal.id(did.batch),
            did: did.kind.name(),
            product,
            held,
            moved,
        });
    };
    let mut rest = held.clone();
    for line in moved {
        let (product, units) = (line.product.get(), line.units.get());
        let Some(at) = held.iter().position(|(held, _)| *held == product) else {
            complain(product, 0, units);
            continue;
        };
        if units > held[at].1 {
            complain(product, held[at].1, units);
        }
        rest[at].1 -= units;
    }
    match did.kind {
        ChangeKind::ReleasePart => {
            rest.retain(|(_, units)| *units > 0);
            *held = rest;
        }
        // All of a hold must go; of an expired one the stock went before, and a late commit may take part of it.
        ChangeKind::Commit | ChangeKind::Release | ChangeKind::Expire => {
            for ((product, units), (_, left)) in held.iter().zip(&rest).filter(|(_, (_, left))| *left > 0) {
                complain(*product, *units, units - left);
            }
        }
        _ => {}
    }
}

/// Whether every product's held units are those of the orders that hold it.
pub(crate) fn check_held(journal: &Journal, held: &HeldUnits, findings: &mut Findings) {
    if journal.is_pruned() {
        return;
    }
    for chain in &journal.chains {
        let last = chain.versions.last().map_or(0, |version| version.held);
        let by_orders = held.get(&chain.product).copied().unwrap_or_default();
        if i128::from(last) != by_orders {
            let by_orders = narrowed(by_orders);
            findings.add(Violation::HeldSum { product: chain.product, held: last, by_orders });
        }
    }
}
