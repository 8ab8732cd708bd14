//! The service as a whole: bound, serving, drained.

use order_service::store::StoreOptions;
use order_service::{Service, ServiceOptions, Stopped};
use service_kit::Metrics;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::fakes::Act;
use super::world::{cart, sqlite, until};

#[tokio::test]
async fn race_39_a_drained_service_finishes_what_it_began_and_says_so() {
    let world = sqlite().await;
    let id = world.place().await;
    world.payments.stage.next("process", [Act::Wait]);
    let (inventory, payments) = (world.inventory.clone(), world.payments.clone());
    let options = ServiceOptions { addr: ([127, 0, 0, 1], 0).into(), ..ServiceOptions::default() };
    let service = Service::bind(world.store.clone(), inventory, payments, options, Metrics::new("orders"))
        .await
        .unwrap();
    assert_ne!(service.local_addr().unwrap().port(), 0);
    let (app, stop) = (service.app().clone(), CancellationToken::new());
    assert!(!app.is_ready(), "not before the database was seen");
    let mut tasks = JoinSet::new();
    tasks.spawn(service.run(stop.clone()));
    until(async || app.is_ready().then_some(())).await;
    until(async || (world.payments.stage.calls("process", id) == 1).then_some(())).await;
    stop.cancel();
    until(async || (!app.is_ready()).then_some(())).await;
    world.payments.stage.gate.notify_one();
    assert_eq!(tasks.join_next().await.unwrap().unwrap(), Stopped::Cleanly);
    assert!(world.order(id).await.saga.outstanding.is_empty(), "the call under way was finished");
    let metrics = app.scrape();
    for series in ["saga_calls_total", "saga_calls_waiting", "saga_calls_stuck", "saga_calls_overdue_seconds"]
    {
        assert!(metrics.contains(series), "{series} in {metrics}");
    }
}

#[tokio::test]
async fn a_database_that_is_away_is_503_and_not_ready() {
    let world = sqlite().await;
    world.store.database().close().await;
    assert_eq!(world.place_with("k", &cart()).await.brief(), (503, "unavailable".to_owned()));
    assert_eq!(world.get("/health/ready").await.status, 503);
    assert_eq!(world.get("/health/live").await.status, 200);
}

#[tokio::test]
async fn a_lease_that_is_shorter_than_a_call_is_refused_at_the_start() {
    let world = sqlite().await;
    let lease = ServiceOptions::default().worker.call_deadline;
    let twin = world.twin(StoreOptions { lease, ..StoreOptions::default() });
    let (inventory, payments) = (world.inventory.clone(), world.payments.clone());
    let options = ServiceOptions { addr: ([127, 0, 0, 1], 0).into(), ..ServiceOptions::default() };
    let bound = Service::bind(twin.store.clone(), inventory, payments, options, Metrics::new("orders")).await;
    let refused = bound.err().expect("refused").to_string();
    assert!(refused.contains("make the lease longer"), "{refused}");
}
