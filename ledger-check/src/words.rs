//! Violations in words: what is wrong, and where to look.

use std::fmt;

use crate::violation::Violation;

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.invariant())?;
        match self {
            Self::StockBounds { .. }
            | Self::StockEffect { .. }
            | Self::HeldSum { .. }
            | Self::Overflow { .. }
            | Self::VersionTwice { .. }
            | Self::VersionGap { .. }
            | Self::VersionLink { .. } => stock(self, f),
            Self::Cycle { .. } | Self::TimeOrder { .. } | Self::EntryShape { .. } => order(self, f),
            Self::HoldLife { .. }
            | Self::HoldLines { .. }
            | Self::CartLines { .. }
            | Self::ExpiredEarly { .. }
            | Self::HeldTooLong { .. } => hold(self, f),
            Self::AcknowledgedLost { .. }
            | Self::AcknowledgedOtherwise { .. }
            | Self::FromNowhere { .. }
            | Self::FailedButHappened { .. }
            | Self::MoreThanOnce { .. } => effect(self, f),
            Self::ReplayRefused { .. }
            | Self::ReplayChanged { .. }
            | Self::Unfounded { .. }
            | Self::SoldOutUnjustified { .. }
            | Self::SoldOutFigure { .. }
            | Self::HistoryRecord { .. } => answer(self, f),
        }
    }
}

/// Product numbers and batch ids are what `explain` and the journal are asked by.
fn stock(violation: &Violation, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match violation {
        Violation::StockBounds { product, version, batch, on_hand, held } => write!(
            f,
            "product {product} has {held} held of {on_hand} on hand at version {version} (batch {batch}): look at what \
             that batch admitted"
        ),
        Violation::StockEffect {
            product,
            version,
            batch,
            on_hand,
            on_hand_expected,
            held,
            held_expected,
            ..
        } => write!(
            f,
            "product {product}, version {version} (batch {batch}): {on_hand} on hand and {held} held, but the version \
             before and the batch's commands make {on_hand_expected} and {held_expected}"
        ),
        Violation::HeldSum { product, held, by_orders } => write!(
            f,
            "product {product} has {held} held, but its open orders hold {by_orders}: compare its reservations with \
             the journal"
        ),
        Violation::Overflow { product, batch } => {
            write!(f, "product {product}: batch {batch} moves more than can be counted")
        }
        Violation::VersionTwice { product, version, batch, other } => write!(
            f,
            "product {product}: batches {batch} and {other} both made version {version}; one of them did not hold the \
             product's lock"
        ),
        Violation::VersionGap { product, after, version, batch } => write!(
            f,
            "product {product}: version {after} is followed by {version} (batch {batch}); the batches between are \
             missing from the journal"
        ),
        Violation::VersionLink { product, version, batch, named, before } => write!(
            f,
            "product {product}: version {version} (batch {batch}) says that batch {} came before it, but it was {}",
            or_none(named),
            or_none(before)
        ),
        _ => Ok(()),
    }
}

fn order(violation: &Violation, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match violation {
        Violation::Cycle { batches, products } => write!(
            f,
            "batches {} each came before the next and the last before the first, by products {}: they were not \
             executed one after the other",
            joined(batches),
            joined(products)
        ),
        Violation::TimeOrder { batch, answered, answered_at, invoked, invoked_at } => write!(
            f,
            "{answered} was answered at {answered_at} that batch {batch} is done, but {invoked}, which is in that batch \
             or before it in the order of versions, was asked only at {invoked_at}"
        ),
        Violation::EntryShape { batch, why } => write!(f, "batch {batch} {why}"),
        _ => Ok(()),
    }
}

fn hold(violation: &Violation, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match violation {
        Violation::HoldLife { order, batch, did, was } => {
            write!(f, "order {order} was {was} when batch {batch} did {did} to it")
        }
        Violation::HoldLines { order, batch, did, product, held, moved } => write!(
            f,
            "order {order}: {did} in batch {batch} moves {moved} of product {product}, of which it held {held}"
        ),
        Violation::CartLines { order, batch, operation, product, asked, taken } => write!(
            f,
            "order {order}: batch {batch} took {taken} of product {product}, and {operation} asked for {asked}"
        ),
        Violation::ExpiredEarly { order, batch, at, not_before } => write!(
            f,
            "order {order}: batch {batch} treats its hold as over at {at}, but it lasts until {not_before} (the ledger's \
             clock)"
        ),
        Violation::HeldTooLong { order, batch, ended, at } => write!(
            f,
            "order {order} (batch {batch}): its hold was over at {ended} and is still there at {at} (the ledger's clock): \
             look at the sweeper"
        ),
        _ => Ok(()),
    }
}

fn effect(violation: &Violation, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match violation {
        Violation::AcknowledgedLost { operation, of, answer } => {
            write!(f, "{of}: {operation} was told \"{answer}\", but the journal has no such change")
        }
        Violation::AcknowledgedOtherwise { operation, of, batch, why } => {
            write!(f, "{of}: {operation} was acknowledged, but batch {batch} {why}")
        }
        Violation::FromNowhere { order, batch, did } => {
            write!(f, "order {order}: batch {batch} did {did}, and nobody asked for it")
        }
        Violation::FailedButHappened { operation, answer, of, batch } => write!(
            f,
            "{of}: batch {batch} did it, but {operation} was told \"{answer}\" and nobody else may have caused it"
        ),
        Violation::MoreThanOnce { of, did, asked, done, batch } => {
            write!(
                f,
                "{of}: {did} was done {done} times (one of them in batch {batch}), and asked for {asked} times"
            )
        }
        _ => Ok(()),
    }
}

fn answer(violation: &Violation, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match violation {
        Violation::ReplayRefused { operation, order, batch, answer } => write!(
            f,
            "order {order} was held by batch {batch} before {operation} was asked, which was told \"{answer}\""
        ),
        Violation::ReplayChanged { operation, of, why } => write!(f, "{of}: {operation} {why}"),
        Violation::Unfounded { operation, order, answer, was } => {
            write!(f, "order {order}: {operation} was told \"{answer}\", but the order was {was} meanwhile")
        }
        Violation::SoldOutUnjustified {
            operation,
            product,
            requested,
            least,
            from_version,
            through_version,
        } => write!(
            f,
            "product {product}: {operation} was told that there are not {requested}, but from version {from_version} to \
             {through_version} there were never fewer than {least}"
        ),
        Violation::SoldOutFigure { operation, product, requested, told, least, most } => write!(
            f,
            "product {product}: {operation} asked for {requested} and was told that there are {told}, but there were \
             {least} to {most}"
        ),
        Violation::HistoryRecord { operation, why } => write!(f, "the record of {operation} {why}"),
        _ => Ok(()),
    }
}

fn or_none(batch: &Option<uuid::Uuid>) -> String {
    batch.map_or_else(|| "none".to_owned(), |batch| batch.to_string())
}

fn joined<T: fmt::Display>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
