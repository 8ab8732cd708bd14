//! Acceptance: the built binary over a socket, on SQLite and on Postgres, against the contract in docs/API.md.
//!
//! A [`shop::Shop`] is a running service with its client; each test is told as what a shop, its customers and its
//! operators do.

mod administration;
mod answers;
mod attack;
mod batch;
mod check;
mod check_order;
mod checkout;
mod crash;
mod events;
mod generated;
mod history;
mod import;
mod journal;
mod lifecycle;
mod limits;
mod retail;
mod scenarios;
mod shop;
mod sql;
mod state_table;
