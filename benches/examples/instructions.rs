//! How many instructions the hot functions execute, under valgrind's callgrind: a figure that a busy machine does not change.
//! `make instructions` compares them with `instructions.toml`.
//!
//! Not a bench to cargo, so that `cargo bench` does without valgrind and this without the package's binaries.

#![expect(missing_docs, reason = "what the macros of gungraun make is public and has no documentation")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::response::Response;
use benches::fixtures::{self, HOT};
use gungraun::prelude::*;
use inventory_core::clock::Timestamp;
use inventory_core::command::Command;
use inventory_core::counters::{Counters, Take};
use inventory_core::decide::{Decision, decide};
use inventory_core::engine::ReserveRequest;
use inventory_core::event::NoEvents;
use inventory_core::ids::{BatchId, OrderId};
use inventory_core::lines::Lines;
use inventory_core::outcome::Reserved;
use inventory_core::reservation::{Reservation, Status};
use inventory_core::store::Locked;
use inventory_core::store::memory::MemoryStore;
use inventory_service::wire::answer;
use inventory_service::wire::requests::ReserveWire;
use inventory_service::{App, AppOptions};
use service_kit::{Edge, Metrics, Problem, json};
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const COMMON_PROCESSOR: &str = "glibc.cpu.hwcaps=-AVX512VL,-AVX512BW,-AVX512F,-AVX2,-AVX,-AVX_Fast_Unaligned_Load,-SSSE3,-SSE4_1,-SSE4_2,-ERMS,-FSRM";

/// What a measurement works on lives on after it: giving it back is not measured.
fn kept<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

/// Counters that have met the order before, and the order.
fn counters(lines: usize) -> &'static (Counters, Lines) {
    let order = fixtures::cart(0, lines);
    let counters = fixtures::counters(lines);
    assert!(fixtures::take_and_give_back(&counters, &order));
    kept((counters, order))
}

/// Counters that have refused the order before, and the order.
fn sold_out() -> &'static (Counters, Lines) {
    let order = fixtures::too_much(HOT);
    let counters = fixtures::counters(1);
    assert!(matches!(counters.take(&order), Take::Short(_)));
    kept((counters, order))
}

#[library_benchmark]
#[bench::one_line(args = (1), setup = counters)]
#[bench::five_lines(args = (5), setup = counters)]
fn take_and_give_back((counters, order): &(Counters, Lines)) -> bool {
    fixtures::take_and_give_back(black_box(counters), black_box(order))
}

#[library_benchmark]
#[bench::sold_out(setup = sold_out)]
fn refuse((counters, order): &(Counters, Lines)) -> Take {
    black_box(counters).take(black_box(order))
}

fn batch(products: usize) -> (Locked, &'static [Command]) {
    (fixtures::locked(products), kept(fixtures::reserves(100, products)))
}

#[library_benchmark]
#[bench::a_hundred_reserves_of_one_product(args = (1), setup = batch)]
#[bench::a_hundred_reserves_of_a_hundred_products(args = (100), setup = batch)]
fn decide_a_batch((locked, commands): (Locked, &'static [Command])) -> Decision {
    decide(black_box(locked), black_box(commands), BatchId::new(Uuid::nil()), &NoEvents)
}

const BODY: &str = r#"{"orderId":"0197a000-0000-7000-8000-0000000000aa","items":[{"productId":1,"quantity":2},{"productId":2,"quantity":1}]}"#;

/// A body that was parsed before: the first time the allocator finds its way.
fn body() -> &'static str {
    assert!(json::from_slice::<ReserveWire>(BODY.as_bytes()).is_ok());
    BODY
}

#[library_benchmark]
#[bench::two_lines(setup = body)]
fn parse_a_reserve(body: &str) -> Result<ReserveRequest, Problem> {
    json::from_slice::<ReserveWire>(black_box(body.as_bytes()))
}

/// A hold that was answered before.
fn held() -> &'static Reserved {
    let now = Timestamp::from_micros(1_700_000_000_123_456);
    let lines = fixtures::cart(0, 2);
    let reservation = Reservation {
        order: OrderId::new(Uuid::from_u128(0x0197_a000_0000_7000_8000_0000_0000_00aa)),
        status: Status::Held,
        customer: None,
        requested: lines.clone(),
        lines,
        created_at: now,
        expires_at: now.plus(Duration::from_secs(900)),
        expires_at_max: now.plus(Duration::from_secs(3_600)),
        ended_at: None,
        late: false,
    };
    let reserved = Reserved { reservation, replayed: false };
    assert_eq!(json::written(StatusCode::CREATED, answer::held(&reserved)).status(), StatusCode::CREATED);
    kept(reserved)
}

#[library_benchmark]
#[bench::two_lines(setup = held)]
fn answer_a_reserve(reserved: &Reserved) -> Response {
    json::written(StatusCode::CREATED, answer::held(black_box(reserved)))
}

/// The service without its sockets, all of it on one thread, and requests. It has answered some before.
fn service() -> (&'static (Runtime, Edge), Vec<Request<Body>>) {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let edge = runtime.block_on(async {
        let engine = fixtures::engine(Arc::new(MemoryStore::default()), 1).await.expect("an engine");
        let metrics = Metrics::new("inventory");
        let app = App::new(engine, AppOptions::default(), metrics, CancellationToken::new());
        let edge = inventory_service::edge(app);
        for order in 1..=8 {
            assert_eq!(edge.answer(reserve(order)).await.status(), StatusCode::CREATED);
        }
        edge
    });
    (kept((runtime, edge)), (9..109).map(reserve).collect())
}

fn reserve(order: u128) -> Request<Body> {
    let order = Uuid::from_u128(0x0197_a000_0000_7000_8000_0000_0000_0000 + order);
    let body = format!(r#"{{"orderId":"{order}","items":[{{"productId":1,"quantity":1}}]}}"#);
    Request::post("/api/v1/inventory/reserve")
        .header("content-type", "application/json")
        .header("content-length", body.len())
        .body(Body::from(body))
        .expect("a request")
}

// A hundred, since one of them costs a little more or less by chance: where hash maps put it, which timer slot is its own.
#[library_benchmark]
#[bench::over_memory(setup = service)]
fn serve_a_hundred_reserves(
    (service, requests): (&'static (Runtime, Edge), Vec<Request<Body>>),
) -> Option<Response> {
    let (runtime, edge) = service;
    let mut last = None;
    for request in requests {
        last = Some(runtime.block_on(edge.answer(request)));
    }
    last
}

library_benchmark_group!(
    name = hot,
    benchmarks = [
        take_and_give_back,
        refuse,
        decide_a_batch,
        parse_a_reserve,
        answer_a_reserve,
        serve_a_hundred_reserves
    ]
);
// The C library picks its memcpy by the processor; this is the one that every x86-64 has.
main!(
    config = LibraryBenchmarkConfig::default().env("GLIBC_TUNABLES", COMMON_PROCESSOR);
    library_benchmark_groups = hot
);
