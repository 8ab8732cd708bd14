//! Reads outside batches, and what pruning leaves of them.

use std::time::Duration;

use inventory_core::ids::{OrderId, ProductId};
use inventory_core::journal::ChangeKind;
use inventory_core::reservation::{Reservation, Status};
use inventory_core::store::postgres::PostgresOptions;
use inventory_core::store::{Effects, Pruned, Retention, Store as _};

use super::hand::{Ledger, begin_with_orders, command, count, held, move_stock, new_order};

const TTL: Duration = Duration::from_secs(900);
const YEARS: Duration = Duration::from_secs(3 * 365 * 24 * 3_600);
const KEEP: Retention =
    Retention { reservations: YEARS, journal: YEARS, fences: YEARS, deliveries: YEARS, rows_max: 1_000 };

async fn release(ledger: &Ledger, order: OrderId) {
    let mut session = ledger.session().await;
    let (locked, batch) = begin_with_orders(session.as_mut(), &[order]).await;
    let hold = &locked.reservations[&order];
    let ended = Reservation { status: Status::Released, ended_at: Some(locked.now), ..hold.clone() };
    let lines: Vec<(i64, i64)> =
        hold.lines.iter().map(|line| (line.product.get(), i64::from(line.quantity.get()))).collect();
    let mut effects = Effects::none(batch, locked.now);
    effects.journal.commands = vec![command(ChangeKind::Release, Some(order), &lines)];
    effects.changed = vec![(Status::Held, ended)];
    move_stock(&mut effects, &locked, &lines, 0, -1);
    session.persist(&effects).await.unwrap();
    session.commit().await.unwrap();
}

#[tokio::test]
async fn orders_come_in_key_order_a_page_at_a_time_with_the_ends_of_open_holds() {
    let ledger = Ledger::new().await;
    ledger.stock(&[(1, 50)]).await;
    let mut orders = Vec::new();
    for _ in 0..5 {
        orders.push(ledger.hold(new_order(), &[(1, 1)], TTL).await);
    }
    orders.sort_by_key(|hold| hold.order);
    release(&ledger, orders[3].order).await;
    let first = ledger.store.orders_after(None, 3).await.unwrap();
    let expected: Vec<_> = orders[..3].iter().map(|hold| (hold.order, Some(hold.expires_at))).collect();
    assert_eq!(first.orders, expected);
    assert!(first.now > orders[4].created_at);
    let rest = ledger.store.orders_after(Some(orders[2].order), 3).await.unwrap();
    assert_eq!(rest.orders, [(orders[3].order, None), (orders[4].order, Some(orders[4].expires_at))]);
    assert_eq!(ledger.store.orders_after(Some(orders[4].order), 3).await.unwrap().orders, []);
}

#[tokio::test]
async fn open_holds_on_a_product_come_earliest_end_first() {
    let ledger = Ledger::new().await;
    ledger.stock(&[(1, 50), (2, 50)]).await;
    let late = ledger.hold(new_order(), &[(1, 3), (2, 9)], TTL).await;
    let early = ledger.hold(new_order(), &[(2, 4)], Duration::from_secs(60)).await;
    ledger.hold(new_order(), &[(1, 1)], TTL).await;
    let gone = ledger.hold(new_order(), &[(2, 1)], TTL).await;
    release(&ledger, gone.order).await;
    let holds = ledger.store.holds_on(ProductId::new(2), 10).await.unwrap();
    let seen: Vec<_> = holds.iter().map(|hold| (hold.order, hold.quantity.get())).collect();
    assert_eq!(seen, [(early.order, 4), (late.order, 9)]);
    assert_eq!(holds[0].expires_at, early.expires_at);
    assert_eq!(ledger.store.holds_on(ProductId::new(2), 1).await.unwrap().len(), 1);
}

#[tokio::test]
async fn history_is_oldest_first_from_a_version_on_and_each_version_names_the_one_before() {
    let ledger = Ledger::new().await;
    ledger.stock(&[(1, 50), (2, 50)]).await;
    for (first, second) in [(1, 2), (1, 2), (1, 2)] {
        ledger.hold(new_order(), &[(first, 1), (second, 2)], TTL).await;
        ledger.hold(new_order(), &[(second, 1)], TTL).await;
    }
    let whole = ledger.store.history(ProductId::new(1), 0, 100).await.unwrap();
    let versions: Vec<u64> = whole.iter().map(|version| version.after.version).collect();
    assert_eq!(versions, [1, 2, 3, 4]);
    assert!(whole.windows(2).all(|pair| pair[1].after.previous == Some(pair[0].batch)));
    assert_eq!(whole[0].changes[0].kind, ChangeKind::Set);
    assert_eq!(whole[3].after.held.get(), 3);
    let middle = ledger.store.history(ProductId::new(1), 2, 2).await.unwrap();
    assert_eq!(middle, whole[1..3]);
    assert_eq!(ledger.store.history(ProductId::new(9), 0, 100).await.unwrap(), []);
}

#[tokio::test]
async fn pruning_leaves_open_holds_and_the_last_entry_of_each_product() {
    let ledger = Ledger::new().await;
    ledger.stock(&[(1, 50), (2, 50)]).await;
    let open = ledger.hold(new_order(), &[(1, 1), (2, 1)], TTL).await;
    let ended = ledger.hold(new_order(), &[(1, 1)], TTL).await;
    release(&ledger, ended.order).await;
    assert_eq!(ledger.store.prune(&KEEP).await.unwrap(), Pruned::default());

    let at_once =
        Retention { reservations: Duration::ZERO, journal: Duration::ZERO, fences: Duration::ZERO, ..KEEP };
    let pruned = ledger.store.prune(&at_once).await.unwrap();
    assert_eq!(pruned, Pruned { reservations: 1, journal: 2, fences: 4, deliveries: 0, more: false });
    assert_eq!(ledger.reservation(open.order).await, Some(open));
    assert_eq!(ledger.reservation(ended.order).await, None);
    let one = ledger.store.history(ProductId::new(1), 0, 100).await.unwrap();
    assert_eq!(one.iter().map(|version| version.after.version).collect::<Vec<_>>(), [4], "its checkpoint");
    let two = ledger.store.history(ProductId::new(2), 0, 100).await.unwrap();
    assert_eq!(two.iter().map(|version| version.after.version).collect::<Vec<_>>(), [2], "its checkpoint");
    assert_eq!(ledger.store.prune(&at_once).await.unwrap().journal, 0);
    // The ledger goes on from the checkpoint.
    ledger.hold(new_order(), &[(1, 1)], TTL).await;
    assert_eq!(ledger.store.history(ProductId::new(1), 0, 100).await.unwrap().len(), 2);
}

#[tokio::test]
async fn i15_pruning_goes_a_bounded_piece_at_a_time() {
    let ledger = Ledger::new().await;
    ledger.stock(&[(1, 50)]).await;
    for _ in 0..3 {
        let hold = ledger.hold(new_order(), &[(1, 1)], TTL).await;
        release(&ledger, hold.order).await;
    }
    let two = Retention { reservations: Duration::ZERO, rows_max: 2, ..KEEP };
    let first = ledger.store.prune(&two).await.unwrap();
    assert_eq!((first.reservations, first.more), (2, true));
    let second = ledger.store.prune(&two).await.unwrap();
    assert_eq!((second.reservations, second.more), (1, false));
    assert_eq!(count(&mut ledger.sql().await, "reservations").await, 0);
}

#[tokio::test]
async fn a_reservation_with_a_long_hold_survives_a_round_trip() {
    let ledger = Ledger::new().await;
    ledger.stock(&[(i64::MIN, 50), (i64::MAX, 50)]).await;
    let wanted = [(i64::MIN, 1), (i64::MAX, 2)];
    let hold = ledger.hold(new_order(), &wanted, Duration::from_secs(40 * 365 * 24 * 3_600)).await;
    assert_eq!(hold.lines, held(hold.order, &wanted, hold.created_at, TTL).lines);
    assert_eq!(ledger.reservation(hold.order).await, Some(hold));
}

/// A server that went away leaves every pooled connection dead, not one.
#[tokio::test]
async fn a_read_survives_the_death_of_every_pooled_connection() {
    const CONNECTIONS: u32 = 4;
    let options = PostgresOptions { read_connections: CONNECTIONS, ..PostgresOptions::default() };
    let ledger = Ledger::with(options).await;
    ledger.stock(&[(1, 5)]).await;
    let mut sql = ledger.sql().await;
    let pooled = "pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    while count(&mut sql, pooled).await < CONNECTIONS.into() {
        let reads = (0..16).map(|_| ledger.store.read(&[], &[]));
        futures::future::try_join_all(reads).await.unwrap();
    }
    let killed: i64 = sqlx::query_scalar(
        "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid, 5000)) FROM pg_stat_activity \
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    .fetch_one(&mut sql)
    .await
    .unwrap();
    assert!(killed >= CONNECTIONS.into(), "{killed} connections died");
    assert!(ledger.store.read(&super::hand::ids([1]), &[]).await.is_ok());
}
