//! The saga, pure: `step(saga, input) -> Step`. No clock, no I/O; every state × input cell is written out.
//!
//! `docs/SAGA.md` shows all cells; `cargo run -p order-service --example saga_table` renders it from this code.

#![warn(clippy::wildcard_enum_match_arm, reason = "a new state or input must be decided everywhere")]

mod change;
mod check;
mod committing;
mod effect;
mod fulfilled;
mod input;
mod outcome;
mod paying;
mod plan;
mod reserving;
mod state;
mod step;
mod table;
mod undo;
mod undoing;
mod undoing_payment;
mod undoing_stock;

pub use check::check;
pub use effect::{Action, Effect, EventKind};
pub use input::Input;
pub use outcome::{Cell, Step};
pub use plan::plan;
pub use state::{DEFINITION, Mode, OrderStatus, PaymentStatus, Phase, Saga, StockStatus};
pub use step::{begin, step};
pub use table::{reachable, render_table, samples};
