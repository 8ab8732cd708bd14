//! One order's life, folded from its journal commands.

use super::is_pruned;
use crate::clock::Timestamp;
use crate::ids::{BatchId, ProductId};
use crate::journal::ChangeKind;
use crate::reservation::Status;
use crate::store::audit_rows::Watermarks;

/// Products and units, in product order, without zeros.
pub(super) type UnitLines = Vec<(ProductId, i64)>;

/// A journal command with all its lines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct OrderCommand {
    pub(super) at: Timestamp,
    pub(super) batch: BatchId,
    pub(super) position: i64,
    pub(super) kind: i64,
    pub(super) customer: Option<String>,
    pub(super) lines: UnitLines,
}

/// What the commands so far make of the order. Fields are none while the journal that would tell was pruned.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Life {
    pub(super) status: Option<Status>,
    pub(super) birth: Option<Birth>,
    /// What it holds, or held when it ended, or has committed.
    pub(super) lines: Option<UnitLines>,
    /// When it left HELD.
    pub(super) ended_at: Option<Timestamp>,
    /// Committed out of HELD at this time.
    pub(super) committed_at: Option<Timestamp>,
    /// Expired by the sweeper at this time.
    pub(super) expired_at: Option<Timestamp>,
    /// Committed after expiry.
    pub(super) is_late: bool,
    /// Begun with a journal that had been pruned.
    pub(super) is_given: bool,
}

/// The reserve or tombstone that began it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Birth {
    pub(super) at: Timestamp,
    pub(super) requested: UnitLines,
    pub(super) customer: Option<String>,
}

impl Life {
    /// An order whose beginning the journal does not tell any more.
    pub(super) fn given() -> Self {
        Self { is_given: true, ..Self::default() }
    }

    /// Whether it is over, and long enough for its reservation to have been pruned.
    pub(super) fn may_be_pruned(&self, marks: &Watermarks) -> bool {
        self.status != Some(Status::Held) && self.ended_at.is_some_and(|at| is_pruned(at, marks.reservations))
    }

    /// Takes the next command; says what the life cycle does not allow.
    pub(super) fn apply(&mut self, command: &OrderCommand, marks: &Watermarks) -> Result<(), String> {
        let kind = ChangeKind::from_code(command.kind).ok_or_else(|| {
            format!("batch {} has a command of the unknown kind {}", command.batch, command.kind)
        })?;
        match kind {
            ChangeKind::Reserve | ChangeKind::Tombstone => self.begin(kind, command, marks),
            ChangeKind::Extend => self.expect(kind, command, Status::Held),
            ChangeKind::ReleasePart => {
                self.expect(kind, command, Status::Held)?;
                self.take_away(kind, command)
            }
            ChangeKind::Commit => self.end(kind, command, Status::Committed),
            ChangeKind::Release => self.end(kind, command, Status::Released),
            ChangeKind::Expire => self.end(kind, command, Status::Expired),
            ChangeKind::CommitLate => self.end_again(kind, command, Status::Committed),
            ChangeKind::Lose => self.end_again(kind, command, Status::Lost),
            ChangeKind::ReleaseExpired => self.end_again(kind, command, Status::Released),
            ChangeKind::Adjust | ChangeKind::Set | ChangeKind::Import => {
                Err(format!("batch {} has {} on an order", command.batch, kind.name()))
            }
        }
    }

    fn begin(&mut self, kind: ChangeKind, command: &OrderCommand, marks: &Watermarks) -> Result<(), String> {
        // After pruning an order id may be used again.
        if (self.status.is_some() || self.is_given) && !self.may_be_pruned(marks) {
            return Err(self.not_allowed(kind, command));
        }
        let status = if kind == ChangeKind::Reserve { Status::Held } else { Status::Released };
        if (kind == ChangeKind::Reserve) == command.lines.is_empty() {
            return Err(format!("batch {}: {} with {}", command.batch, kind.name(), show(&command.lines)));
        }
        *self = Self {
            status: Some(status),
            birth: Some(Birth {
                at: command.at,
                requested: command.lines.clone(),
                customer: command.customer.clone(),
            }),
            lines: Some(command.lines.clone()),
            ended_at: (status == Status::Released).then_some(command.at),
            ..Self::default()
        };
        Ok(())
    }

    /// Whether the order is in this state. A given one is taken to have been.
    fn expect(&mut self, kind: ChangeKind, command: &OrderCommand, status: Status) -> Result<(), String> {
        match self.status {
            None if self.is_given => self.status = Some(status),
            Some(now) if now == status => {}
            _ => return Err(self.not_allowed(kind, command)),
        }
        Ok(())
    }

    fn end(&mut self, kind: ChangeKind, command: &OrderCommand, to: Status) -> Result<(), String> {
        self.expect(kind, command, Status::Held)?;
        self.status = Some(to);
        self.ended_at = Some(command.at);
        self.committed_at = (to == Status::Committed).then_some(command.at);
        self.expired_at = (to == Status::Expired).then_some(command.at);
        match self.lines.replace(command.lines.clone()) {
            Some(held) if held != command.lines => Err(format!(
                "batch {}: {} of {}, but {} were held",
                command.batch,
                kind.name(),
                show(&command.lines),
                show(&held)
            )),
            _ => Ok(()),
        }
    }

    /// What an expired hold may become once more.
    fn end_again(&mut self, kind: ChangeKind, command: &OrderCommand, to: Status) -> Result<(), String> {
        self.expect(kind, command, Status::Expired)?;
        self.status = Some(to);
        if kind != ChangeKind::CommitLate {
            return no_lines(kind, command);
        }
        self.is_late = true;
        match self.lines.replace(command.lines.clone()) {
            Some(held) if less(&held, &command.lines).is_none() || command.lines.is_empty() => Err(format!(
                "batch {}: commits {} late, but {} were held",
                command.batch,
                show(&command.lines),
                show(&held)
            )),
            _ => Ok(()),
        }
    }

    fn take_away(&mut self, kind: ChangeKind, command: &OrderCommand) -> Result<(), String> {
        let Some(held) = &self.lines else { return Ok(()) };
        let left = less(held, &command.lines).ok_or_else(|| {
            format!(
                "batch {}: {} of {}, but {} were held",
                command.batch,
                kind.name(),
                show(&command.lines),
                show(held)
            )
        })?;
        self.lines = Some(left);
        Ok(())
    }

    fn not_allowed(&self, kind: ChangeKind, command: &OrderCommand) -> String {
        let now = match self.status {
            Some(status) => status.name(),
            None => "unknown",
        };
        format!("batch {}: {} of an order that is {now}", command.batch, kind.name())
    }
}

/// Whether a command of this kind begins an order.
pub(super) fn is_birth(kind: i64) -> bool {
    matches!(ChangeKind::from_code(kind), Some(ChangeKind::Reserve | ChangeKind::Tombstone))
}

fn no_lines(kind: ChangeKind, command: &OrderCommand) -> Result<(), String> {
    if command.lines.is_empty() {
        return Ok(());
    }
    Err(format!("batch {}: {} moves {}", command.batch, kind.name(), show(&command.lines)))
}

/// `lines` without `taken`, or none if there is more in `taken` than in `lines`.
fn less(lines: &UnitLines, taken: &UnitLines) -> Option<UnitLines> {
    let mut left = lines.clone();
    for (product, units) in taken {
        let line = left.iter_mut().find(|(held, _)| held == product)?;
        line.1 = line.1.checked_sub(*units).filter(|left| *left >= 0)?;
    }
    left.retain(|(_, units)| *units != 0);
    Some(left)
}

/// `2 of product 7, 1 of product 9`.
pub(super) fn show(lines: &[(ProductId, i64)]) -> String {
    if lines.is_empty() {
        return "no lines".to_owned();
    }
    let shown: Vec<String> =
        lines.iter().map(|(product, units)| format!("{units} of product {product}")).collect();
    shown.join(", ")
}
