//! Deterministic simulation: several real engines of `inventory-core` over one simulated ledger, in one thread and in virtual time,
//! everything from one `u64`. Any seed replays exactly.
//!
//! | module | what |
//! | --- | --- |
//! | [`ledger`] | a ledger with Postgres' manners: locks, keys, fences, orphans, restarts, failovers |
//! | [`faults`] | which faults a seed switches on, and how often they strike |
//! | `processes` | engines, started, killed and started again |
//! | `workload` | clients: shoppers with an order each, keepers with the stock |
//! | [`history`] | what they asked for and what they heard |
//! | `checks` | what must hold when everything has come to rest |
//! | [`goals`] | what must happen sometimes |
//! | [`mutant`] | defects on purpose, which must be caught |
//! | [`run`], [`campaign`] | one seed; many |
//! | [`checkout`] | a campaign of its own: orders, inventory and payment together |
//!
//! What makes a run repeat itself: tokio's current-thread runtime with its clock paused runs tasks in a fixed order and moves time only
//! when nobody can go on; every latency, yield and choice is drawn from a stream of [`dice::Dice`]; engines are given seeds
//! (`EngineOptions::seed`) and run their writer as a task of the same runtime (`EngineOptions::writer`). What makes runs differ: the
//! latencies and yields at every call of the port. See `docs/adr/0010`.

pub mod campaign;
pub mod checkout;
mod checks;
pub mod dice;
mod encoder;
pub mod faults;
pub mod goals;
pub mod history;
pub mod ledger;
pub mod mutant;
mod processes;
pub mod run;
pub mod tally;
pub mod trace;
mod workload;
