//! (f) This engine over HTTP: the service as the binary serves it, keep-alive connections.

use std::fmt::Write as _;
use std::net::SocketAddr;

use anyhow::{Result, bail};
use inventory_service::{Service, ServiceOptions};
use service_kit::Metrics;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::in_process::InProcess;
use super::{Answer, Batches, Client, Peer};
use crate::connection::{Connection, JSON};
use crate::workload::Request;

/// Where both HTTP peers are asked.
pub const PATH: &str = "/api/v1/inventory/reserve";

/// A service around an engine.
pub struct OverHttp {
    peer: InProcess,
    addr: SocketAddr,
    stop: CancellationToken,
    serving: JoinSet<()>,
}

/// One connection.
#[derive(Debug)]
pub struct Buyer {
    connection: Connection,
    body: String,
}

impl OverHttp {
    /// Serves an engine.
    pub async fn serve(peer: InProcess) -> Result<Self> {
        let options = ServiceOptions { addr: ([127, 0, 0, 1], 0).into(), ..ServiceOptions::default() };
        let service = Service::bind(peer.engine().clone(), options, Metrics::new("inventory")).await?;
        let addr = service.local_addr()?;
        let (stop, mut serving) = (CancellationToken::new(), JoinSet::new());
        let stopping = stop.clone();
        serving.spawn(async move {
            service.run(stopping).await;
        });
        Ok(Self { peer, addr, stop, serving })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Stops it and its engine.
    pub async fn stop(mut self) {
        self.stop.cancel();
        while self.serving.join_next().await.is_some() {}
        self.peer.stop().await;
    }
}

impl Peer for OverHttp {
    type Client = Buyer;

    async fn connect(&self) -> Result<Buyer> {
        Buyer::connect(self.addr).await
    }

    async fn taken(&self) -> Result<Option<i64>> {
        self.peer.taken().await
    }

    fn batches(&self) -> Option<Batches> {
        self.peer.batches()
    }
}

impl Buyer {
    /// Connects to whoever speaks like the service.
    pub(super) async fn connect(addr: SocketAddr) -> Result<Self> {
        Ok(Self { connection: Connection::open(addr).await?, body: String::new() })
    }
}

impl Client for Buyer {
    async fn reserve(&mut self, request: Request) -> Result<Answer> {
        self.body.clear();
        write_body(&mut self.body, &request)?;
        match self.connection.post(PATH, JSON, &self.body).await? {
            201 => Ok(Answer::Held),
            409 => Ok(Answer::Refused),
            other => {
                bail!("{PATH} answered {other}: {}", String::from_utf8_lossy(self.connection.answer()))
            }
        }
    }
}

/// The request as JSON on one line.
pub fn write_body(body: &mut String, request: &Request) -> std::fmt::Result {
    write!(body, r#"{{"orderId":"{}","items":["#, request.order)?;
    for (at, line) in request.lines.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        write!(body, r#"{comma}{{"productId":{},"quantity":{}}}"#, line.product, line.quantity.get())?;
    }
    body.write_str("]}")
}
