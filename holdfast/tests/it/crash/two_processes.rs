//! Several instances over one Postgres, which arbitrates.

use std::collections::HashSet;

use tokio::task::JoinSet;
use uuid::Uuid;

use crate::answers::Answer;
use crate::crash::fleet::Fleet;
use crate::history::{self, History};
use crate::shop::{Caller, POLL_PERIOD, launch, new_order};

const PRODUCTS: i64 = 10;
const STOCK: i64 = 60;
const CLIENTS: usize = 32;

/// Asks until the answer is definite. Being told to come back is no refusal.
async fn reserve(shop: &Caller, history: &History, order: Uuid, product: i64) -> Answer {
    loop {
        let asked = history::reserve(order, &[(product, 1)]);
        let answer = history.ask(shop, asked).await.expect("an answer");
        if answer.status != 503 {
            return answer;
        }
        answer.is_some_problem(503);
        tokio::time::sleep(POLL_PERIOD).await;
    }
}

/// Buys single units of every product in turn until all are sold out. After every success the other process is asked
/// for the same order: it must know it, also when that order has just taken the last unit.
async fn buy_all(shop: Caller, other: Caller, history: History, first: i64) -> Vec<(Uuid, i64)> {
    let (mut bought, mut sold_out) = (Vec::new(), HashSet::new());
    for turn in first.. {
        let product = 1 + turn % PRODUCTS;
        if sold_out.len() == usize::try_from(PRODUCTS).expect("few products") {
            break;
        }
        let order = new_order();
        let answer = reserve(&shop, &history, order, product).await;
        if answer.status == 409 {
            answer.is_problem(409, "insufficient_stock");
            sold_out.insert(product);
            continue;
        }
        answer.is(201);
        assert_eq!(reserve(&other, &history, order, product).await.is(200)["replayed"], true);
        bought.push((order, product));
    }
    bought
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i1_i7_two_processes_sell_ten_products_exactly_and_know_each_others_orders() {
    let database = test_support::postgres::database().await;
    let launch = launch().env("DATABASE_URL", &database.url);
    let one = launch.clone().start().await.expect("the first starts");
    let other = launch.start().await.expect("the second starts");
    let shops = [Caller::new(&one.url()), Caller::new(&other.url())];
    for product in 1..=PRODUCTS {
        shops[0].stock(product, STOCK).await;
    }
    let history = History::new();
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        let (shop, other) = (shops[number % 2].clone(), shops[(number + 1) % 2].clone());
        let first = i64::try_from(number).expect("few clients");
        clients.spawn(buy_all(shop, other, history.clone(), first));
    }
    let bought = clients.join_all().await.concat();
    for product in 1..=PRODUCTS {
        let sold = bought.iter().filter(|(_, of)| *of == product).count();
        assert_eq!(i64::try_from(sold), Ok(STOCK), "product {product}");
        for shop in &shops {
            assert_eq!(shop.counts(product).await, (STOCK, STOCK, 0));
        }
    }
    for (order, product) in &bought {
        for shop in &shops {
            let again = reserve(shop, &history, *order, *product).await;
            assert_eq!(again.is(200)["replayed"], true, "a retry is a replay, never a refusal");
        }
    }
    shops[1].audit_is_ok().await;
    let checked = history.agrees_with(&database.url).await.checked;
    assert!(checked.sold_out > 0, "nobody was refused: the test has shown nothing of I14");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn i5_the_death_of_one_process_costs_the_other_nothing() {
    let database = test_support::postgres::database().await;
    let launch = launch().env("DATABASE_URL", &database.url);
    let mut one = launch.clone().start().await.expect("the first starts");
    let other = launch.start().await.expect("the second starts");
    let shops = [Caller::new(&one.url()), Caller::new(&other.url())];
    let fleet = Fleet::send_off(&shops).await;
    fleet.until_acknowledged(400).await;
    one.kill9().await.expect("it dies");
    fleet.until_acknowledged(200).await;
    let mut told = fleet.come_home().await;
    assert!(told.cut_off > 0, "nobody noticed the crash: the test has shown nothing");
    told.check(&shops[1]).await;
    told.settle_doubts_and_check(&shops[1]).await;
    told.history.agrees_with(&database.url).await;
}
