//! What runs until it is told to stop.

mod inventory;

pub use inventory::{Shape, serve};
