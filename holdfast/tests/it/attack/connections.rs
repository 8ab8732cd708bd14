//! Connections: very many, or of clients that never read.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::future::join_all;
use futures::{StreamExt, stream};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use test_support::service::Launch;

use super::honest::{meanwhile, shop};
use super::raw::{Raw, post};
use crate::shop::{Caller, Shop, eventually};

/// What the service serves at once.
const SERVED_AT_ONCE: usize = 4_096;
/// More: the rest waits in the kernel's queue.
const CONNECTIONS: usize = 4_400;
/// Before this time no connection is cut for idling (10 s).
const NO_CUTS: Duration = Duration::from_secs(9);

/// Lets this process, and so the service that it starts, have as many descriptors as the system allows.
fn raise_descriptors() -> u64 {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit");
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).expect("the soft limit may be raised to the hard one");
    hard
}

#[tokio::test]
async fn i15_thousands_of_idle_connections_are_cut_and_keep_nobody_out() {
    // Half of the descriptors are for the service's side and for the other tests.
    let room = usize::try_from(raise_descriptors() / 3).unwrap_or(usize::MAX);
    let count = CONNECTIONS.min(room);
    assert!(count >= 2_000, "raise the limit of open files (ulimit -Hn) to 6000 at least");
    let shop = shop(&[]).await;
    let address = shop.service.address();
    let (started, at_once) = (Instant::now(), AtomicUsize::new(0));
    meanwhile(&shop, async {
        let idle = stream::iter(0..count).map(async |n| {
            let mut raw = served(&address).await;
            if started.elapsed() < NO_CUTS {
                at_once.fetch_add(1, Ordering::Relaxed);
            }
            if n.is_multiple_of(2) {
                // Half of them begin again, and do not go on.
                let _ = raw.send(b"GET /health").await;
            }
            raw.is_cut().await;
        });
        idle.buffer_unordered(count).for_each(async |()| {}).await;
    })
    .await;
    let at_once = at_once.into_inner();
    assert!(at_once <= SERVED_AT_ONCE, "{at_once} connections were served at once");
}

/// A connection that has been answered once: one that the kernel's full queue has forgotten is none. On a busy machine one may be cut before.
async fn served(address: &str) -> Raw {
    for _ in 0..10 {
        let mut raw = Raw::connect(address).await.expect("a connection");
        let asked = raw.send(b"GET /health/live HTTP/1.1\r\nHost: shop\r\n\r\n").await;
        if let (Ok(()), Some(answer)) = (asked, raw.answer().await) {
            assert_eq!(answer.status, 200, "{answer:?}");
            return raw;
        }
    }
    panic!("never answered");
}

#[tokio::test]
async fn i15_clients_that_never_read_their_answers_are_cut_in_bounded_memory() {
    let shop = shop(&[]).await;
    let address = shop.service.address();
    meanwhile(&shop, async {
        let deaf = (0..60).map(async |_| {
            let mut raw = Raw::connect(&address).await.expect("a connection");
            let question = b"GET /openapi.json HTTP/1.1\r\nHost: shop\r\n\r\n".repeat(100);
            // Asks on and on and reads nothing, until the service has had enough.
            raw.flood(&question).await;
        });
        join_all(deaf).await;
    })
    .await;
}

#[tokio::test]
async fn i17_clients_that_hang_up_leave_no_hold_behind_that_does_not_end() {
    let shop = shop(&[]).await;
    let address = shop.service.address();
    shop.stock(2, 10_000).await;
    meanwhile(&shop, async {
        let rude = (0..400).map(async |n: usize| {
            let order = uuid::Uuid::now_v7();
            let body = format!(
                "{{\"orderId\":\"{order}\",\"items\":[{{\"productId\":2,\"quantity\":1}}],\"ttlSeconds\":1}}"
            );
            let mut raw = Raw::connect(&address).await.expect("a connection");
            let request = [
                post("/api/v1/inventory/reserve", &format!("Content-Length: {}", body.len())),
                body.into_bytes(),
            ]
            .concat();
            // Half of a request, or a whole one whose answer nobody waits for.
            let len = if n.is_multiple_of(2) { request.len() } else { request.len() * (n % 100) / 100 };
            raw.send(&request[..len]).await.expect("room for a request");
        });
        join_all(rude).await;
        eventually("all holds have ended", async || shop.counts(2).await == (10_000, 0, 10_000)).await;
    })
    .await;
}

#[tokio::test]
async fn i15_a_service_started_with_few_descriptors_takes_as_many_as_the_system_allows() {
    raise_descriptors();
    let binary = env!("CARGO_BIN_EXE_holdfast");
    let launch = Launch::new("/bin/sh").prepare(["-c", "exec \"$0\" migrate inventory", binary]).arguments([
        "-c",
        "ulimit -Sn 96 && exec \"$0\" inventory --no-events",
        binary,
    ]);
    let service = launch.start().await.expect("the service starts");
    let shop = Shop { caller: Caller::new(&service.url()), service, database: None };
    let address = shop.service.address();
    meanwhile(&shop, async {
        let idle = (0..300).map(async |_| served(&address).await.is_cut().await);
        join_all(idle).await;
    })
    .await;
    assert!(!shop.service.log().contains("could not accept"), "{}", shop.service.log());
}
