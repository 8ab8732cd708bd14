//! The Postgres adapter on a real server. Effects are made by hand: the rules have tests of their own.
#![expect(clippy::unwrap_used, reason = "helpers of tests panic like tests")]

mod batches;
mod guards;
mod hand;
mod held_commit;
mod locks;
mod migrations;
mod presumed;
mod presumed_ends;
mod prune;
mod reads;
mod roles;
mod silence;
mod sweep;
mod unknown_commit;
