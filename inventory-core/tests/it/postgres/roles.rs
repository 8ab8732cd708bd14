//! Who may do what.

use std::time::Duration;

use inventory_core::store::postgres::{PostgresOptions, PostgresStore};
use inventory_core::store::{Resolution, Retention, Store as _, StoreErrorKind};

use super::hand::{Ledger, begin_hold, execute, new_order};

const TTL: Duration = Duration::from_secs(900);
const AT_ONCE: Retention = Retention {
    reservations: Duration::ZERO,
    journal: Duration::ZERO,
    fences: Duration::ZERO,
    deliveries: Duration::ZERO,
    rows_max: 100,
};

/// A login that is in these roles and has no other rights, and the store as this login.
async fn login(ledger: &Ledger, name: &str, roles: &str) -> PostgresStore {
    let name = format!("{name}_{}", uuid::Uuid::new_v4().simple());
    execute(&mut ledger.sql().await, &format!("CREATE ROLE {name} LOGIN IN ROLE {roles}")).await.unwrap();
    let mut url = ledger.url.clone();
    let from = url.find("://").unwrap() + 3;
    let to = url.find('@').unwrap();
    url.replace_range(from..to, &name);
    PostgresStore::connect(&url, PostgresOptions::default()).await.unwrap()
}

#[tokio::test]
async fn the_application_has_no_ddl_and_no_delete_or_update_on_the_journal() {
    let ledger = Ledger::new().await;
    ledger.stock(&[(1, 5)]).await;
    let mut sql = ledger.sql().await;
    execute(&mut sql, "SET ROLE holdfast_inventory_app").await.unwrap();
    for forbidden in [
        "UPDATE journal SET at = now()",
        "DELETE FROM journal",
        "TRUNCATE journal",
        "UPDATE commit_batch SET outcome = 'committed'",
        "DELETE FROM commit_batch",
        "DELETE FROM reservations",
        "DELETE FROM inventory",
        "DELETE FROM inbox",
        "UPDATE adjustments SET delta = 0",
        "CREATE TABLE mine (a int)",
        "CREATE TABLE public.mine (a int)",
        "ALTER TABLE inventory DROP CONSTRAINT never_oversold",
        "DROP TABLE inventory",
        "UPDATE _sqlx_migrations SET version = 9",
    ] {
        let refused = execute(&mut sql, forbidden).await.expect_err(forbidden);
        let code = refused.as_database_error().and_then(|answer| answer.code()).map(|code| code.into_owned());
        assert_eq!(code.as_deref(), Some("42501"), "{forbidden}: {refused}");
    }
}

#[tokio::test]
async fn a_plain_login_in_the_application_role_does_everything_but_pruning() {
    let ledger = Ledger::new().await;
    ledger.stock(&[(1, 5)]).await;
    let shop = login(&ledger, "shop", "holdfast_inventory_app").await;
    let mut session = shop.open_session().await.unwrap();
    let effects = begin_hold(session.as_mut(), new_order(), &[(1, 1)], TTL).await;
    session.persist(&effects).await.unwrap();
    session.commit().await.unwrap();
    assert!(shop.reservation(effects.created[0].order).await.unwrap().1.is_some());
    shop.due(Duration::ZERO, 10).await.unwrap();
    let refused = shop.prune(&AT_ONCE).await.unwrap_err();
    assert_eq!(refused.kind, StoreErrorKind::Misconfigured, "{refused}");

    // It may end its own orphans.
    let open = begin_hold(session.as_mut(), new_order(), &[(1, 1)], TTL).await;
    session.persist(&open).await.unwrap();
    let resolution = shop.resolve(open.journal.batch, session.backend()).await.unwrap();
    assert_eq!(resolution, Resolution::Aborted);

    let janitor = login(&ledger, "janitor", "holdfast_inventory_app, holdfast_inventory_maintenance").await;
    janitor.prune(&AT_ONCE).await.unwrap();
}

#[tokio::test]
async fn a_session_works_as_the_application_even_if_its_login_may_more() {
    let ledger = Ledger::new().await;
    ledger.stock(&[(1, 5)]).await;
    execute(&mut ledger.sql().await, "REVOKE INSERT ON reservations FROM holdfast_inventory_app")
        .await
        .unwrap();
    let mut session = ledger.session().await;
    let effects = begin_hold(session.as_mut(), new_order(), &[(1, 1)], TTL).await;
    let refused = session.persist(&effects).await.unwrap_err();
    assert_eq!(refused.kind, StoreErrorKind::Misconfigured, "{refused}");
}
