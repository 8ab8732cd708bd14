//! Runs seeds of the simulation: `simulate --seeds 0..10000`, or one with its trace: `simulate --seed 4711`.
fn main() {}
