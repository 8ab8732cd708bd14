//! A COMMIT without an answer resolves to exactly one of both, for good.

use std::time::Duration;

use inventory_core::ids::{BatchId, OrderId};
use inventory_core::store::postgres::{PostgresOptions, PostgresStore};
use inventory_core::store::{Backend, CommitFailure, Resolution, Session, Store as _, StoreErrorKind};
use sqlx::PgConnection;
use test_support::postgres::proxy::{HeldCommit, Proxy, Reach};

use super::hand::{Ledger, begin_hold, hold, new_batch, new_order};
use super::presumed::is_free;

const TTL: Duration = Duration::from_secs(900);

/// A batch with one hold whose COMMIT hangs in the proxy, its client gone.
struct Orphan {
    ledger: Ledger,
    held: HeldCommit,
    _proxy: Proxy,
    order: OrderId,
    batch: BatchId,
    backend: Backend,
}

/// The server's own clean-up of idle transactions would hide who has fenced the batch.
fn without_idle_timeout() -> PostgresOptions {
    PostgresOptions { idle_in_transaction_timeout: Duration::ZERO, ..PostgresOptions::default() }
}

/// With `presumed` the batch is one message, without a COMMIT of its own.
async fn orphan(presumed: bool) -> Orphan {
    let ledger = Ledger::new().await;
    ledger.stock(&[(1, 5)]).await;
    let proxy = Proxy::before(&ledger.url).await.unwrap();
    let store = PostgresStore::connect(proxy.url(), without_idle_timeout()).await.unwrap();
    let mut session = store.open_session().await.unwrap();
    if presumed {
        hold(session.as_mut(), new_order(), &[(1, 1)], TTL).await;
    }
    let held = proxy.hold_next_commit(Reach::All);
    let order = new_order();
    let effects = begin_hold(session.as_mut(), order, &[(1, 1)], TTL).await;
    session.persist(&effects).await.unwrap();
    assert_eq!(
        is_free(&mut ledger.sql().await, 1).await,
        presumed,
        "one message locks nothing before it is sent"
    );
    let failure = session.commit().await.unwrap_err();
    assert!(matches!(failure, CommitFailure::Unknown(_)), "{failure}");
    Orphan { ledger, held, _proxy: proxy, order, batch: effects.journal.batch, backend: session.backend() }
}

#[tokio::test]
async fn i6_a_commit_that_arrives_after_the_resolver_has_no_effect() {
    for presumed in [false, true] {
        let orphan = orphan(presumed).await;
        let resolution = orphan.ledger.store.resolve(orphan.batch, orphan.backend).await.unwrap();
        assert_eq!(resolution, Resolution::Aborted);
        orphan.held.forward().await.unwrap();
        assert_eq!(orphan.ledger.reservation(orphan.order).await, None);
        let again = orphan.ledger.store.resolve(orphan.batch, orphan.backend).await.unwrap();
        assert_eq!(again, Resolution::Aborted, "the resolver may meet its own tombstone");
    }
}

/// What a resolver must not be: one that only looks whether the batch is there.
async fn resolve_by_reading(sql: &mut PgConnection, batch: BatchId) -> Resolution {
    let there: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM commit_batch WHERE batch_id = $1)")
        .bind(batch.get())
        .fetch_one(sql)
        .await
        .unwrap();
    if there { Resolution::Committed } else { Resolution::Aborted }
}

#[tokio::test]
async fn a_resolver_that_only_reads_is_caught_by_a_late_commit() {
    for presumed in [false, true] {
        let orphan = orphan(presumed).await;
        let mut sql = orphan.ledger.sql().await;
        assert_eq!(resolve_by_reading(&mut sql, orphan.batch).await, Resolution::Aborted);
        orphan.held.forward().await.unwrap();
        assert!(
            orphan.ledger.reservation(orphan.order).await.is_some(),
            "the proxy did not deliver the late COMMIT: the test above proves nothing"
        );
    }
}

#[tokio::test]
async fn i6_a_commit_that_arrives_while_the_resolver_waits_is_seen() {
    let orphan = orphan(false).await;
    // Without the backend's identity the resolver can only wait.
    let (resolution, forwarded) =
        tokio::join!(orphan.ledger.store.resolve(orphan.batch, Backend::default()), orphan.held.forward());
    forwarded.unwrap();
    assert_eq!(resolution.unwrap(), Resolution::Committed);
    assert!(orphan.ledger.reservation(orphan.order).await.is_some());
}

async fn open_batch(ledger: &Ledger, session: &mut dyn Session) -> (OrderId, BatchId) {
    let order = new_order();
    let effects = begin_hold(session, order, &[(1, 1)], TTL).await;
    session.persist(&effects).await.unwrap();
    assert_eq!(ledger.reservation(order).await, None);
    (order, effects.journal.batch)
}

#[tokio::test]
async fn i6_an_orphan_that_stays_open_is_ended() {
    let ledger = Ledger::new().await;
    ledger.stock(&[(1, 5)]).await;
    let mut session = ledger.session().await;
    let (order, batch) = open_batch(&ledger, session.as_mut()).await;
    assert_eq!(ledger.store.resolve(batch, session.backend()).await.unwrap(), Resolution::Aborted);
    assert!(session.commit().await.is_err());
    assert_eq!(ledger.reservation(order).await, None);
    // Its locks are gone with it.
    ledger.hold(new_order(), &[(1, 5)], TTL).await;
}

#[tokio::test]
async fn another_backend_that_was_given_the_same_pid_is_left_alone() {
    let ledger = Ledger::new().await;
    ledger.stock(&[(1, 5)]).await;
    let mut session = ledger.session().await;
    let (order, batch) = open_batch(&ledger, session.as_mut()).await;
    let mut other = session.backend();
    other.started_at = other.started_at.map(|at| at.plus(Duration::from_micros(1)));
    let waited = ledger.store.resolve(batch, other).await.unwrap_err();
    assert_eq!(waited.kind, StoreErrorKind::LockTimeout);
    session.commit().await.unwrap();
    assert!(ledger.reservation(order).await.is_some());
    assert_eq!(ledger.store.resolve(batch, other).await.unwrap(), Resolution::Committed);
}

#[tokio::test]
async fn i6_a_batch_that_never_began_is_fenced_for_good() {
    let ledger = Ledger::new().await;
    let batch = new_batch();
    assert_eq!(ledger.store.resolve(batch, Backend::default()).await.unwrap(), Resolution::Aborted);
    let mut session = ledger.session().await;
    let late = session.begin(batch, &inventory_core::store::Footprint::default()).await.unwrap_err();
    assert_eq!(late.kind, StoreErrorKind::Conflict);
    assert_eq!(ledger.store.resolve(batch, session.backend()).await.unwrap(), Resolution::Aborted);
}
