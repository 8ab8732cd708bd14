//! What the application's role may do on Postgres.

use order_service::Store;
use service_kit::sql::Dialect;

use super::world::{World, cart, quick};

#[tokio::test]
async fn the_applications_role_suffices_and_cannot_rewrite_history() {
    let world = World::new(Dialect::Postgres, quick()).await;
    let url = world.url().to_owned();
    let separator = if url.contains('?') { '&' } else { '?' };
    let url = format!("{url}{separator}options=-c%20role%3Dholdfast_orders_app");
    let store = Store::connect(&url, quick().0).await.unwrap();
    let role: String =
        sqlx::query_scalar("SELECT current_user::text").fetch_one(store.database().pool()).await.unwrap();
    assert_eq!(role, "holdfast_orders_app");
    let mut world = world.over(store);
    world.work();
    let paid = world.place_with("k", &cart()).await.order_id();
    world.paid(&world.order(paid).await).await.unwrap();
    world.rests(paid, "CONFIRMED").await;
    let declined = world.place_with("k2", &cart()).await.order_id();
    world.declined(&world.order(declined).await).await.unwrap();
    world.rests(declined, "PAYMENT_FAILED").await;
    for forbidden in [
        "UPDATE saga_state_log SET details = 'nothing happened'",
        "DELETE FROM saga_state_log",
        "UPDATE order_items SET unit_price = 0",
        "DELETE FROM payments_seen",
        "DELETE FROM orders",
    ] {
        let refused = sqlx::query(forbidden).execute(world.store.database().pool()).await.unwrap_err();
        let code = refused.as_database_error().unwrap().code().unwrap();
        assert_eq!(code, "42501", "{forbidden}: {refused}");
    }
}
