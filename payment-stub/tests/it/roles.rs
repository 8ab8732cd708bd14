//! What the application's role may do on Postgres, and what it may not.

use serde_json::json;
use service_kit::sql::Dialect;

use crate::support::{Stub, both, id, payment};

#[tokio::test]
async fn the_applications_role_may_pay_and_tell_but_not_forget_a_payment() {
    let [books, _] = both().await;
    let stub = Stub::start(&books).await;
    assert_eq!(stub.database.dialect(), Dialect::Postgres);
    let answer = stub.process(&payment(id(), id(), "silent")).await;
    assert_eq!(answer.body["status"], json!("ACCEPTED"));

    let mut tx = stub.database.begin().await.unwrap();
    sqlx::query("SET LOCAL ROLE holdfast_payments_app").execute(tx.connection()).await.unwrap();
    for allowed in [
        "UPDATE payments SET updated_at = updated_at",
        "INSERT INTO outbox (id, aggregatetype, aggregateid, aggregate_version, type, topic, payload, headers, created_at) \
         VALUES (gen_random_uuid(), 'x', 'x', 0, 'x', 'x', '', '{}', now())",
        "DELETE FROM outbox",
    ] {
        sqlx::query(allowed).execute(tx.connection()).await.unwrap();
    }
    let refused = sqlx::query("DELETE FROM payments").execute(tx.connection()).await.unwrap_err();
    assert_eq!(refused.as_database_error().and_then(|error| error.code()).as_deref(), Some("42501"));
    drop(tx);
    stub.stop().await;
}
