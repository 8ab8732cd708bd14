//! The simulation, simulated: its ledger conforms, its seeds replay, its mutants are caught.
#![expect(clippy::unwrap_used, reason = "helpers of tests panic like tests")]

mod checkout;
mod conformance;
mod failover;
mod mutants;
mod scripts;
mod seeds;
mod shared;
