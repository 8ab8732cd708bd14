//! The scenarios that every reservation system is asked about. Crashes (F, G) are in `crash`, announcements (H) in
//! `events`.

use std::collections::HashMap;

use futures::StreamExt;
use futures::stream;
use serde_json::json;

use crate::answers::Answer;
use crate::shop::{Shop, eventually, new_order, on_every_store};

/// Runs so many requests, up to `at_once` at a time.
async fn all<F>(at_once: usize, requests: impl IntoIterator<Item = F>) -> Vec<Answer>
where
    F: Future<Output = Answer>,
{
    stream::iter(requests).buffer_unordered(at_once).collect().await
}

/// How often each status was answered.
fn statuses(answers: &[Answer]) -> HashMap<u16, usize> {
    let mut counts = HashMap::new();
    for answer in answers {
        *counts.entry(answer.status).or_default() += 1;
    }
    counts
}

#[tokio::test]
async fn a_the_same_product_twice_in_one_order_over_what_is_left_is_refused() {
    on_every_store(async |shop: Shop| {
        shop.stock(1, 3).await;
        let problem =
            shop.reserve(new_order(), &[(1, 2), (1, 2)]).await.is_problem(409, "insufficient_stock");
        assert_eq!(problem["items"][0]["requested"], 4);
        assert_eq!(shop.counts(1).await, (3, 0, 3));
        let body = shop.reserve(new_order(), &[(1, 2), (1, 1)]).await.is(201);
        assert_eq!(body["items"], json!([{"productId": 1, "quantity": 3}]));
        shop.audit_is_ok().await;
    })
    .await;
}

#[tokio::test]
async fn b_i1_of_five_hundred_clients_for_the_last_unit_exactly_one_gets_it() {
    on_every_store(async |shop: Shop| {
        shop.stock(1, 1).await;
        let answers = all(500, (0..500).map(|_| async { shop.reserve(new_order(), &[(1, 1)]).await })).await;
        assert_eq!(statuses(&answers), HashMap::from([(201, 1), (409, 499)]));
        for refusal in answers.iter().filter(|answer| answer.status == 409) {
            refusal.is_problem(409, "insufficient_stock");
        }
        assert_eq!(shop.counts(1).await, (1, 1, 0));
        shop.audit_is_ok().await;
    })
    .await;
}

#[tokio::test]
async fn c_i4_a_commit_after_a_release_never_commits() {
    on_every_store(async |shop: Shop| {
        shop.stock(1, 5).await;
        let order = shop.hold(&[(1, 2)]).await;
        shop.release(order).await.is(200);
        for _ in 0..3 {
            shop.commit(order).await.is_problem(409, "already_released");
        }
        assert_eq!(shop.counts(1).await, (5, 0, 5));
        shop.audit_is_ok().await;
    })
    .await;
}

#[tokio::test]
async fn c_i4_a_commit_after_expiry_is_late_or_lost_and_stays_so() {
    on_every_store(async |shop: Shop| {
        shop.stock(1, 5).await;
        shop.stock(2, 5).await;
        let (late, lost) = (shop.swept_hold(&[(1, 5)]).await, shop.swept_hold(&[(2, 5)]).await);
        shop.hold(&[(2, 1)]).await;
        assert_eq!(shop.commit(late).await.is(200)["late"], true);
        shop.commit(lost).await.is_problem(410, "reservation_expired");
        assert_eq!(shop.commit(late).await.is(200)["late"], true);
        shop.commit(lost).await.is_problem(410, "reservation_expired");
        assert_eq!((shop.counts(1).await, shop.counts(2).await), ((0, 0, 0), (5, 1, 4)));
        shop.audit_is_ok().await;
    })
    .await;
}

#[tokio::test]
async fn d_i7_repeated_commits_and_releases_answer_the_same_and_change_nothing() {
    on_every_store(async |shop: Shop| {
        shop.stock(1, 10).await;
        let (bought, given_back) = (shop.hold(&[(1, 2)]).await, shop.hold(&[(1, 3)]).await);
        let first = shop.commit(bought).await.is(200);
        let second = shop.release(given_back).await.is(200);
        for _ in 0..3 {
            assert_eq!(shop.commit(bought).await.is(200), first);
            assert_eq!(shop.release(given_back).await.is(200), second);
            shop.release(bought).await.is_problem(409, "already_committed");
            shop.commit(given_back).await.is_problem(409, "already_released");
        }
        assert_eq!(shop.counts(1).await, (8, 0, 8));
        shop.audit_is_ok().await;
    })
    .await;
}

#[tokio::test]
async fn e_i10_a_thousand_crossing_carts_meet_no_deadlock_and_no_server_error() {
    on_every_store(async |shop: Shop| {
        for product in [1, 2] {
            shop.stock(product, 900).await;
        }
        let carts = (0..1_000).map(|n| {
            let cart = if n % 2 == 0 { [(1, 1), (2, 1)] } else { [(2, 1), (1, 1)] };
            let shop = &shop;
            async move { shop.reserve(new_order(), &cart).await }
        });
        let answers = all(64, carts).await;
        assert_eq!(statuses(&answers), HashMap::from([(201, 900), (409, 100)]));
        for product in [1, 2] {
            assert_eq!(shop.counts(product).await, (900, 900, 0), "all lines or none");
        }
        shop.audit_is_ok().await;
    })
    .await;
}

#[tokio::test]
async fn e_i10_crossing_carts_with_a_short_product_take_nothing_of_the_other() {
    on_every_store(async |shop: Shop| {
        shop.stock(1, 1_000).await;
        shop.stock(2, 10).await;
        let carts = (0..300).map(|n| {
            let cart = if n % 2 == 0 { [(1, 1), (2, 1)] } else { [(2, 1), (1, 1)] };
            let shop = &shop;
            async move { shop.reserve(new_order(), &cart).await }
        });
        assert_eq!(statuses(&all(64, carts).await), HashMap::from([(201, 10), (409, 290)]));
        assert_eq!((shop.counts(1).await, shop.counts(2).await), ((1_000, 10, 990), (10, 10, 0)));
        shop.audit_is_ok().await;
    })
    .await;
}

#[tokio::test]
async fn i_stock_set_below_what_is_held_is_refused_with_the_holds_that_would_break() {
    on_every_store(async |shop: Shop| {
        shop.stock(1, 10).await;
        let holders = [shop.hold(&[(1, 4)]).await, shop.hold(&[(1, 2)]).await];
        let problem = shop.put(1, &json!({"onHand": 5})).await.is_problem(409, "below_held");
        let holds = problem["holds"].as_array().cloned().unwrap_or_default();
        for holder in holders {
            assert!(holds.iter().any(|hold| hold["orderId"] == json!(holder)), "{holder} in {problem:#}");
        }
        shop.adjust(1, "write-off", -5).await.is_problem(409, "below_held");
        assert_eq!(shop.counts(1).await, (10, 6, 4));
        shop.put(1, &json!({"onHand": 6})).await.is(200);
        assert_eq!(shop.counts(1).await, (6, 6, 0));
        shop.audit_is_ok().await;
    })
    .await;
}

#[tokio::test]
async fn i_the_list_of_holds_in_the_way_is_bounded() {
    on_every_store(async |shop: Shop| {
        shop.stock(1, 100).await;
        all(25, (0..25).map(|_| async { shop.reserve(new_order(), &[(1, 1)]).await })).await;
        let problem = shop.put(1, &json!({"onHand": 3})).await.is_problem(409, "below_held");
        assert_eq!(problem["holds"].as_array().map(Vec::len), Some(20), "{problem:#}");
    })
    .await;
}

#[tokio::test]
async fn j_fifty_parallel_orders_of_one_customer_under_a_cap_of_two_get_two() {
    on_every_store(async |shop: Shop| {
        shop.put(1, &json!({"onHand": 100, "perCustomerLimit": 2})).await.is(201);
        let orders = (0..50).map(|_| async { shop.reserve_as("ann", new_order(), &[(1, 1)]).await });
        let answers = all(50, orders).await;
        assert_eq!(statuses(&answers), HashMap::from([(201, 2), (409, 48)]));
        let refusal = answers.iter().find(|answer| answer.status == 409).expect("there are 48");
        let problem = refusal.is_problem(409, "customer_limit");
        assert_eq!((&problem["productId"], &problem["limit"]), (&1.into(), &2.into()), "{problem:#}");
        shop.reserve_as("bob", new_order(), &[(1, 2)]).await.is(201);
        assert_eq!(shop.counts(1).await, (100, 4, 96));
        shop.audit_is_ok().await;
    })
    .await;
}

#[tokio::test]
async fn j_a_released_hold_counts_no_longer_and_a_bought_one_does() {
    on_every_store(async |shop: Shop| {
        shop.put(1, &json!({"onHand": 100, "perCustomerLimit": 2})).await.is(201);
        let order = new_order();
        shop.reserve_as("ann", order, &[(1, 2)]).await.is(201);
        shop.reserve_as("ann", new_order(), &[(1, 1)]).await.is_problem(409, "customer_limit");
        shop.release(order).await.is(200);
        let bought = new_order();
        shop.reserve_as("ann", bought, &[(1, 2)]).await.is(201);
        shop.commit(bought).await.is(200);
        let problem = shop.reserve_as("ann", new_order(), &[(1, 1)]).await.is_problem(409, "customer_limit");
        assert_eq!(problem["taken"], 2);
        shop.audit_is_ok().await;
    })
    .await;
}

#[tokio::test]
async fn k_i4_a_committed_hold_never_expires() {
    on_every_store(async |shop: Shop| {
        shop.stock(1, 10).await;
        shop.stock(2, 10).await;
        let (bought, idle) = (new_order(), new_order());
        shop.reserve_for(1, bought, &[(1, 2)]).await.is(201);
        shop.commit(bought).await.is(200);
        // Reserved later with the same time to live: when this one has gone, the other one's time is over too.
        shop.reserve_for(1, idle, &[(2, 2)]).await.is(201);
        eventually("the idle hold is swept", async || shop.counts(2).await == (10, 0, 10)).await;
        assert_eq!(shop.status(idle).await, "EXPIRED");
        assert_eq!(shop.status(bought).await, "COMMITTED");
        assert_eq!(shop.counts(1).await, (8, 0, 8));
        shop.audit_is_ok().await;
    })
    .await;
}

#[tokio::test]
async fn part_of_a_hold_can_be_given_back_until_nothing_is_left() {
    on_every_store(async |shop: Shop| {
        shop.stock(1, 10).await;
        shop.stock(2, 10).await;
        let order = shop.hold(&[(1, 3), (2, 2)]).await;
        let body = shop.release_items(order, &[(1, 2)]).await.is(200);
        assert_eq!(body["status"], "HELD");
        assert_eq!((shop.counts(1).await, shop.counts(2).await), ((10, 1, 9), (10, 2, 8)));
        shop.release_items(order, &[(1, 2)]).await.is_some_problem(422);
        let body = shop.release_items(order, &[(1, 1), (2, 2)]).await.is(200);
        assert_eq!(body["status"], "RELEASED");
        assert_eq!((shop.counts(1).await, shop.counts(2).await), ((10, 0, 10), (10, 0, 10)));
        shop.audit_is_ok().await;
    })
    .await;
}

#[tokio::test]
async fn part_of_a_hold_can_be_committed_and_the_rest_goes_back() {
    on_every_store(async |shop: Shop| {
        shop.stock(1, 10).await;
        shop.stock(2, 10).await;
        let order = shop.hold(&[(1, 3), (2, 2)]).await;
        shop.commit_items(order, &[(1, 4)]).await.is_some_problem(422);
        let body = shop.commit_items(order, &[(1, 2)]).await.is(200);
        assert_eq!((&body["status"], &body["late"]), (&"COMMITTED".into(), &false.into()));
        assert_eq!((shop.counts(1).await, shop.counts(2).await), ((8, 0, 8), (10, 0, 10)));
        assert_eq!(shop.commit_items(order, &[(1, 2)]).await.is(200), body, "a replay");
        shop.commit_items(order, &[(1, 1)]).await.is_problem(422, "order_conflict");
        assert_eq!(shop.counts(1).await, (8, 0, 8));
        shop.audit_is_ok().await;
    })
    .await;
}

#[tokio::test]
async fn race_08_a_reserve_that_is_repeated_after_its_hold_ran_out_is_told_so_and_not_what_it_was_told_first()
{
    on_every_store(async |shop: Shop| {
        shop.stock(1, 10).await;
        let order = new_order();
        shop.reserve_for(1, order, &[(1, 4)]).await.is(201);
        eventually("the hold runs out", async || shop.status(order).await == "EXPIRED").await;
        shop.reserve_for(1, order, &[(1, 4)]).await.is_problem(410, "reservation_expired");
        eventually("the stock is back", async || shop.counts(1).await == (10, 0, 10)).await;
    })
    .await;
}
