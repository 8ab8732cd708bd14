//! A server that goes silent without closing anything (its machine is gone, a firewall forgot the connection) costs one bounded
//! wait, not every read that ever comes.

use std::time::Duration;

use futures::future::join_all;
use inventory_core::ids::ProductId;
use inventory_core::store::postgres::{PostgresOptions, PostgresStore};
use inventory_core::store::{Store as _, StoreErrorKind};
use test_support::postgres::proxy::{Harm, Proxy, Reach};

use super::hand::{Ledger, new_order};

/// Bounds a failure; measures nothing.
const PATIENCE: Duration = Duration::from_secs(60);
/// More than there are connections for reads.
const READS: usize = 12;

/// Gives up soon.
fn hasty() -> PostgresOptions {
    PostgresOptions {
        statement_timeout: Duration::from_millis(500),
        answer_timeout: Duration::from_millis(1_000),
        ..PostgresOptions::default()
    }
}

/// A ledger that is read through a proxy, with every connection of its pool open.
async fn warm() -> (Ledger, Proxy, PostgresStore) {
    let ledger = Ledger::new().await;
    ledger.stock(&[(1, 5)]).await;
    let proxy = Proxy::before(&ledger.url).await.unwrap();
    let store = PostgresStore::connect(proxy.url(), hasty()).await.unwrap();
    join_all((0..READS).map(|_| read(&store))).await;
    (ledger, proxy, store)
}

async fn read(store: &PostgresStore) -> Result<i64, StoreErrorKind> {
    let read = store.read(&[ProductId::new(1)], &[]).await.map_err(|error| error.kind)?;
    Ok(read.products[0].on_hand.get())
}

/// Reads until one succeeds.
async fn reads_again(store: &PostgresStore) {
    let reading = async { while read(store).await != Ok(5) {} };
    tokio::time::timeout(PATIENCE, reading).await.expect("reads go on once the server is back");
}

#[tokio::test]
async fn a_read_that_meets_a_silent_connection_is_given_up_and_reads_go_on_when_the_server_is_back() {
    let (_ledger, proxy, store) = warm().await;
    proxy.silence(Reach::All);
    let given_up = tokio::time::timeout(PATIENCE, join_all((0..READS).map(|_| read(&store)))).await;
    for outcome in given_up.expect("nobody waits for ever") {
        assert_eq!(outcome, Err(StoreErrorKind::Unavailable));
    }
    assert!(proxy.count(Harm::Silenced) > 0, "nothing was silent: nothing was tested");
    proxy.clear();
    reads_again(&store).await;
}

#[tokio::test]
async fn callers_who_went_away_while_the_server_was_silent_leave_no_place_of_the_pool_taken() {
    let (_ledger, proxy, store) = warm().await;
    proxy.silence(Reach::All);
    let all = join_all((0..READS).map(|_| store.reservation(new_order())));
    assert!(
        tokio::time::timeout(Duration::from_millis(300), all).await.is_err(),
        "dropped while they waited"
    );
    proxy.clear();
    reads_again(&store).await;
}
