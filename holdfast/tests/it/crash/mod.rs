//! What is left after a crash: everything that was acknowledged, and nothing that was refused.

mod commit_in_doubt;
mod fleet;
mod postgres;
mod service;
mod two_processes;
