//! A month of real baskets, in order and seeded, on every store: the same admissions and refusals, and a clean audit.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use test_support::postgres;

/// Runs `holdfast` with arguments; its standard output, if it found nothing wrong.
fn holdfast(arguments: &[&str]) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate stands in a workspace");
    let run = Command::new(env!("CARGO_BIN_EXE_holdfast"))
        .args(arguments)
        .current_dir(root)
        .env_remove("DATABASE_URL")
        .env_remove("INVENTORY_DATABASE_URL")
        .output()
        .expect("holdfast runs");
    let errors = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "holdfast {arguments:?}: {}\n{errors}", run.status);
    String::from_utf8(run.stdout).expect("UTF-8")
}

fn replay(store: &str) -> Value {
    let told = holdfast(&[
        "replay",
        "data/retail/baskets.csv.gz",
        "--stock",
        "data/retail/stock.csv",
        "--store",
        store,
        "--json",
    ]);
    serde_json::from_str(&told).expect("a summary")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_month_of_baskets_is_admitted_alike_on_every_store_and_audits_clean() {
    let folder = tempfile::tempdir().expect("a folder");
    let sqlite = format!("sqlite:{}", folder.path().join("retail.db").display());
    let database = postgres::database().await.url;
    holdfast(&["migrate", "--database-url", &database]);
    let months: Vec<Value> = ["memory", &sqlite, &database].into_iter().map(replay).collect();
    for month in &months {
        assert_eq!(month["lines"]["read"], 124_768, "{month:#}");
        assert_eq!(month["lines"]["dropped"]["zero_quantity"], 697, "{month:#}");
        assert_eq!(month["baskets"], 12_981, "{month:#}");
        assert_eq!(month["audit"]["ok"], true, "{month:#}");
        assert!(month["refused"]["insufficient_stock"].as_u64() > Some(0), "nothing ran out: {month:#}");
        for count in ["admitted", "refused", "committed", "released", "left", "digest"] {
            assert_eq!(month[count], months[0][count], "{count} differs: {month:#}");
        }
    }
}
