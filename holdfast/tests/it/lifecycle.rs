//! Starting, telling how one is, draining, coming back.

use std::time::Duration;

use futures::future::join_all;
use serde_json::json;
use test_support::service::Launch;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::shop::{Caller, PATIENCE, Shop, StoreKind, eventually, items, launch, new_order, on_every_store};

#[tokio::test]
async fn health_is_told_without_and_with_the_ledger() {
    on_every_store(async |shop: Shop| {
        for path in ["/health/live", "/health/ready"] {
            assert_eq!(shop.get(path).await.status, 200, "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn metrics_are_in_prometheus_form_and_count_requests() {
    on_every_store(async |shop: Shop| {
        shop.stock(1, 10).await;
        shop.hold(&[(1, 1)]).await;
        let answer = shop.get("/metrics").await;
        assert_eq!(answer.status, 200, "{answer:#?}");
        assert!(answer.header("content-type").starts_with("text/plain"), "{answer:#?}");
        let samples: Vec<&str> = answer.text.lines().filter(|line| !line.starts_with('#')).collect();
        let counted = samples.iter().find(|line| {
            line.starts_with("http_requests_total{")
                && line.contains("route=\"reserve\"")
                && line.contains("status=\"2xx\"")
        });
        assert!(counted.is_some_and(|line| line.ends_with(" 1")), "{}", answer.text);
        for sample in samples.iter().filter(|line| !line.is_empty()) {
            let value = sample.rsplit(' ').next().unwrap_or_default();
            assert!(value.parse::<f64>().is_ok(), "{sample:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_openapi_document_describes_every_call_of_the_contract() {
    let shop = Shop::open(StoreKind::Sqlite, &[]).await;
    let document = shop.get("/openapi.json").await.is(200);
    assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.")));
    let calls = [
        ("post", "/api/v1/inventory/reserve"),
        ("post", "/api/v1/inventory/commit"),
        ("post", "/api/v1/inventory/release"),
        ("post", "/api/v1/inventory/extend"),
        ("get", "/api/v1/inventory/{productId}"),
        ("get", "/api/v1/inventory"),
        ("get", "/api/v1/inventory/reservations/{orderId}"),
        ("put", "/api/v1/inventory/{productId}"),
        ("post", "/api/v1/inventory/{productId}/adjust"),
        ("post", "/api/v1/inventory/import"),
        ("post", "/api/v1/inventory/reserve/batch"),
        ("get", "/api/v1/inventory/{productId}/journal"),
        ("get", "/api/v1/inventory/audit"),
    ];
    for (method, path) in calls {
        assert!(document["paths"][path][method].is_object(), "{method} {path} is not described");
    }
}

#[tokio::test]
async fn the_documentation_works_offline() {
    let shop = Shop::open(StoreKind::Sqlite, &[]).await;
    let page = shop.get("/docs").await;
    assert_eq!(page.status, 200, "{page:#?}");
    assert!(page.header("content-type").starts_with("text/html"), "{page:#?}");
    // Everything that the page loads comes from the service itself.
    let sources = page.text.split("src=\"").chain(page.text.split("href=\"")).skip(1);
    for source in sources.filter_map(|rest| rest.split('"').next()) {
        assert!(!source.starts_with("http") && !source.starts_with("//"), "{source} is somebody else's");
    }
    let scripts: Vec<&str> =
        page.text.split("src=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(!scripts.is_empty(), "{}", page.text);
    for script in scripts {
        let path = format!("/docs/{}", script.trim_start_matches("./").trim_start_matches("/docs/"));
        assert_eq!(shop.get(&path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn i5_a_restart_keeps_everything() {
    on_every_store(async |mut shop: Shop| {
        shop.put(1, &json!({"onHand": 10, "name": "Lamp"})).await.is(201);
        let (held, bought) = (shop.hold(&[(1, 2)]).await, shop.hold(&[(1, 3)]).await);
        shop.commit(bought).await.is(200);
        let before = shop.product(1).await;
        let status = shop.service.sigterm().await.expect("it ends");
        assert_eq!(status.code(), Some(0));
        shop.service.start_again().await.expect("it starts again");
        assert_eq!(shop.product(1).await, before);
        assert_eq!((shop.status(held).await, shop.status(bought).await), ("HELD".into(), "COMMITTED".into()));
        shop.reserve(new_order(), &[(1, 6)]).await.is_problem(409, "insufficient_stock");
        shop.reserve(new_order(), &[(1, 5)]).await.is(201);
        assert_eq!(shop.reserve(held, &[(1, 2)]).await.is(200)["replayed"], true);
        shop.audit_is_ok().await;
    })
    .await;
}

/// Requests of which the service has read the head and not yet the whole body when it is told to go.
#[tokio::test]
async fn sigterm_answers_what_is_in_flight_takes_nothing_new_and_exits_with_zero() {
    on_every_store(async |mut shop: Shop| {
        shop.stock(1, 1_000).await;
        let address = shop.service.address();
        let begun = join_all((0..20).map(|_| HalfSent::begin(&address))).await;
        // Answers on later connections: by then the heads before them have been read.
        for _ in 0..5 {
            assert!(shop.service.is_ready().await);
        }
        shop.service.ask_to_end().expect("the signal is sent");
        eventually("readiness goes off", async || !shop.service.is_ready().await).await;
        let answers = join_all(begun.into_iter().map(HalfSent::finish)).await;
        for answer in &answers {
            assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
        }
        let status = shop.service.ended().await.expect("it ends within bounds");
        assert_eq!(status.code(), Some(0), "{status}");
        shop.service.start_again().await.expect("it starts again");
        assert_eq!(shop.counts(1).await, (1_000, 20, 980), "what was answered stands");
        shop.audit_is_ok().await;
    })
    .await;
}

/// A reserve whose body is on the way.
struct HalfSent {
    stream: TcpStream,
    rest: String,
}

impl HalfSent {
    async fn begin(address: &str) -> Self {
        let body = json!({"orderId": new_order(), "items": items(&[(1, 1)])}).to_string();
        let (first, rest) = body.split_at(body.len() / 2);
        let head = format!(
            "POST /api/v1/inventory/reserve HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{first}",
            body.len()
        );
        let mut stream = TcpStream::connect(address).await.expect("the service accepts");
        stream.write_all(head.as_bytes()).await.expect("the head is sent");
        Self { stream, rest: rest.to_owned() }
    }

    async fn finish(mut self) -> String {
        self.stream.write_all(self.rest.as_bytes()).await.expect("the rest is sent");
        let mut answer = String::new();
        let read = self.stream.read_to_string(&mut answer);
        timeout(PATIENCE, read).await.expect("an answer in time").expect("a whole answer");
        answer
    }
}

#[tokio::test]
async fn a_client_that_hangs_up_leaves_no_half_order() {
    on_every_store(async |shop: Shop| {
        shop.stock(1, 1_000).await;
        let orders: Vec<_> = (0..100).map(|_| new_order()).collect();
        join_all(orders.iter().map(async |order| {
            let body = json!({"orderId": order, "items": items(&[(1, 1)])});
            // Dropped at some point between connecting and the answer.
            let impatient = Duration::from_micros(200 * u64::from(order.as_bytes()[15]));
            let _ = timeout(impatient, shop.try_post("/api/v1/inventory/reserve", &body)).await;
        }))
        .await;
        let mut held = 0;
        for order in orders {
            match shop.reservation(order).await {
                answer if answer.status == 404 => {}
                answer => {
                    assert_eq!(answer.is(200)["status"], "HELD");
                    held += 1;
                }
            }
        }
        // Requests that nobody waits for any more may still be decided while this looks: then every order holds.
        let (on_hand, held_now, available) = shop.counts(1).await;
        assert_eq!(on_hand, held_now + available);
        assert!((held..=100).contains(&held_now), "{held} seen, {held_now} held");
        shop.audit_is_ok().await;
    })
    .await;
}

#[tokio::test]
async fn a_wrong_setting_stops_the_start_with_a_message_that_names_it() {
    let cases = [("HOLD_MAX_SECONDS", "0"), ("RESERVATION_TTL_SECONDS", "soon"), ("INVENTORY_ADDR", "here")];
    for (name, value) in cases {
        let (status, log) = launch().env(name, value).run_to_end().await.expect("it ends");
        assert!(!status.success() && log.contains(name), "{name}={value}: {log}");
    }
}

#[tokio::test]
async fn a_role_without_a_broker_starts_only_when_told_so() {
    let launch = Launch::new(env!("CARGO_BIN_EXE_holdfast")).arguments(["inventory"]);
    let (status, log) = launch.run_to_end().await.expect("it ends");
    assert!(!status.success(), "{log}");
    assert!(log.contains("KAFKA_BROKERS") && log.contains("--no-events"), "{log}");
}

#[tokio::test]
async fn a_database_that_cannot_be_reached_stops_the_start_without_telling_the_password() {
    let url = format!("postgres://shop:s3cret@127.0.0.1:{}/shop", test_support::free_port());
    let (status, log) = launch().env("DATABASE_URL", url).run_to_end().await.expect("it ends");
    assert!(!status.success(), "{log}");
    assert!(!log.contains("s3cret"), "{log}");
}

#[tokio::test]
async fn a_data_folder_belongs_to_one_process() {
    let shop = Shop::open(StoreKind::Sqlite, &[]).await;
    shop.stock(1, 10).await;
    let folder = shop.service.data().display().to_string();
    let (status, log) = launch().env("DATA_DIR", folder).run_to_end().await.expect("it ends");
    assert!(!status.success(), "a second process on the same folder must not start: {log}");
    assert_eq!(shop.counts(1).await, (10, 0, 10), "the first one goes on");
}

#[tokio::test]
async fn the_default_shape_starts_an_empty_ledger_with_the_demo_catalogue() {
    let service = Launch::new(env!("CARGO_BIN_EXE_holdfast")).start().await.expect("it starts");
    let caller = Caller::new(&service.url());
    let mut shop = Shop { service, caller, database: None };
    let products = shop.count("SELECT count(*) FROM inventory").await;
    assert!(products > 0);
    shop.audit_is_ok().await;
    shop.service.kill9().await.expect("it dies");
    shop.service.start_again().await.expect("it starts again");
    assert_eq!(shop.count("SELECT count(*) FROM inventory").await, products, "imported once");
}
