//! Chaos on real processes.
//!
//! Three inventory instances, orders and payments run as they do in production: the program that users run, over one Postgres and a
//! Kafka. Clients buy from all of them and remember what they were told, while faults are drawn by a seed and done to everything: the way
//! to the database ([`inject`]), the services, Postgres, the broker, the disk, the clocks. Then everything is healed, comes to rest,
//! and is checked ([`check`]): the ledger, the books, every acknowledgement, memory, sagas, events.
//!
//! A kind of fault that never struck fails the run, unless this machine cannot do it, which the report says.

mod check;
mod clients;
mod draw;
mod history;
mod http;
mod inject;
pub mod kind;
pub mod races;
pub mod report;
pub mod run;
mod stage;
