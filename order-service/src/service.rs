//! Options → bind → run → stopped.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use service_kit::{Drained, Edge, HttpOptions, Metrics, Readiness, Server};
use tokio_util::sync::CancellationToken;

use crate::consume::OrderEvents;
use crate::state::App;
use crate::store::{Store, StoreOptions};
use crate::worker::{Executor, Inventory, Payments, WorkerOptions};

/// How the service runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServiceOptions {
    /// Where it listens.
    pub addr: SocketAddr,
    /// The HTTP server.
    pub http: HttpOptions,
    /// The loop.
    pub worker: WorkerOptions,
    /// How long everything under way may take to finish once the service drains. Others take over what is left.
    pub drain_deadline: Duration,
}

impl Default for ServiceOptions {
    fn default() -> Self {
        Self {
            addr: ([127, 0, 0, 1], 8084).into(),
            http: HttpOptions::default(),
            worker: WorkerOptions::default(),
            // Beyond the server's eight seconds and a call's six, under the ten of a SIGTERM.
            drain_deadline: Duration::from_millis(9_000),
        }
    }
}

/// The order service, bound but not serving yet.
pub struct Service {
    server: Server,
    app: App,
    draining: CancellationToken,
    drain_deadline: Duration,
}

/// How [`Service::run`] ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stopped {
    /// Everything begun was finished.
    Cleanly,
    /// Something was cut off at a deadline. Nothing is lost: it goes on at the next start, or elsewhere.
    Cut,
}

/// A call that outlasts its lease would be made by two at once.
fn check_deadlines(store: &StoreOptions, worker: &WorkerOptions) -> io::Result<()> {
    let (call, lease) = (worker.call_deadline, store.lease);
    if call < lease {
        return Ok(());
    }
    let advice =
        format!("a call may take {call:?}, and its lease is over after {lease:?}: make the lease longer");
    Err(io::Error::new(io::ErrorKind::InvalidInput, advice))
}

impl Service {
    /// Binds the address, so that a taken port is told before anything starts. The store is migrated already.
    ///
    /// # Errors
    /// The address is taken, or a call's deadline is not below the store's lease.
    pub async fn bind(
        store: Store,
        inventory: Arc<dyn Inventory>,
        payments: Arc<dyn Payments>,
        options: ServiceOptions,
        metrics: Metrics,
    ) -> io::Result<Self> {
        check_deadlines(store.options(), &options.worker)?;
        let draining = CancellationToken::new();
        let executor = Executor::new(store, inventory, payments, options.worker, &metrics);
        Ok(Self {
            app: App::new(executor, options.http.body, metrics, draining.clone()),
            server: Server::bind(options.addr, options.http).await?,
            draining,
            drain_deadline: options.drain_deadline,
        })
    }

    /// Is one part of a process: from now on this service is ready when every part is.
    #[must_use]
    pub fn as_part_of(self, process: &Readiness) -> Self {
        let app = self.app.clone();
        process.add("orders", move || app.serves());
        Self { app: self.app.with_process(process.clone()), ..self }
    }

    /// Where it listens.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.server.local_addr()
    }

    /// What handlers share; also whether it is ready.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// What hears the events of others, for a consumer.
    pub fn events(&self) -> OrderEvents {
        OrderEvents::new(self.app.store().clone())
    }

    /// Serves and works until `stop`. Then readiness goes off, intake stops, requests and calls under way finish.
    pub async fn run(self, stop: CancellationToken) -> Stopped {
        let Self { server, app, draining, drain_deadline } = self;
        let edge = Edge::new(crate::router(app.clone()), app.metrics());
        let serve = async {
            let drained = server.run(edge, draining.clone()).await;
            // Work of requests whose clients went away.
            app.tasks().close();
            app.tasks().wait().await;
            drained
        };
        let drain = async {
            stop.cancelled().await;
            draining.cancel();
        };
        let cut = async {
            draining.cancelled().await;
            tokio::time::sleep(drain_deadline).await;
        };
        let finished = async { tokio::join!(serve, app.worker().run(draining.clone()), drain).0 };
        tokio::select! {
            biased;
            drained = finished => match drained {
                Drained::Cleanly => Stopped::Cleanly,
                Drained::Cut => Stopped::Cut,
            },
            () = cut => Stopped::Cut,
            never = app.metrics().keep_up() => match never {},
        }
    }
}
