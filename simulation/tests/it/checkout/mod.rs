//! The whole checkout: its seeds replay and find nothing, its mutants are caught.

mod mutants;
mod seeds;
