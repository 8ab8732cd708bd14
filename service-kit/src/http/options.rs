//! Every bound of the HTTP server, in one place.

use std::time::Duration;

use super::{BodyLimits, RateLimit};

/// How a server defends itself. The default is right for most.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HttpOptions {
    /// Connections served at once; further ones wait in the kernel's queue.
    pub connections_max: usize,
    /// What one address may ask for; none: everything.
    pub rate_limit: Option<RateLimit>,
    /// How long a client may take to send a request's head. Also how long a connection may idle between requests.
    pub header_read_deadline: Duration,
    /// How long a client may refuse to take any byte of an answer.
    pub write_stall_deadline: Duration,
    /// Bytes of a request's head, at most.
    pub head_bytes_max: usize,
    /// Bounds on bodies.
    pub body: BodyLimits,
    /// How long requests in flight may take to finish once the server drains; then their connections are cut.
    pub drain_deadline: Duration,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            connections_max: 4_096,
            rate_limit: None,
            header_read_deadline: Duration::from_secs(10),
            write_stall_deadline: Duration::from_secs(30),
            head_bytes_max: 32 * 1_024,
            body: BodyLimits::default(),
            // Leaves two of the ten seconds of a SIGTERM for what comes after the server.
            drain_deadline: Duration::from_secs(8),
        }
    }
}
