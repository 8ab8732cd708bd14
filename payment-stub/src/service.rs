//! Options → bind → run → stopped.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use service_kit::sql::Database;
use service_kit::{Drained, Edge, HttpOptions, Metrics, Readiness, Server};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::handler::PaymentHandler;
use crate::limits::HANG;
use crate::state::{App, AppOptions};
use crate::worker;

/// How the service runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServiceOptions {
    /// Where it listens.
    pub addr: SocketAddr,
    /// The HTTP server.
    pub http: HttpOptions,
    /// How long a flaky call that hangs does so.
    pub hang: Duration,
    /// How long the worker and what requests left behind may take to finish, after the last request was answered.
    pub work_deadline: Duration,
}

impl Default for ServiceOptions {
    fn default() -> Self {
        Self {
            addr: ([127, 0, 0, 1], 8085).into(),
            http: HttpOptions::default(),
            hang: HANG,
            // With the server's eight seconds: under the ten of a SIGTERM.
            work_deadline: Duration::from_millis(1_500),
        }
    }
}

/// The payment stub, bound but not serving yet.
pub struct Service {
    server: Server,
    app: App,
    draining: CancellationToken,
    work_deadline: Duration,
}

/// Why [`Service::run`] returned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stopped {
    /// Asked to, and everything begun was finished.
    Cleanly,
    /// Asked to, and something was cut off at a deadline. Nothing accepted is lost.
    Cut,
}

impl Service {
    /// Binds the address, so that a taken port is told before anything starts. The books come from [`crate::open`] and stay the
    /// caller's, who also runs the relay over them and closes them at the end.
    pub async fn bind(database: Database, options: ServiceOptions, metrics: Metrics) -> io::Result<Self> {
        let draining = CancellationToken::new();
        let app_options = AppOptions { body: options.http.body, hang: options.hang };
        Ok(Self {
            server: Server::bind(options.addr, options.http).await?,
            app: App::new(database, app_options, metrics, draining.clone()),
            draining,
            work_deadline: options.work_deadline,
        })
    }

    /// Is one part of a process: from now on this service is ready when every part is.
    #[must_use]
    pub fn as_part_of(self, process: &Readiness) -> Self {
        let app = self.app.clone();
        process.add("payments", move || !app.is_draining());
        Self { app: self.app.with_process(process.clone()), ..self }
    }

    /// Where it listens.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.server.local_addr()
    }

    /// What choreography's consumer hands `order.created` to.
    pub fn handler(&self) -> PaymentHandler {
        PaymentHandler::new(self.app.clone())
    }

    /// Told whenever events were written into the outbox: wakes the relay.
    pub fn outbox_written(&self) -> Arc<Notify> {
        Arc::clone(self.app.outbox_written())
    }

    /// Serves until `stop`. Then readiness goes off, intake stops, requests in flight finish, and the worker ends its batch.
    pub async fn run(self, stop: CancellationToken) -> Stopped {
        let Self { server, app, draining, work_deadline } = self;
        // Dropped as well as told: what runs in tasks of its own ends with this future.
        let _ends_with_this = draining.clone().drop_guard();
        // In a task of its own, since its transactions must not be dropped half-way.
        app.work().spawn(worker::run(app.clone()));
        let edge = Edge::new(crate::router(app.clone()), app.metrics());
        let serve = server.run(edge, draining.clone());
        let drain = async {
            stop.cancelled().await;
            draining.cancel();
        };
        let drained = tokio::select! {
            (drained, ()) = async { tokio::join!(serve, drain) } => drained,
            never = app.metrics().keep_up() => match never {},
        };
        app.work().close();
        match (drained, tokio::time::timeout(work_deadline, app.work().wait()).await) {
            (Drained::Cleanly, Ok(())) => Stopped::Cleanly,
            (Drained::Cut, _) | (Drained::Cleanly, Err(_)) => Stopped::Cut,
        }
    }
}
