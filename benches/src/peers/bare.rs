//! (g) The same request parsed and an answer of the same size, nothing in between: plain axum on plain `axum::serve`. What HTTP
//! itself costs.

use std::net::SocketAddr;

use anyhow::Result;
use axum::http::StatusCode;
use axum::routing::post;
use axum::serve::ListenerExt as _;
use axum::{Json, Router};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::Peer;
use super::over_http::{Buyer, PATH};

/// A handler, being served.
#[derive(Debug)]
pub struct Bare {
    addr: SocketAddr,
    /// Ends with this value.
    _serving: JoinSet<()>,
}

impl Bare {
    /// Serves it.
    pub async fn serve() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        let listener = listener.tap_io(|io| drop(io.set_nodelay(true)));
        let router = Router::new().route(PATH, post(answer));
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            // It ends with the run; an error before shows in the load.
            let _ended = axum::serve(listener, router).await;
        });
        Ok(Self { addr, _serving: serving })
    }
}

impl Peer for Bare {
    type Client = Buyer;

    async fn connect(&self) -> Result<Buyer> {
        Buyer::connect(self.addr).await
    }

    async fn taken(&self) -> Result<Option<i64>> {
        Ok(None)
    }
}

#[derive(serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    product_id: i64,
    quantity: u32,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    order_id: Uuid,
    items: Vec<Item>,
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Answered {
    order_id: Uuid,
    status: &'static str,
    items: Vec<Item>,
    created_at: &'static str,
    expires_at: &'static str,
    max_expires_at: &'static str,
    replayed: bool,
}

async fn answer(Json(asked): Json<Asked>) -> (StatusCode, Json<Answered>) {
    let answered = Answered {
        order_id: asked.order_id,
        status: "HELD",
        items: asked.items,
        created_at: "2026-11-22T23:00:00.000000Z",
        expires_at: "2026-11-22T23:15:00.000000Z",
        max_expires_at: "2026-11-23T00:00:00.000000Z",
        replayed: false,
    };
    (StatusCode::CREATED, Json(answered))
}
