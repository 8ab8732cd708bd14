//! How a product came to its stock: the journal of one product, read back as an account that people can follow, and
//! checked on the way. Serves `holdfast explain` and `GET …/journal`.

use std::fmt;

use crate::clock::Timestamp;
use crate::ids::{BatchId, Note, OrderId, ProductId};
use crate::journal::{ChangeKind, ProductChange, ProductVersion};
use crate::quantity::Units;

/// A product's stock at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stock {
    /// Units on hand.
    pub on_hand: Units,
    /// Units held.
    pub held: Units,
}

impl Stock {
    /// What could be reserved.
    pub fn available(self) -> Units {
        self.on_hand - self.held
    }

    fn after(self, kind: ChangeKind, units: Units) -> Self {
        let (on_hand, held) = kind.effect(units);
        Self { on_hand: self.on_hand + on_hand, held: self.held + held }
    }
}

impl fmt::Display for Stock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on hand, {} held, {} available", self.on_hand, self.held, self.available())
    }
}

/// The account of a product, oldest version first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    /// Whose.
    pub product: ProductId,
    /// Its versions.
    pub steps: Vec<Step>,
}

/// One version: what a batch made of the one before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// The version.
    pub version: u64,
    /// Which batch made it.
    pub batch: BatchId,
    /// When.
    pub at: Timestamp,
    /// The stock before; none where the account begins with a given state.
    pub before: Option<Stock>,
    /// The changes, in the order decided.
    pub changes: Vec<Change>,
    /// The stock after, as the journal has it.
    pub after: Stock,
    /// What does not fit, in words. Empty for a sound journal.
    pub problems: Vec<String>,
}

/// One change and the stock it led to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// What happened.
    pub kind: ChangeKind,
    /// For which order.
    pub order: Option<OrderId>,
    /// How many units.
    pub units: Units,
    /// Why.
    pub reason: Option<Note>,
    /// The stock after it; none where the account begins with a given state.
    pub after: Option<Stock>,
}

/// Why there is nothing to explain.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ExplainError {
    /// No version is left of it.
    #[error("the journal has no version of product {0}")]
    Empty(ProductId),
    /// The version was pruned, or never was.
    #[error("the journal has versions {first} to {last} of product {product}, and {asked} is not among them")]
    NoSuchVersion {
        /// The product.
        product: ProductId,
        /// The version asked for.
        asked: u64,
        /// The first version that is left.
        first: u64,
        /// The last.
        last: u64,
    },
}

/// Explains a product from its versions, oldest first and without gaps, as [`crate::store::Store::history`] returns them.
/// The first may be any: unless it is version 1, what came before it is taken as given.
pub fn explain(product: ProductId, versions: &[ProductVersion]) -> Account {
    let mut steps: Vec<Step> = Vec::with_capacity(versions.len());
    for version in versions {
        let step = step(product, steps.last(), version);
        steps.push(step);
    }
    Account { product, steps }
}

impl Account {
    /// The account up to a past version: its last step is the product as it was then.
    pub fn at_version(mut self, version: u64) -> Result<Self, ExplainError> {
        let (Some(first), Some(last)) = (self.steps.first(), self.steps.last()) else {
            return Err(ExplainError::Empty(self.product));
        };
        let missing = ExplainError::NoSuchVersion {
            product: self.product,
            asked: version,
            first: first.version,
            last: last.version,
        };
        let at = self.steps.iter().position(|step| step.version == version).ok_or(missing)?;
        self.steps.truncate(at + 1);
        Ok(self)
    }

    /// Whether every version follows from the one before.
    pub fn is_sound(&self) -> bool {
        self.steps.iter().all(|step| step.problems.is_empty())
    }
}

fn step(product: ProductId, last: Option<&Step>, version: &ProductVersion) -> Step {
    let after = Stock { on_hand: version.after.on_hand, held: version.after.held };
    let mut problems = Vec::new();
    if version.after.product != product {
        problems.push(format!("this is a version of product {}", version.after.product));
    }
    let follows = last.is_none_or(|last| last.version.checked_add(1) == Some(version.after.version));
    if let Some(last) = last
        && !follows
    {
        problems.push(format!("follows version {}: those between are missing", last.version));
    }
    if let Some(last) = last
        && follows
        && version.after.previous != Some(last.batch)
    {
        problems.push(format!("names another batch before it than {}", last.batch));
    }
    let before = match last {
        Some(last) => follows.then_some(last.after),
        // Version 1 comes from nothing, unless pruning left it as a checkpoint without its changes.
        None if version.after.version == 1 && !version.changes.is_empty() => Some(Stock::default()),
        None => None,
    };
    let changes = replay(before, &version.changes);
    let reached = changes.last().map_or(before, |change| change.after);
    if let Some(reached) = reached
        && reached != after
    {
        problems.push(format!("its changes lead to {reached}, the journal says {after}"));
    }
    if after.held < Units::ZERO || after.held > after.on_hand {
        problems.push(format!("oversold: {after}"));
    }
    Step {
        version: version.after.version,
        batch: version.batch,
        at: version.at,
        before,
        changes,
        after,
        problems,
    }
}

fn replay(before: Option<Stock>, changes: &[ProductChange]) -> Vec<Change> {
    let mut stock = before;
    let mut replayed = Vec::with_capacity(changes.len());
    for change in changes {
        stock = stock.map(|stock| stock.after(change.kind, change.units));
        replayed.push(Change {
            kind: change.kind,
            order: change.order,
            units: change.units,
            reason: change.reason.clone(),
            after: stock,
        });
    }
    replayed
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "product {}", self.product)?;
        for step in &self.steps {
            step.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "version {} at {}, batch {}", self.version, self.at, self.batch)?;
        match (self.before, self.changes.is_empty()) {
            (Some(before), _) => writeln!(f, "  before: {before}")?,
            (None, true) => writeln!(f, "  a checkpoint: what came before was pruned")?,
            (None, false) => writeln!(f, "  before: not read")?,
        }
        for change in &self.changes {
            write!(f, "  {} {}", change.kind.name(), change.units)?;
            if let Some(order) = change.order {
                write!(f, " for order {order}")?;
            }
            if let Some(reason) = &change.reason {
                write!(f, " ({reason})")?;
            }
            match change.after {
                Some(after) => writeln!(f, ": {after}")?,
                None => writeln!(f)?,
            }
        }
        writeln!(f, "  after:  {}", self.after)?;
        for problem in &self.problems {
            writeln!(f, "  PROBLEM: {problem}")?;
        }
        Ok(())
    }
}
