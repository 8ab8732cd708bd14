//! A minute of chaos on the mock cluster: fewer kinds of faults, every check.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use chaos::kind::Kind;
use chaos::run::{Heads, Plan};

/// Long enough for every kind to strike; what has not by then gets more.
const HARM: Duration = Duration::from_secs(45);

/// What needs a real broker: on the mock cluster it is said to be absent, and does not fail the run.
const NOT_HERE: Kind = Kind::KillKafka;

/// The program, built as this test was: it belongs to another package, whose tests may not have been asked for.
fn holdfast() -> PathBuf {
    let build = Command::new(env!("CARGO")).args(["build", "--locked", "-p", "holdfast"]).status().unwrap();
    assert!(build.success(), "cargo build -p holdfast");
    let deps = std::env::current_exe().unwrap();
    let folder = deps.parent().and_then(|deps| deps.parent()).unwrap();
    folder.join(format!("holdfast{}", std::env::consts::EXE_SUFFIX))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i5_i6_i13_after_a_minute_of_faults_everything_that_was_acknowledged_is_there_and_adds_up() {
    let logs = tempfile::tempdir().unwrap();
    let plan = Plan {
        // Another one each time; the one of a failure is in its report.
        seed: rand::random(),
        time: HARM,
        kinds: Kind::ALL.into_iter().filter(|kind| kind.is_in_short_runs() || *kind == NOT_HERE).collect(),
        holdfast: holdfast(),
        mock_kafka: true,
        heads: Heads { buyers: 8, placers: 2 },
        log: "info".to_owned(),
        report: logs.path().to_owned(),
    };
    let report = chaos::run::run(&plan).await.unwrap();
    println!("{}", report.text());
    assert!(report.absent.contains_key(&NOT_HERE) && !report.injected.contains_key(&NOT_HERE));
    assert!(
        !report.has_failed(),
        "seed {}: see the report above, and the logs in {}",
        plan.seed,
        logs.keep().display()
    );
}
