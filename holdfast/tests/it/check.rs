//! `holdfast check`: what callers saw against the ledger, through the built binary.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};

use futures::future::join_all;
use ledger_check::history::{Answer, Answered, Asked, HistoryLog, Record};
use serde_json::Value;
use uuid::Uuid;

use crate::history::{History, commit, lines, printed, release, reserve};
use crate::shop::{Shop, StoreKind, new_order, on_every_store};

/// Some of everything, some of it at once, on two products.
async fn buy(shop: &Shop, history: &History) {
    shop.stock(1, 40).await;
    shop.stock(2, 5).await;
    let orders: Vec<Uuid> = (0..30).map(|_| new_order()).collect();
    let buy_one = async |(number, order): (usize, &Uuid)| {
        let cart: &[(i64, u32)] = if number % 3 == 0 { &[(1, 1), (2, 1)] } else { &[(1, 2)] };
        let mut questions = vec![reserve(*order, cart), reserve(*order, cart)];
        match number % 5 {
            0 => questions.extend([commit(*order), commit(*order), release(*order)]),
            1 => questions.push(release(*order)),
            2 => questions.push(Asked::Release { order: *order, items: Some(lines(&[(1, 1)])), key: None }),
            3 => questions.push(Asked::Extend { order: *order, ttl_micros: 3_601_000_000 }),
            _ => questions.push(Asked::Commit { order: *order, items: Some(lines(&[(1, 1)])), key: None }),
        }
        for asked in questions {
            history.ask(&shop.caller, asked).await.expect("an answer");
        }
    };
    join_all(orders.iter().enumerate().map(buy_one)).await;
    // A change of settings alone, and stock that comes and goes.
    shop.put(1, &serde_json::json!({"onHand": 40, "lowStockThreshold": 3})).await;
    shop.adjust(2, "delivery", 7).await;
    shop.adjust(2, "broken", -1).await;
    history.ask(&shop.caller, release(new_order())).await.expect("an answer");
}

fn check(shop: &Shop, history: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_holdfast"));
    command.env_clear().arg("check").arg("--history").arg(history).args(more);
    match &shop.database {
        Some(database) => command.args(["--database-url", &database.url]),
        None => command.arg("--data-dir").arg(shop.service.data()),
    };
    command.output().expect("the verb runs")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_callers_saw_agrees_with_the_ledger() {
    on_every_store(async |mut shop: Shop| {
        let history = History::new();
        buy(&shop, &history).await;
        assert!(shop.service.sigterm().await.expect("it ends").success());
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("history.ndjson");
        history.write(&file);

        let (code, text) = printed(&check(&shop, &file, &["--at-rest"]));
        assert_eq!(code, Some(0), "{text}");
        assert!(text.contains("the ledger and what its callers saw agree"), "{text}");
        let json = check(&shop, &file, &["--json"]);
        let verdict: Value = serde_json::from_slice(&json.stdout).expect("JSON");
        assert_eq!((&verdict["ok"], verdict["violationsTotal"].as_u64()), (&true.into(), Some(0)));
        let asked = u64::try_from(history.records().len()).unwrap();
        assert_eq!(verdict["checked"]["operations"].as_u64(), Some(asked), "{verdict:#}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i5_an_acknowledgement_that_never_happened_is_named() {
    let mut shop = Shop::open(StoreKind::Sqlite, &[]).await;
    let history = History::new();
    buy(&shop, &history).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("history.ndjson");
    history.write(&file);

    let (code, text) = printed(&check(&shop, &file, &[]));
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("end that process first"), "{text}");
    assert!(shop.service.sigterm().await.expect("it ends").success());

    let order = new_order();
    let never = Record {
        client: "forger".to_owned(),
        sequence: 1,
        asked: reserve(order, &[(1, 1)]),
        invoked_at: 1_000,
        answered: Some(Answered { at: 2_000, answer: Answer::Held { replayed: false, expires_at: None } }),
    };
    let forged = folder.path().join("forged.ndjson");
    let log = HistoryLog::open(&forged).unwrap();
    log.append(&never).unwrap();
    log.flush().unwrap();
    let (code, text) = printed(&check(&shop, &file, &[forged.to_str().expect("UTF-8")]));
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains(&format!("I5: order {order}: forger #1 (reserve) was told")), "{text}");
    assert!(text.contains("1 violations"), "{text}");
}

#[tokio::test]
async fn a_history_that_cannot_be_read_is_told_by_file_line_and_reason() {
    let mut shop = Shop::open(StoreKind::Sqlite, &[]).await;
    shop.stock(1, 1).await;
    assert!(shop.service.sigterm().await.expect("it ends").success());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("history.ndjson");
    let history = History::new();
    history.write(&file);
    assert_eq!(check(&shop, &file, &[]).status.code(), Some(0));
    let mut out = OpenOptions::new().append(true).open(&file).unwrap();
    writeln!(out, "\n{{\"v\":1,\"client\":\"x\"}}").unwrap();
    let (code, text) = printed(&check(&shop, &file, &[]));
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("history.ndjson is no history") && text.contains("line 2"), "{text}");
    fs::remove_file(&file).unwrap();
    assert_eq!(check(&shop, &file, &[]).status.code(), Some(1));
    assert_eq!(check(&shop, &file, &["--staleness", "fast"]).status.code(), Some(2));
}
