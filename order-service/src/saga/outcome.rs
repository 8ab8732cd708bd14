//! What a step answers.

use super::{Effect, Saga};

/// What kind of answer a state gives to an input.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Cell {
    /// It moves the order on.
    Apply,
    /// It was known before, or no longer matters: nothing changes.
    Duplicate,
    /// It begins to undo, or moves the undoing on.
    Compensate,
    /// It is noted; what is still outstanding decides.
    Defer,
    /// It should not be: an operator should look.
    Alarm,
    /// A wish that cannot be granted now: 409 `invalid_state`. Nothing changes.
    Refuse,
    /// A newer definition wrote this saga. Nothing changes, and the input is **not** consumed: newer code must be given it.
    Newer,
}

/// The answer of a state to an input.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// The saga afterwards.
    pub saga: Saga,
    /// What to write with it, in this order.
    pub effects: Vec<Effect>,
    /// What kind of answer this is.
    pub cell: Cell,
    /// Why, in words: for the log, the timeline, and the caller of a refused wish.
    pub because: &'static str,
}
