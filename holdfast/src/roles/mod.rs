//! What runs until it is told to stop.

mod inventory;
mod seam;

pub use inventory::{Shape, serve};
