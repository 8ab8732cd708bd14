//! Accept, serve, drain.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::rate::{Allowance, Limiter};
use super::stall::StallGuard;
use super::timer::HeadTimer;
use super::{Edge, HttpOptions};

/// How long to wait after an accept that failed for want of resources (file descriptors, memory).
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A bound listener that does not accept yet.
pub struct Server {
    listener: TcpListener,
    options: HttpOptions,
    limiter: Option<Arc<Limiter>>,
}

/// How a drain ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Drained {
    /// Every request in flight was answered.
    Cleanly,
    /// Some were not by the deadline; their connections were cut.
    Cut,
}

impl Server {
    /// Binds. With port 0 the system chooses; see [`Server::local_addr`].
    pub async fn bind(addr: SocketAddr, mut options: HttpOptions) -> io::Result<Self> {
        // Taken out: each connection has the other options for its own.
        let limiter = options.rate_limit.take().map(|limit| Arc::new(Limiter::new(limit)));
        Ok(Self { listener: TcpListener::bind(addr).await?, options, limiter })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop`, then drains: stops accepting, closes idle connections, lets requests in flight finish.
    pub async fn run(self, edge: Edge, stop: CancellationToken) -> Drained {
        let connections = TaskTracker::new();
        let cut = CancellationToken::new();
        let limiter = self.limiter.clone();
        let forget = async {
            match &limiter {
                Some(limiter) => limiter.forget().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.accept(&edge, &connections, &stop, &cut) => {}
            never = forget => match never {},
        }
        let drain_deadline = self.options.drain_deadline;
        drop(self.listener);
        connections.close();
        if tokio::time::timeout(drain_deadline, connections.wait()).await.is_ok() {
            return Drained::Cleanly;
        }
        cut.cancel();
        connections.wait().await;
        Drained::Cut
    }

    async fn accept(
        &self,
        edge: &Edge,
        connections: &TaskTracker,
        stop: &CancellationToken,
        cut: &CancellationToken,
    ) {
        let slots = Arc::new(Semaphore::new(self.options.connections_max));
        loop {
            // The slot first: connections beyond the cap wait in the kernel's queue and cost nothing here.
            let slot = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                Ok(slot) = Arc::clone(&slots).acquire_owned() => slot,
            };
            let accepted = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    let connection = Connection {
                        edge: edge.clone(),
                        options: self.options.clone(),
                        allowance: self.limiter.as_ref().and_then(|limiter| limiter.allowance(peer.ip())),
                        // Children: the tokens are looked at on every wake, and a shared one would be contended.
                        stop: stop.child_token(),
                        cut: cut.child_token(),
                    };
                    connections.spawn(async move {
                        connection.serve(stream).await;
                        drop(slot);
                    });
                }
                // A peer that gave up before it was accepted, or no descriptors left: neither ends the service.
                Err(error) => {
                    tracing::warn!(%error, "could not accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

struct Connection {
    edge: Edge,
    options: HttpOptions,
    allowance: Option<Allowance>,
    stop: CancellationToken,
    cut: CancellationToken,
}

impl Connection {
    async fn serve(self, stream: TcpStream) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "could not set TCP_NODELAY");
        }
        let io = StallGuard::new(TokioIo::new(stream), self.options.write_stall_deadline);
        let (edge, allowance) = (self.edge, self.allowance);
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let edge = edge.clone();
            let counted =
                allowance.as_ref().map_or(Ok(()), |allowance| allowance.count(request.uri().path()));
            async move {
                let request = request.map(Body::new);
                Ok::<_, std::convert::Infallible>(match counted {
                    Ok(()) => edge.answer(request).await,
                    Err(problem) => edge.refuse(request.headers(), problem).await,
                })
            }
        });
        let mut serving = pin!(
            http1::Builder::new()
                .timer(HeadTimer::new(self.options.header_read_deadline))
                .header_read_timeout(self.options.header_read_deadline)
                .max_buf_size(self.options.head_bytes_max)
                // Head and body in one piece: to copy the usual body costs less than to tell the kernel of two.
                .writev(false)
                .keep_alive(true)
                .serve_connection(io, service)
        );
        let mut stopping = pin!(self.stop.cancelled());
        let mut is_asked = false;
        let served = poll_fn(|cx| {
            if let Poll::Ready(ended) = serving.as_mut().poll(cx) {
                return Poll::Ready(Some(ended));
            }
            // To wait for the token anew at every wake would cost more than to look at it: it keeps the waker of the first time,
            // and this task has no other.
            if is_asked && !self.stop.is_cancelled() {
                return Poll::Pending;
            }
            is_asked = true;
            stopping.as_mut().poll(cx).map(|()| None)
        });
        let ended = match served.await {
            Some(ended) => ended,
            None => {
                serving.as_mut().graceful_shutdown();
                tokio::select! {
                    biased;
                    ended = serving.as_mut() => ended,
                    () = self.cut.cancelled() => Ok(()),
                }
            }
        };
        if let Err(error) = ended {
            // Clients that hang up or talk nonsense are everyday life.
            tracing::debug!(%error, "a connection ended early");
        }
    }
}
