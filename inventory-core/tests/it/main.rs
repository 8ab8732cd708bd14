//! What the crate does as a whole, seen from outside.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod audit;
mod conformance;
mod engine;
mod faults;
mod postgres;
mod sqlite;
