//! Stands in for `inventory_service` and `service_kit::http` until they are there: same names, same shapes.
//! To join: delete this file and let `inventory.rs` import `inventory_service::{Service, ServiceOptions}` and
//! `service_kit::http::serve`.

use std::time::Duration;

use inventory_core::engine::Engine;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// What the service is told.
pub(super) struct ServiceOptions {
    /// The longest hold that a caller may ask for.
    pub(super) hold_ttl_max: Duration,
}

/// REST around an engine.
pub(super) struct Service {
    _engine: Engine,
    _options: ServiceOptions,
}

/// Stands in for `axum::Router`.
pub(super) struct Router;

impl Service {
    pub(super) fn new(engine: Engine, options: ServiceOptions) -> Self {
        let ServiceOptions { hold_ttl_max } = options;
        Self { _engine: engine, _options: ServiceOptions { hold_ttl_max } }
    }

    pub(super) fn router(&self) -> Router {
        Router
    }
}

/// Serves until `shutdown`.
pub(super) async fn serve(
    listener: TcpListener,
    _router: Router,
    _shutdown: CancellationToken,
) -> std::io::Result<()> {
    drop(listener);
    Err(std::io::Error::new(std::io::ErrorKind::Unsupported, "this build has no HTTP service yet"))
}
