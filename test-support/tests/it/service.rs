use std::os::unix::process::ExitStatusExt;

use test_support::service::Launch;

fn answer_ready() -> Launch {
    Launch::new(env!("CARGO_BIN_EXE_answer-ready"))
}

#[tokio::test]
async fn a_service_comes_back_on_the_same_port_and_data_after_a_kill() {
    let mut service = answer_ready().start().await.expect("it starts");
    let url = service.url();
    assert!(service.is_ready().await);
    service.kill9().await.expect("it dies");
    assert!(!service.is_ready().await);
    service.start_again().await.expect("it starts again");
    assert!(service.is_ready().await);
    assert_eq!(service.url(), url);
    let starts = std::fs::read_to_string(service.data().join("starts")).expect("the data folder was kept");
    assert_eq!(starts.lines().count(), 2);
    assert_eq!(service.log().matches("listening").count(), 2);
    let status = service.sigterm().await.expect("it ends");
    assert_eq!(status.signal(), Some(15));
}

#[tokio::test]
async fn a_start_that_is_refused_says_what_the_process_wrote() {
    let error = answer_ready().arguments(["--refuse"]).start().await.expect_err("it refuses");
    assert!(error.to_string().contains("refused as asked"), "{error}");
    let (status, log) = answer_ready().arguments(["--refuse"]).run_to_end().await.expect("it ends");
    assert_eq!(status.code(), Some(1));
    assert!(log.contains("refused as asked"), "{log}");
}

#[tokio::test]
async fn a_dropped_service_is_gone() {
    let service = answer_ready().start().await.expect("it starts");
    let proc = format!("/proc/{}", service.pid().expect("it runs"));
    assert!(std::fs::exists(&proc).expect("readable"));
    drop(service);
    assert!(!std::fs::exists(&proc).expect("readable"));
}

#[tokio::test]
async fn a_preparation_runs_once_before_the_first_start() {
    let mut service = answer_ready().prepare(["--once"]).start().await.expect("it starts");
    service.kill9().await.expect("it dies");
    service.start_again().await.expect("it starts again");
    let starts = std::fs::read_to_string(service.data().join("starts")).expect("the data folder was kept");
    assert_eq!(starts.lines().count(), 3);
    let error = answer_ready().prepare(["--refuse"]).start().await.expect_err("the preparation fails");
    assert!(error.to_string().contains("refused as asked"), "{error}");
}
