//! The two figures that Holdfast promises, by one program: through the library against a transaction per request, and over HTTP
//! against a handler that only parses and answers. Postgres with `fsync=on`, one hot product, everything on this machine.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use axum::routing::post;
use axum::serve::ListenerExt;
use axum::{Json, Router};
use benches::{library, load, naive};
use clap::Parser;
use inventory_core::command::SetStock;
use inventory_core::engine::Engine;
use inventory_core::event::NoEvents;
use inventory_core::ids::ProductId;
use inventory_core::limits::UNITS_MAX;
use inventory_core::options::EngineOptions;
use inventory_core::quantity::Units;
use inventory_core::store::postgres::{PostgresOptions, PostgresStore};
use inventory_service::{Service, ServiceOptions};
use service_kit::Metrics;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures by turns, prints every round and the medians.
#[derive(Parser)]
struct Arguments {
    /// How long each peer runs in each round.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Concurrent callers of the library; twice the batch keeps every batch full.
    #[arg(long, default_value_t = 2_500)]
    callers: usize,
    /// Commands in a batch.
    #[arg(long, default_value_t = 1_000)]
    batch: usize,
    /// Keep-alive connections over HTTP.
    #[arg(long, default_value_t = 256)]
    connections: usize,
    /// Spread over so many products instead of one.
    #[arg(long, default_value_t = 1)]
    products: i64,
    /// Only the library, not HTTP.
    #[arg(long)]
    no_http: bool,
    /// Measure on this database instead of an ephemeral one.
    #[arg(long)]
    url: Option<String>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let length = Duration::from_secs(arguments.seconds);
    let (mut by_library, mut by_http) = (Vec::new(), Vec::new());
    for round in 1..=arguments.rounds {
        let url = match &arguments.url {
            Some(url) => url.clone(),
            None => test_support::postgres::database().await.url,
        };
        let naive = naive::run(&url, arguments.products, length).await?.per_second();
        let engine = open(&url, &arguments).await?;
        let before = engine.stats();
        let library = library::rate(&engine, arguments.callers, length, arguments.products).await?;
        let after = engine.stats();
        let batch = (after.commands - before.commands) / (after.batches - before.batches).max(1);
        println!(
            "round {round}: naive {naive:>8.0}/s   library {library:>8.0}/s ({:.0} ×, {batch} a batch)",
            library / naive
        );
        by_library.push(library / naive);

        if arguments.no_http {
            engine.shutdown().await;
            continue;
        }
        let mut servers = JoinSet::new();
        let bare = serve_bare(&mut servers).await?;
        let bare = over_http(bare, 200, &arguments, length).await?;
        let stop = CancellationToken::new();
        let before = engine.stats();
        let service = serve(engine.clone(), stop.clone(), &mut servers).await?;
        let served = over_http(service, 201, &arguments, length).await?;
        let after = engine.stats();
        let batch = (after.commands - before.commands) / (after.batches - before.batches).max(1);
        stop.cancel();
        println!(
            "round {round}: bare handler {:>8.0}/s   over HTTP {:>8.0}/s ({:.0} %, {batch} a batch)   p50 {} µs, p99 {} µs, p99.9 {} µs",
            bare.rate(),
            served.rate(),
            100.0 * served.rate() / bare.rate(),
            served.latency_us.value_at_quantile(0.5),
            served.latency_us.value_at_quantile(0.99),
            served.latency_us.value_at_quantile(0.999),
        );
        by_http.push(100.0 * served.rate() / bare.rate());
        servers.shutdown().await;
    }
    println!("\nmedian: library {:.0} × naive, HTTP {:.0} % of bare", median(by_library), median(by_http));
    Ok(())
}

async fn open(url: &str, arguments: &Arguments) -> Result<Engine> {
    PostgresStore::migrate(url).await?;
    let options = EngineOptions {
        batch_commands_max: arguments.batch,
        housekeeping: false,
        ..EngineOptions::default()
    };
    let store = Arc::new(PostgresStore::connect(url, PostgresOptions::default()).await?);
    let engine = Engine::open(store, Arc::new(NoEvents), options).await?;
    for product in 1..=arguments.products {
        engine.set(SetStock::level(ProductId::new(product), Units::level(UNITS_MAX)?)).await?;
    }
    Ok(engine)
}

async fn over_http(
    addr: SocketAddr,
    status: u16,
    arguments: &Arguments,
    length: Duration,
) -> Result<load::Load> {
    let products = u128::from(arguments.products.unsigned_abs());
    let body = Arc::new(move || {
        let order = Uuid::now_v7();
        let product = 1 + order.as_u128() % products;
        format!(r#"{{"orderId":"{order}","items":[{{"productId":{product},"quantity":1}}]}}"#)
    });
    load::run(addr, "/api/v1/inventory/reserve", arguments.connections, length, status, body).await
}

/// The service as the binary serves it.
async fn serve(engine: Engine, stop: CancellationToken, servers: &mut JoinSet<()>) -> Result<SocketAddr> {
    let options = ServiceOptions { addr: ([127, 0, 0, 1], 0).into(), ..ServiceOptions::default() };
    let service = Service::bind(engine, options, Metrics::new("inventory")).await?;
    let addr = service.local_addr()?;
    servers.spawn(async move {
        service.run(stop).await;
    });
    Ok(addr)
}

/// The same request parsed and an answer of the same size, nothing in between: plain axum on plain `axum::serve`.
async fn serve_bare(servers: &mut JoinSet<()>) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let addr = listener.local_addr()?;
    let listener = listener.tap_io(|io| drop(io.set_nodelay(true)));
    let router = Router::new().route("/api/v1/inventory/reserve", post(bare));
    servers.spawn(async move {
        // It ends with the program; an error before shows in the load.
        let _ended = axum::serve(listener, router).await;
    });
    Ok(addr)
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

async fn bare(Json(asked): Json<Asked>) -> Json<Answered> {
    Json(Answered {
        order_id: asked.order_id,
        status: "HELD",
        items: asked.items,
        created_at: "2026-11-22T23:00:00.000000Z",
        expires_at: "2026-11-22T23:15:00.000000Z",
        max_expires_at: "2026-11-23T00:00:00.000000Z",
        replayed: false,
    })
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
