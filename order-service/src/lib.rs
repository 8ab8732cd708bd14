//! Orders: the saga that turns a cart into a confirmed order or into nothing at all.
//!
//! **There is one way to change an order**: an input through `saga::step`, under the order's row lock, with everything it decided
//! written in the same transaction. REST, events, timers, answers of calls and operators all use it.
//!
//! ```text
//! REST ─┐                    ┌─ orders, saga_state_log          one transaction
//! events ─► Store::apply ─► step ─► outbox ─► relay
//! timers ─┤                  └─ saga_actions ─► Worker ─► inventory, payments
//! answers ┘◄──────────────────────────────────────┘
//! ```

pub mod api;
pub mod consume;
mod inputs;
mod limits;
mod problems;
mod routes;
pub mod saga;
pub mod service;
pub mod state;
pub mod store;
pub mod wire;
pub mod worker;

pub use api::{openapi, router};
pub use consume::OrderEvents;
pub use service::{Service, ServiceOptions, Stopped};
pub use state::App;
pub use store::{Store, StoreOptions};
pub use worker::{Executor, Worker, WorkerOptions};
