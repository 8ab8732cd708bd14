//! Options → bind → run → stopped.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use inventory_core::engine::Engine;
use service_kit::{Drained, HttpOptions, Metrics, Readiness, Server};
use tokio_util::sync::CancellationToken;

use crate::state::{App, AppOptions};

/// How the service runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServiceOptions {
    /// Where it listens.
    pub addr: SocketAddr,
    /// The engine's `hold_ttl_max`.
    pub hold_ttl_max: Duration,
    /// The HTTP server.
    pub http: HttpOptions,
    /// How long the engine may take to finish what it took, after the last request was answered.
    pub engine_shutdown_deadline: Duration,
}

impl Default for ServiceOptions {
    fn default() -> Self {
        Self {
            addr: ([127, 0, 0, 1], 8083).into(),
            hold_ttl_max: AppOptions::default().hold_ttl_max,
            http: HttpOptions::default(),
            // With the server's eight seconds: under the ten of a SIGTERM.
            engine_shutdown_deadline: Duration::from_millis(1_500),
        }
    }
}

/// The inventory service, bound but not serving yet.
pub struct Service {
    server: Server,
    app: App,
    draining: CancellationToken,
    engine_shutdown_deadline: Duration,
}

/// Why [`Service::run`] returned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stopped {
    /// Asked to, and everything begun was finished.
    Cleanly,
    /// Asked to, and something was cut off at a deadline. Nothing acknowledged is lost.
    Cut,
    /// The engine failed by itself: end the process, a restart recovers.
    EngineFailed,
}

impl Service {
    /// Binds the address, so that a taken port is told before anything starts.
    pub async fn bind(engine: Engine, options: ServiceOptions, metrics: Metrics) -> io::Result<Self> {
        let draining = CancellationToken::new();
        let app_options = AppOptions { hold_ttl_max: options.hold_ttl_max, body: options.http.body };
        Ok(Self {
            server: Server::bind(options.addr, options.http).await?,
            app: App::new(engine, app_options, metrics, draining.clone()),
            draining,
            engine_shutdown_deadline: options.engine_shutdown_deadline,
        })
    }

    /// Is one part of a process: from now on this service is ready when every part is.
    #[must_use]
    pub fn as_part_of(self, process: &Readiness) -> Self {
        let app = self.app.clone();
        process.add("inventory", move || app.serves());
        Self { app: self.app.with_process(process.clone()), ..self }
    }

    /// Where it listens.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.server.local_addr()
    }

    /// Serves until `stop` or until the engine fails. Then readiness goes off, intake stops, requests in flight
    /// finish, and the engine shuts down.
    pub async fn run(self, stop: CancellationToken) -> Stopped {
        let Self { server, app, draining, engine_shutdown_deadline } = self;
        let edge = crate::edge(app.clone());
        let serve = server.run(edge, draining.clone());
        let watch = async {
            tokio::select! {
                biased;
                () = stop.cancelled() => false,
                () = app.engine().failed() => true,
            }
        };
        let drain = async {
            let engine_failed = watch.await;
            draining.cancel();
            engine_failed
        };
        let (drained, engine_failed) = tokio::select! {
            both = async { tokio::join!(serve, drain) } => both,
            never = app.metrics().keep_up() => match never {},
        };
        let shutdown = tokio::time::timeout(engine_shutdown_deadline, app.engine().shutdown()).await;
        match (engine_failed, drained, shutdown) {
            (true, _, _) => Stopped::EngineFailed,
            (false, Drained::Cleanly, Ok(())) => Stopped::Cleanly,
            (false, Drained::Cut, _) | (false, Drained::Cleanly, Err(_)) => Stopped::Cut,
        }
    }
}
