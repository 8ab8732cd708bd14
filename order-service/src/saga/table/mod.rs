//! The state × input table, rendered from the code: every state that can be reached is given every input.

mod reach;
mod render;
mod samples;
mod when;

pub use reach::reachable;
pub use render::render_table;
pub use samples::samples;
