//! Stands in for `inventory_service::{Service, ServiceOptions, Stopped}` until they are there: same names, same shapes.
//! To join: delete this file and import those instead. The real `bind` also takes a `service_kit::Metrics`, and the real options
//! have more fields, with defaults.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use inventory_core::engine::Engine;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How the service runs.
pub(super) struct ServiceOptions {
    /// Where it listens.
    pub(super) addr: SocketAddr,
    /// The longest hold that a caller may ask for.
    pub(super) hold_ttl_max: Duration,
}

/// Bound but not serving yet.
pub(super) struct Service {
    listener: TcpListener,
    engine: Engine,
}

/// Why [`Service::run`] returned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stopped {
    /// Asked to, and everything begun was finished.
    Cleanly,
    /// Asked to, and something was cut off at a deadline.
    Cut,
    /// The engine failed by itself.
    EngineFailed,
}

impl Service {
    pub(super) async fn bind(engine: Engine, options: ServiceOptions) -> io::Result<Self> {
        let listener = TcpListener::bind(options.addr).await?;
        if options.hold_ttl_max.is_zero() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        Ok(Self { listener, engine })
    }

    pub(super) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers nobody: this build has no HTTP service yet.
    pub(super) async fn run(self, stop: CancellationToken) -> Stopped {
        let stopped = tokio::select! {
            () = stop.cancelled() => Stopped::Cleanly,
            () = self.engine.failed() => Stopped::EngineFailed,
        };
        let deadline = Duration::from_secs(1);
        match tokio::time::timeout(deadline, self.engine.shutdown()).await {
            Err(_) if stopped == Stopped::Cleanly => Stopped::Cut,
            _ => stopped,
        }
    }
}
