//! REST and events around the reservation engine. The engine decides; this crate parses, maps and writes.
//!
//! **Nothing deserialises into engine types**: wire types live in [`wire`]. **HTTP statuses are chosen in one file**:
//! [`problems`].

pub mod api;
pub mod consume;
pub mod events;
mod limits;
mod metrics;
pub mod problems;
mod routes;
pub mod service;
pub mod state;
pub mod wire;

pub use api::{edge, openapi, router};
pub use consume::OrderEvents;
pub use events::InventoryEvents;
pub use service::{Service, ServiceOptions, Stopped};
pub use state::{App, AppOptions};
