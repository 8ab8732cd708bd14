//! A payment provider that misbehaves on request, steered by the payment's method ([`Method`]) like a card provider's test
//! numbers.
//!
//! **"Accepted" is committed before it is said.** What follows from it (the money moves, or does not) is the worker's: when a payment is
//! due by the database's clock, its new status and its event are written in one transaction, so that a crash at any moment loses
//! neither and doubles neither. The misbehaviour is all at the edge and in the plan; the books are always right.

mod api;
pub mod flaky;
mod handler;
pub mod limits;
mod method;
mod metrics;
mod outcome;
mod payment;
mod problems;
mod routes;
mod service;
mod state;
mod store;
pub mod wire;
mod worker;

pub use api::{openapi, router};
pub use handler::PaymentHandler;
pub use method::{Behaviour, Method, UnknownMethod};
pub use payment::{Payment, Request, Status};
pub use service::{Service, ServiceOptions, Stopped};
pub use state::{App, AppOptions};
pub use store::open;
