//! Orders over their REST edge, their workers and their events, on Postgres and on SQLite, with an inventory and a payment provider
//! that can be made to misbehave.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod batches;
mod crash;
mod events;
mod fakes;
mod happy;
mod http;
mod operators;
mod placement;
mod races;
mod rest;
mod roles;
mod service;
mod undo;
mod world;
