//! What is written is what is read.

use std::time::Duration;

use inventory_core::event::OutboxRow;
use inventory_core::ids::{AdjustmentId, CustomerId, Delivery, Note, ProductId};
use inventory_core::journal::{ChangeKind, Remark};
use inventory_core::product::Alert;
use inventory_core::quantity::{Quantity, Units};
use inventory_core::reservation::{Reservation, Status};
use inventory_core::store::{Adjustment, Effects, Footprint, Store as _};
use sqlx::Row as _;

use super::hand::{
    Ledger, begin, begin_hold, begin_with_orders, command, held, ids, lines, move_stock, new_batch, new_order,
};

const TTL: Duration = Duration::from_secs(900);

#[tokio::test]
async fn a_batch_of_single_lines_is_read_back_as_it_was_written() {
    let ledger = Ledger::new().await;
    ledger.stock(&[(7, 10), (8, 10)]).await;
    let mut session = ledger.session().await;
    let (locked, batch) = begin(session.as_mut(), &ids([7, 8, 9])).await;
    assert_eq!(locked.products.len(), 2, "9 does not exist");
    let mut effects = Effects::none(batch, locked.now);
    for (position, product) in [7, 8, 7].into_iter().enumerate() {
        let order = new_order();
        let mut hold = held(order, &[(product, 2)], locked.now, TTL);
        let mut reserve = command(ChangeKind::Reserve, Some(order), &[(product, 2)]);
        if position == 1 {
            hold.customer = Some(CustomerId::parse("o'hara \"{,}\"").unwrap());
            reserve.remark = Some(Box::new(Remark { customer: hold.customer.clone(), ..Remark::default() }));
        }
        effects.created.push(hold);
        effects.journal.commands.push(reserve);
    }
    move_stock(&mut effects, &locked, &[(7, 4), (8, 2)], 0, 1);
    session.persist(&effects).await.unwrap();
    session.commit().await.unwrap();

    for created in &effects.created {
        assert_eq!(ledger.reservation(created.order).await.as_ref(), Some(created));
    }
    let read = ledger.store.read(&ids([7, 8, 9]), &[effects.created[1].order, new_order()]).await.unwrap();
    let after: Vec<_> = effects.products.iter().map(|effect| effect.after.clone()).collect();
    assert_eq!(read.products, after);
    assert_eq!(read.known_orders, [effects.created[1].order]);
    let history = ledger.store.history(ProductId::new(7), 2, 10).await.unwrap();
    assert_eq!(history.len(), 1);
    assert_eq!((history[0].batch, history[0].at), (batch, locked.now));
    assert_eq!(history[0].after, effects.journal.products[0]);
    let orders: Vec<_> = history[0].changes.iter().map(|change| (change.order, change.units.get())).collect();
    assert_eq!(orders, [(Some(effects.created[0].order), 2), (Some(effects.created[2].order), 2)]);
    let customers: Vec<Option<Vec<String>>> =
        sqlx::query_scalar("SELECT remark_customer FROM journal ORDER BY at DESC LIMIT 1")
            .fetch_all(&mut ledger.sql().await)
            .await
            .unwrap();
    assert_eq!(customers, [Some(vec!["o'hara \"{,}\"".to_owned()])]);
}

#[tokio::test]
async fn a_flash_sale_where_every_order_is_alike_is_read_back_as_it_was_written() {
    let ledger = Ledger::new().await;
    ledger.stock(&[(7, 10)]).await;
    let mut session = ledger.session().await;
    let (locked, batch) = begin(session.as_mut(), &ids([7])).await;
    let mut effects = Effects::none(batch, locked.now);
    for _ in 0..3 {
        let order = new_order();
        effects.created.push(held(order, &[(7, 3)], locked.now, TTL));
        effects.journal.commands.push(command(ChangeKind::Reserve, Some(order), &[(7, 3)]));
    }
    move_stock(&mut effects, &locked, &[(7, 9)], 0, 1);
    session.persist(&effects).await.unwrap();
    session.commit().await.unwrap();
    for created in &effects.created {
        assert_eq!(ledger.reservation(created.order).await.as_ref(), Some(created));
    }
    let history = ledger.store.history(ProductId::new(7), 2, 10).await.unwrap();
    let changes: Vec<_> =
        history[0].changes.iter().map(|change| (change.order, change.units.get())).collect();
    let expected: Vec<_> = effects.created.iter().map(|created| (Some(created.order), 3)).collect();
    assert_eq!(changes, expected);
}

#[tokio::test]
async fn i10_a_batch_of_carts_keeps_every_line_with_its_order() {
    let ledger = Ledger::new().await;
    ledger.stock(&[(1, 100), (2, 100), (3, 100)]).await;
    let mut session = ledger.session().await;
    let (locked, batch) = begin(session.as_mut(), &ids([1, 2, 3])).await;
    let mut effects = Effects::none(batch, locked.now);
    for cart in [&[(1, 1), (3, 5)][..], &[(2, 4)], &[(1, 2), (2, 3), (3, 4)]] {
        let order = new_order();
        effects.created.push(held(order, cart, locked.now, TTL));
        effects.journal.commands.push(command(ChangeKind::Reserve, Some(order), cart));
    }
    move_stock(&mut effects, &locked, &[(1, 3), (2, 7), (3, 9)], 0, 1);
    session.persist(&effects).await.unwrap();
    session.commit().await.unwrap();
    for created in &effects.created {
        assert_eq!(ledger.reservation(created.order).await.as_ref(), Some(created));
    }
    let units: Vec<i64> = ledger.store.history(ProductId::new(3), 2, 10).await.unwrap()[0]
        .changes
        .iter()
        .map(|change| change.units.get())
        .collect();
    assert_eq!(units, [5, 4]);
}

#[tokio::test]
async fn reservations_of_every_kind_are_read_back_as_they_were_written() {
    let ledger = Ledger::new().await;
    ledger.stock(&[(1, 100), (2, 100)]).await;
    let kept = ledger.hold(new_order(), &[(1, 5), (2, 5)], TTL).await;
    let mut session = ledger.session().await;
    let (locked, batch) = begin_with_orders(session.as_mut(), &[kept.order]).await;
    assert_eq!(locked.reservations[&kept.order], kept);
    assert_eq!(locked.products.len(), 2, "the order's products are locked");

    let mut effects = Effects::none(batch, locked.now);
    let tombstone = Reservation {
        status: Status::Released,
        ended_at: Some(locked.now),
        ..held(new_order(), &[], locked.now, TTL)
    };
    let sold = Reservation {
        status: Status::Committed,
        lines: lines(&[(2, 1)]),
        ended_at: Some(locked.now),
        late: true,
        customer: Some(CustomerId::parse("ann").unwrap()),
        ..held(new_order(), &[(1, 3), (2, 2)], locked.now, TTL)
    };
    let shrunk = Reservation { lines: lines(&[(1, 4), (2, 1)]), ..kept.clone() };
    effects.created = vec![tombstone.clone(), sold.clone()];
    effects.changed = vec![(Status::Held, shrunk.clone())];
    effects.journal.commands = vec![
        command(ChangeKind::Tombstone, Some(tombstone.order), &[]),
        command(ChangeKind::Reserve, Some(sold.order), &[(1, 3), (2, 2)]),
        command(ChangeKind::ReleasePart, Some(kept.order), &[(1, 1), (2, 4)]),
    ];
    move_stock(&mut effects, &locked, &[(1, 1), (2, 4)], 0, -1);
    session.persist(&effects).await.unwrap();
    session.commit().await.unwrap();
    for expected in [tombstone, sold, shrunk.clone()] {
        assert_eq!(ledger.reservation(expected.order).await, Some(expected));
    }

    let (locked, batch) = begin_with_orders(session.as_mut(), &[kept.order]).await;
    let ended = Reservation { status: Status::Expired, ended_at: Some(locked.now), ..shrunk };
    let mut effects = Effects::none(batch, locked.now);
    effects.changed = vec![(Status::Held, ended.clone())];
    effects.journal.commands = vec![command(ChangeKind::Expire, Some(kept.order), &[(1, 4), (2, 1)])];
    move_stock(&mut effects, &locked, &[(1, 4), (2, 1)], 0, -1);
    session.persist(&effects).await.unwrap();
    session.commit().await.unwrap();
    assert_eq!(ledger.reservation(kept.order).await, Some(ended));
}

#[tokio::test]
async fn settings_adjustments_and_customers_are_read_back_under_the_locks() {
    let ledger = Ledger::new().await;
    ledger.stock(&[(1, 100), (2, 100)]).await;
    let mut session = ledger.session().await;
    let (ann, bob) = (CustomerId::parse("ann").unwrap(), CustomerId::parse("bob").unwrap());
    let (locked, batch) = begin(session.as_mut(), &ids([1])).await;
    let mut effects = Effects::none(batch, locked.now);
    move_stock(&mut effects, &locked, &[(1, 5)], 1, 0);
    effects.products[0].stock_only = false;
    let product = &mut effects.products[0].after;
    product.per_customer_limit = Some(Quantity::new(3).unwrap());
    product.limited_since = Some(locked.now);
    product.low_stock_threshold = Some(Units::stored(4));
    product.name = Some(Note::parse("späte Äpfel").unwrap());
    product.alert = Alert::Low;
    product.admin_version = 2;
    let product = product.clone();
    effects.adjustments = vec![Adjustment {
        id: AdjustmentId::parse("receipt 1").unwrap(),
        product: product.id,
        delta: Units::stored(5),
        reason: Note::parse("received").unwrap(),
        reference: None,
        at: locked.now,
        version: 2,
    }];
    effects.customer_units =
        vec![(ann.clone(), product.id, Units::stored(2)), (bob.clone(), product.id, Units::stored(1))];
    effects.journal.commands = vec![command(ChangeKind::Adjust, None, &[(1, 5)])];
    session.persist(&effects).await.unwrap();
    session.commit().await.unwrap();

    let footprint = Footprint {
        products: ids([1, 2]),
        adjustments: vec![effects.adjustments[0].id.clone(), AdjustmentId::parse("unknown").unwrap()],
        customers: vec![ann.clone(), bob.clone()],
        ..Footprint::default()
    };
    let batch = new_batch();
    let locked = session.begin(batch, &footprint).await.unwrap();
    assert_eq!(locked.products[&product.id], product);
    assert_eq!(locked.adjustments.values().collect::<Vec<_>>(), [&effects.adjustments[0]]);
    assert_eq!(locked.customer_units.len(), 2);
    assert_eq!(locked.customer_units[&(ann.clone(), product.id)], Units::stored(2));

    let mut effects = Effects::none(batch, locked.now);
    effects.customer_units =
        vec![(ann, product.id, Units::ZERO), (bob.clone(), product.id, Units::stored(3))];
    session.persist(&effects).await.unwrap();
    session.commit().await.unwrap();
    let batch = new_batch();
    let locked = session.begin(batch, &footprint).await.unwrap();
    let left: Vec<_> = locked.customer_units.into_iter().collect();
    assert_eq!(left, [((bob, product.id), Units::stored(3))]);

    session.rollback().await.unwrap();
}

#[tokio::test]
async fn i11_events_keep_their_order_and_i12_deliveries_are_seen_once() {
    let ledger = Ledger::new().await;
    ledger.stock(&[(1, 100)]).await;
    let mut session = ledger.session().await;
    let delivery =
        Delivery { consumer: Note::parse("release").unwrap(), message: Note::parse("m,1").unwrap() };
    let mut effects = begin_hold(session.as_mut(), new_order(), &[(1, 1)], TTL).await;
    effects.deliveries = vec![delivery.clone()];
    effects.outbox = (0..20_u8)
        .map(|number| OutboxRow {
            id: uuid::Uuid::new_v4(),
            topic: "inventory.stock.low".into(),
            aggregate_type: "product".into(),
            aggregate_id: "1".into(),
            aggregate_version: 2,
            event_type: "StockLow".into(),
            payload: vec![number, 0, 255],
            headers: vec![("quote\"".into(), "back\\slash\n".into())],
        })
        .collect();
    session.persist(&effects).await.unwrap();
    session.commit().await.unwrap();
    let rows = sqlx::query("SELECT id, payload, headers ->> 'quote\"' FROM outbox ORDER BY seq")
        .fetch_all(&mut ledger.sql().await)
        .await
        .unwrap();
    assert_eq!(rows.len(), 20);
    for (row, expected) in rows.iter().zip(&effects.outbox) {
        assert_eq!(row.get::<uuid::Uuid, _>(0), expected.id);
        assert_eq!(row.get::<Vec<u8>, _>(1), expected.payload);
        assert_eq!(row.get::<String, _>(2), "back\\slash\n");
    }
    let other = Delivery { consumer: delivery.consumer.clone(), message: Note::parse("m,2").unwrap() };
    let footprint =
        Footprint { products: ids([1]), deliveries: vec![delivery.clone(), other], ..Footprint::default() };
    let locked = session.begin(new_batch(), &footprint).await.unwrap();
    assert_eq!(locked.delivered.into_iter().collect::<Vec<_>>(), [delivery]);
}
