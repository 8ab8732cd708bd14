//! The HTTP server: an accept loop of its own, since `axum::serve` has no header-read timeout, no connection cap and
//! leaves TCP_NODELAY off.

pub mod body;
pub mod edge;
pub mod fallback;
pub mod health;
pub mod lines;
mod location;
pub mod options;
pub mod params;
mod rate;
pub mod request_id;
pub mod server;
mod stall;
mod timer;

pub use body::{BodyLimits, Chunks};
pub use edge::{Edge, Straight};
pub use lines::{Line, Lines};
pub use location::location;
pub use options::HttpOptions;
pub use rate::RateLimit;
pub use server::{Drained, Server};
