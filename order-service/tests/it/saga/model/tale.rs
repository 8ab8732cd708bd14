//! A path as people read it.

use std::fmt::Write as _;

use stateright::Path;

use super::network::{Move, Order};
use super::state::State;

impl Order {
    /// Each move, and where the order stands after it.
    pub(super) fn tale(&self, path: Path<State, Move>) -> String {
        let mut text = String::new();
        for (state, step) in path.into_vec() {
            let saga = self.saga(&state);
            let outstanding = self.outstanding(&state);
            let _ = writeln!(
                text,
                "  {:?}, stock {:?}, payment {:?}, outstanding {outstanding:?} | inventory {:?} restocks {}, money {:?}, owed {:?}, \
                 due {:?}, {:?}",
                saga.phase,
                saga.stock,
                saga.payment,
                state.stock.hold,
                state.stock.restocks,
                state.money,
                state.owed,
                state.due,
                state.blame,
            );
            if let Some(step) = step {
                let _ = writeln!(text, "{step:?}");
            }
        }
        text
    }
}
