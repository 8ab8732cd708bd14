//! The one transition table: which status may follow which, by which action, and what the journal calls it.

use crate::error::Failure;
use crate::journal::ChangeKind;
use crate::reservation::{Standing, Status};

/// What is asked of one order's reservation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Action {
    Reserve,
    Commit,
    Release,
    /// A release with `items`.
    ReleasePart,
    Extend,
    Expire,
}

/// One change of status; from none, the row is created.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Move {
    pub(super) to: Status,
    pub(super) kind: ChangeKind,
}

/// What an action comes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// This move.
    Go(Move),
    /// The first if all the stock asked for is free again, else the second.
    IfFree(Move, Move),
    /// The first while anything is left of the hold, else the second.
    IfLeft(Move, Move),
    /// Done before: answer the reservation as it is.
    Keep,
    /// No.
    Refuse(Refusal),
}

/// Why a state does not allow an action; each operation has its own error for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Refusal {
    NotFound,
    AlreadyCommitted,
    AlreadyReleased,
    Expired,
    /// The hold's time is not over.
    NotDue,
}

/// Total: every state of an order (`None`: unknown; a tombstone counts as released) under every action.
/// COMMITTED, RELEASED and LOST are final: no move leads out of them.
pub(super) fn transition(standing: Option<Standing>, action: Action) -> Step {
    use Refusal::{AlreadyCommitted, AlreadyReleased, Expired, NotDue, NotFound};
    match action {
        Action::Reserve => match standing {
            None => go(Status::Held, ChangeKind::Reserve),
            Some(Standing::Held | Standing::Committed) => Step::Keep,
            Some(Standing::Released) => Step::Refuse(AlreadyReleased),
            Some(Standing::Overdue | Standing::Expired | Standing::Lost) => Step::Refuse(Expired),
        },
        Action::Commit => match standing {
            None => Step::Refuse(NotFound),
            // An overdue hold was not swept: its stock is still set aside, so it needs no second look.
            Some(Standing::Held | Standing::Overdue) => go(Status::Committed, ChangeKind::Commit),
            Some(Standing::Committed) => Step::Keep,
            Some(Standing::Released) => Step::Refuse(AlreadyReleased),
            Some(Standing::Expired) => Step::IfFree(
                Move { to: Status::Committed, kind: ChangeKind::CommitLate },
                Move { to: Status::Lost, kind: ChangeKind::Lose },
            ),
            Some(Standing::Lost) => Step::Refuse(Expired),
        },
        Action::Release => match standing {
            None => go(Status::Released, ChangeKind::Tombstone),
            Some(Standing::Held | Standing::Overdue) => go(Status::Released, ChangeKind::Release),
            Some(Standing::Committed) => Step::Refuse(AlreadyCommitted),
            Some(Standing::Released | Standing::Lost) => Step::Keep,
            Some(Standing::Expired) => go(Status::Released, ChangeKind::ReleaseExpired),
        },
        Action::ReleasePart => match standing {
            None => Step::Refuse(NotFound),
            Some(Standing::Held) => Step::IfLeft(
                Move { to: Status::Held, kind: ChangeKind::ReleasePart },
                Move { to: Status::Released, kind: ChangeKind::Release },
            ),
            Some(Standing::Committed) => Step::Refuse(AlreadyCommitted),
            Some(Standing::Released) => Step::Refuse(AlreadyReleased),
            Some(Standing::Overdue | Standing::Expired | Standing::Lost) => Step::Refuse(Expired),
        },
        Action::Extend => match standing {
            None => Step::Refuse(NotFound),
            Some(Standing::Held) => go(Status::Held, ChangeKind::Extend),
            Some(Standing::Committed) => Step::Refuse(AlreadyCommitted),
            Some(Standing::Released) => Step::Refuse(AlreadyReleased),
            Some(Standing::Overdue | Standing::Expired | Standing::Lost) => Step::Refuse(Expired),
        },
        Action::Expire => match standing {
            None => Step::Refuse(NotFound),
            Some(Standing::Held) => Step::Refuse(NotDue),
            Some(Standing::Overdue) => go(Status::Expired, ChangeKind::Expire),
            Some(Standing::Committed) => Step::Refuse(AlreadyCommitted),
            Some(Standing::Released) => Step::Refuse(AlreadyReleased),
            Some(Standing::Expired | Standing::Lost) => Step::Refuse(Expired),
        },
    }
}

fn go(to: Status, kind: ChangeKind) -> Step {
    Step::Go(Move { to, kind })
}

/// The answer to a step that the table never takes for this action: a bug, answered without effect.
pub(super) fn not_in_the_table() -> Failure {
    Failure::Refused { reason: "the transition table allows no such step".to_owned() }
}
