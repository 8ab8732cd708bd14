//! The service as a whole: bound, serving, drained.

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
    assert!(metrics.contains("saga_calls_total"), "{metrics}");
}

#[tokio::test]
async fn a_database_that_is_away_is_503_and_not_ready() {
    let world = sqlite().await;
    world.store.database().close().await;
    assert_eq!(world.place_with("k", &cart()).await.brief(), (503, "unavailable".to_owned()));
    assert_eq!(world.get("/health/ready").await.status, 503);
    assert_eq!(world.get("/health/live").await.status, 200);
}
