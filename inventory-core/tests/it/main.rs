//! What the crate does as a whole, seen from outside.

mod audit;
mod conformance;
mod engine;
mod effects;
mod faults;
mod sqlite;
