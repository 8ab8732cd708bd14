//! What the crate does as a whole, seen from outside.

mod audit;
mod conformance;
mod effects;
mod engine;
mod faults;
mod postgres;
mod sqlite;
