//! The whole checkout: orders run through the real saga and the real loop that makes its calls, over the real engine and a payment
//! provider. All of them talk over a network that loses, delays, doubles and reorders; events come at least once and in order per key.
//!
//! ```text
//! people ─► network ─► desks (order-service's Executor and Worker) ─► network ─► engines, over the simulated ledger
//!                        │ rows: orders, calls, timers, outbox        └───────► provider
//!                        └◄── lanes ◄── events of orders, stock and money ──► lanes ──► engines, provider
//! ```
//!
//! | module | what |
//! | --- | --- |
//! | [`troubles`] | what may go wrong beyond the ledger's own faults |
//! | `network` | requests and answers that get lost, late, doubled, cut off |
//! | `rows` | the orders' database: one step, one transaction; COMMITs of unknown outcome, leases, a clock that is set back |
//! | `desks` | the processes of order-service, started and killed |
//! | `stock`, `provider` | what they call: engines, and who takes the money |
//! | `events` | outboxes, relays, lanes of consumers |
//! | `fates` | what befalls processes, servers, roads and clocks |
//! | `people` | customers, clerks, operators, and what they were told |
//! | `checks` | what must hold when everything has come to rest |
//! | [`goals`], [`mutant`] | what must happen sometimes; defects on purpose |
//! | [`run`], [`campaign`] | one seed; many |
//!
//! Real are: `saga::step`, `Executor`, `Worker` with its timers, the events' envelopes, both services' understanding of each other's
//! events, and the engine. Not real are order-service's SQL (its rows are here, with the same keys, guards and leases) and HTTP.

pub mod campaign;
mod checks;
mod desks;
mod events;
mod fates;
pub mod goals;
pub mod mutant;
mod network;
mod people;
mod provider;
mod rows;
pub mod run;
mod stage;
mod stock;
pub mod troubles;
