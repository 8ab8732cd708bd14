//! Each product's chain: versions without gap or duplicate, each the one before plus what its batch did, within bounds.

use crate::findings::Findings;
use crate::journal::{Chain, Journal, Version};
use crate::violation::Violation;

/// What stock may be, by the contract of the engine: far inside an `i64`.
const UNITS_ABS_MAX: i128 = 1 << 60;

pub(crate) fn check(journal: &Journal, findings: &mut Findings) {
    for chain in &journal.chains {
        check_start(journal, chain, findings);
        let before = std::iter::once(None).chain(chain.versions.iter().map(Some));
        for (before, version) in before.zip(&chain.versions) {
            check_bounds(journal, chain, version, findings);
            if let Some(before) = before {
                check_link(journal, chain, before, version, findings);
            }
        }
    }
}

fn check_bounds(journal: &Journal, chain: &Chain, version: &Version, findings: &mut Findings) {
    let (product, batch) = (chain.product, journal.id(version.batch));
    let Version { version: number, on_hand, held, effect, .. } = *version;
    if held < 0 || held > on_hand {
        findings.add(Violation::StockBounds { product, version: number, batch, on_hand, held });
    }
    let extremes = [effect.on_hand, effect.held, effect.least, effect.most, on_hand.into(), held.into()];
    if extremes.iter().any(|units| units.abs() > UNITS_ABS_MAX) {
        findings.add(Violation::Overflow { product, batch });
    }
}

/// The first version that is there: made from nothing, unless what came before was pruned.
fn check_start(journal: &Journal, chain: &Chain, findings: &mut Findings) {
    let Some(first) = chain.versions.first() else { return };
    let (product, batch, version) = (chain.product, journal.id(first.batch), first.version);
    if version == 1 {
        if let Some(named) = first.previous {
            findings.add(Violation::VersionLink {
                product,
                version,
                batch,
                named: Some(named),
                before: None,
            });
        }
        check_effect(journal, chain, (0, 0), first, findings);
    } else if !journal.is_pruned() {
        findings.add(Violation::VersionGap { product, after: 0, version, batch });
    }
}

fn check_link(
    journal: &Journal,
    chain: &Chain,
    before: &Version,
    version: &Version,
    findings: &mut Findings,
) {
    let (product, batch, number) = (chain.product, journal.id(version.batch), version.version);
    if number == before.version {
        let other = journal.id(before.batch);
        findings.add(Violation::VersionTwice { product, version: number, batch, other });
        return;
    }
    if before.version.checked_add(1) != Some(number) {
        if !journal.is_checkpoint(before.batch) {
            findings.add(Violation::VersionGap { product, after: before.version, version: number, batch });
        }
        return;
    }
    let expected = journal.id(before.batch);
    if version.previous != Some(expected) {
        findings.add(Violation::VersionLink {
            product,
            version: number,
            batch,
            named: version.previous,
            before: Some(expected),
        });
    }
    check_effect(journal, chain, (before.on_hand, before.held), version, findings);
}

fn check_effect(
    journal: &Journal,
    chain: &Chain,
    before: (i64, i64),
    version: &Version,
    findings: &mut Findings,
) {
    let on_hand = i128::from(before.0) + version.effect.on_hand;
    let held = i128::from(before.1) + version.effect.held;
    let agrees = (on_hand, held) == (version.on_hand.into(), version.held.into());
    if !agrees && !journal.is_checkpoint(version.batch) {
        findings.add(Violation::StockEffect {
            product: chain.product,
            version: version.version,
            batch: journal.id(version.batch),
            on_hand: version.on_hand,
            on_hand_expected: narrowed(on_hand),
            held: version.held,
            held_expected: narrowed(held),
        });
    }
}

/// A number for a report.
pub(crate) fn narrowed(units: i128) -> i64 {
    i64::try_from(units).unwrap_or(if units < 0 { i64::MIN } else { i64::MAX })
}
