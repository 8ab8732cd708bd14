//! The simulation, simulated: its ledger conforms, its seeds replay, its mutants are caught.

mod conformance;
mod mutants;
mod seeds;
