//! One service of this process: bound, open, ready to run.

use std::net::SocketAddr;
use std::sync::Arc;

use futures::future::BoxFuture;
use service_kit::Metrics;
use service_kit::events::{Forget, Handler};
use service_kit::sql::Database;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How a part ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ended {
    /// Asked to, and everything begun was finished.
    Cleanly,
    /// Asked to, and something was cut off at a deadline. Nothing acknowledged is lost.
    Cut,
    /// By itself, because something broke for good; a restart recovers.
    Failed,
}

/// A bound service and what it tells and hears.
pub(super) struct Part {
    /// For people and logs.
    pub(super) name: &'static str,
    /// Where it listens.
    pub(super) addr: SocketAddr,
    /// Serves until the token is cancelled.
    pub(super) serve: Box<dyn FnOnce(CancellationToken) -> BoxFuture<'static, Ended> + Send>,
    /// The database with its outbox; none where nobody is told of anything.
    pub(super) outbox: Option<Database>,
    /// What it remembers for a time only. Not what its engine prunes itself.
    pub(super) forgets: Vec<Forget>,
    /// What it does about the events of others.
    pub(super) handler: Option<Arc<dyn Handler>>,
    /// Where its figures go.
    pub(super) metrics: Metrics,
    /// Rung by the part after a commit that wrote events, if it can.
    pub(super) wake: Option<Arc<Notify>>,
}
