//! What operators can do.

use order_service::store::waiting::Waiting;
use serde_json::json;
use service_kit::events::{Retention, RetentionOptions};
use service_kit::sql::Dialect;
use tokio_util::sync::CancellationToken;

use super::fakes::Act;
use super::world::{cart, on_both};

#[tokio::test]
async fn plan_retry_skip_and_abandon_help_an_order_along() {
    on_both(async |world| {
        let id = world.place().await;
        let verb = |verb: &str| format!("/api/v1/orders/{id}/operator/{verb}");
        let plan = world.get(&verb("plan")).await.json();
        assert_eq!(plan["actions"][0]["action"], "PROCESS_PAYMENT");
        assert!(plan["paymentDeadline"].is_string());
        assert!(!plan["next"].as_array().unwrap().is_empty());
        // Nothing is being undone yet.
        let why = json!({"reason": "by hand"});
        assert_eq!(world.post(&verb("abandon"), &why).await.brief(), (409, "invalid_state".to_owned()));
        let skip = |action: &str| json!({"action": action, "reason": "by hand"});
        let refused = world.post(&verb("skip"), &skip("REFUND_PAYMENT")).await;
        assert_eq!(refused.brief(), (409, "invalid_state".to_owned()));
        assert_eq!(
            world.post(&verb("skip"), &skip("DANCE")).await.brief(),
            (422, "invalid_request".to_owned())
        );
        assert_eq!(world.post(&verb("skip"), &skip("PROCESS_PAYMENT")).await.status, 200);
        world.declined(&world.order(id).await).await.unwrap();
        // Whoever had the release died; the operator does not wait for the lease's end.
        assert_eq!(world.store.claim_actions(10).await.unwrap().len(), 1);
        assert_eq!(world.post(&verb("retry"), &json!(null)).await.status, 200);
        assert_eq!(world.store.claim_actions(10).await.unwrap().len(), 1);
        assert_eq!(world.post(&verb("abandon"), &why).await.status, 200);
        let order = world.rests(id, "PAYMENT_FAILED").await;
        assert_eq!(json!(order.saga.stock), json!("ABANDONED"));
        assert_eq!(world.number("SELECT count(*) FROM saga_actions").await, 0);
        let strange = "/api/v1/orders/0197a3b0-1c00-7000-8000-000000000001/operator";
        for (path, body) in [("plan", None), ("retry", Some(json!(null))), ("abandon", Some(why.clone()))] {
            let path = format!("{strange}/{path}");
            let answer = match body {
                None => world.get(&path).await,
                Some(body) => world.post(&path, &body).await,
            };
            assert_eq!(answer.brief(), (404, "order_not_found".to_owned()), "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_retry_goes_on_at_once() {
    on_both(async |mut world| {
        let id = world.place().await;
        world.payments.stage.next("process", [Act::Wait]);
        world.work();
        world.until(async || (world.payments.stage.calls("process", id) == 1).then_some(())).await;
        let retry = format!("/api/v1/orders/{id}/operator/retry");
        assert_eq!(world.post(&retry, &json!(null)).await.status, 200);
        world.until(async || (world.payments.stage.calls("process", id) == 2).then_some(())).await;
    })
    .await;
}

#[tokio::test]
async fn what_waits_and_what_is_stuck_is_counted() {
    on_both(async |world| {
        assert_eq!(world.store.waiting().await.unwrap(), Waiting::default());
        let (_first, _second) = (world.place().await, world.place().await);
        world.sql("UPDATE saga_actions SET attempts = 10 WHERE CAST(order_id AS text) = (SELECT max(CAST(order_id AS text)) FROM orders)").await;
        let waiting = world.store.waiting().await.unwrap();
        assert_eq!((waiting.calls, waiting.stuck), (2, 1));
    })
    .await;
}

#[tokio::test]
async fn keys_are_forgotten_after_a_month_and_not_before() {
    on_both(async |world| {
        for key in ["old", "new"] {
            assert_eq!(world.place_with(key, &cart()).await.status, 202);
        }
        world
            .sql(match world.store.database().dialect() {
                Dialect::Postgres => {
                    "UPDATE idempotency_keys SET created_at = created_at - interval '31 days' WHERE key = 'old'"
                }
                Dialect::Sqlite => {
                    "UPDATE idempotency_keys SET created_at = created_at - 31 * 86400000000 WHERE key = 'old'"
                }
            })
            .await;
        let options = RetentionOptions::default();
        let pruned = Retention::new(world.store.forgets(&options), None, options);
        assert_eq!(pruned.turn(&CancellationToken::new()).await.rows, 1);
        assert_eq!(world.number("SELECT count(*) FROM idempotency_keys WHERE key = 'new'").await, 1);
        assert_eq!(world.number("SELECT count(*) FROM idempotency_keys").await, 1);
    })
    .await;
}
