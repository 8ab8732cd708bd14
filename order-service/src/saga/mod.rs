//! The saga, pure: `step(saga, input) -> Step`. No clock, no I/O; every state × input cell is written out.

mod effect;
mod input;
mod outcome;
mod state;

pub use effect::{Action, Effect, EventKind};
pub use input::Input;
pub use outcome::{Cell, Step};
pub use state::{DEFINITION, Mode, OrderStatus, PaymentStatus, Phase, Saga, StockStatus};
