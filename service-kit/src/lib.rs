//! How a Holdfast service runs: an HTTP server that defends itself, problem+json, strict JSON, metrics, logs and
//! shutdown. **Nothing here reads the environment or installs anything global except [`telemetry::init`].**

pub mod calls;
pub mod docs;
pub mod events;
pub mod http;
pub mod json;
pub mod metrics;
pub mod object;
pub mod problem;
pub mod readiness;
pub mod shape;
pub mod sql;
pub mod telemetry;

pub use http::{BodyLimits, Drained, Edge, HttpOptions, RateLimit, Server};
pub use metrics::{Metrics, RouteMetrics};
pub use problem::{FieldError, Problem};
pub use readiness::Readiness;
