//! What was written comes back, every field of it.

use uuid::Uuid;

use super::StoreFactory;
use super::draft::{
    Draft, ago, awkward_texts, customer, footprint, lines, look, note, order, orders, product, put,
    reservation, stock,
};
use crate::clock::Timestamp;
use crate::event::OutboxRow;
use crate::ids::{OrderId, ProductId};
use crate::lines::Lines;
use crate::product::{Alert, Product};
use crate::quantity::{Quantity, Units};
use crate::reservation::{Reservation, Status};
use crate::store::{ProductEffect, Store};

pub(super) async fn products(make: &dyn StoreFactory) {
    let subject = make.fresh().await;
    let store = subject.store();
    let ids = [i64::MIN, -7, 0, 1, i64::MAX];
    stock(&*store, &ids.map(|id| (id, 0))).await;
    for id in ids {
        assert_eq!(product(&*store, id).await.id, ProductId::new(id));
    }
    let awkward = awkward_texts().into_iter().map(|text| Some(note(&text)));
    for (n, name) in awkward.chain([None]).enumerate() {
        let odd = n % 2 == 1;
        let edit = |product: &mut Product| {
            product.on_hand = Units::stored(1_000_000_000_000);
            product.held = Units::stored(n as i64);
            product.admin_version += 1;
            product.low_stock_threshold = odd.then_some(Units::stored(5));
            product.per_customer_limit = odd.then_some(Quantity::new(i32::MAX.into()).expect("a quantity"));
            product.limited_since = odd.then_some(Timestamp::from_micros(1_700_000_000_123_457));
            product.name = name.clone();
            product.alert = [Alert::None, Alert::Low, Alert::Depleted][n % 3];
        };
        let effects = put(&*store, footprint(&[-7]), |draft, _| draft.change(ProductId::new(-7), edit)).await;
        assert_eq!(product(&*store, -7).await, effects.products[0].after);
        let locked = look(&*store, &footprint(&[-7])).await;
        assert_eq!(locked.products[&ProductId::new(-7)], effects.products[0].after);
    }
    stock_only(&*store).await;
}

/// The common case writes the stock and leaves the settings.
async fn stock_only(store: &dyn Store) {
    let settings = |product: &mut Product| {
        product.name = Some(note("kept"));
        product.low_stock_threshold = Some(Units::stored(3));
    };
    put(store, footprint(&[1]), |draft, _| draft.change(ProductId::new(1), settings)).await;
    let before = product(store, 1).await;
    let mut session = super::draft::open(store).await;
    let batch = super::draft::batch();
    session.begin(batch, &footprint(&[1])).await.expect("begin");
    let after = Product {
        on_hand: Units::stored(8),
        held: Units::stored(3),
        version: before.version + 1,
        alert: Alert::Low,
        last_batch: batch,
        ..before.clone()
    };
    let mut effects = Draft::new(batch, &empty(after.version)).finish();
    effects.journal.batch = batch;
    let effect =
        ProductEffect { version_before: Some(before.version), stock_only: true, after: after.clone() };
    effects.products.push(effect);
    session.persist(&effects).await.expect("persist");
    session.commit().await.expect("commit");
    assert_eq!(product(store, 1).await, after);
}

/// Nothing locked, at a time of no importance.
fn empty(at: u64) -> crate::store::Locked {
    crate::store::Locked {
        now: Timestamp::from_micros(i64::try_from(at).expect("small")),
        products: crate::store::IdMap::default(),
        reservations: crate::store::IdMap::default(),
        adjustments: crate::store::IdMap::default(),
        customer_units: crate::store::IdMap::default(),
        delivered: crate::store::IdSet::default(),
        skipped: Vec::new(),
    }
}

/// Every shape of a reservation that the rules can make.
fn shapes(now: Timestamp) -> Vec<Reservation> {
    let base = Reservation {
        order: order(),
        status: Status::Committed,
        customer: None,
        requested: lines(&[(-5, 1), (3, 7)]),
        lines: lines(&[(-5, 1), (3, 7)]),
        created_at: ago(now, 61),
        expires_at: Timestamp::from_micros(ago(now, 1).micros() | 1),
        expires_at_max: now.plus(super::draft::TTL),
        ended_at: Some(now),
        late: false,
    };
    let new = |reservation: Reservation| Reservation { order: order(), ..reservation };
    let mut shapes = vec![
        new(Reservation { late: true, ..base.clone() }),
        new(Reservation { status: Status::Expired, ended_at: Some(ago(now, 5)), ..base.clone() }),
        new(Reservation { status: Status::Lost, ..base.clone() }),
        new(Reservation { status: Status::Released, ..base.clone() }),
        // Partly released: less of a line, a line used up, all used up.
        new(Reservation { lines: lines(&[(-5, 1), (3, 2)]), ..base.clone() }),
        new(Reservation { lines: lines(&[(3, 7)]), ..base.clone() }),
        new(Reservation { status: Status::Released, lines: Lines::none(), ..base.clone() }),
        // A tombstone.
        new(Reservation {
            status: Status::Released,
            requested: Lines::none(),
            lines: Lines::none(),
            ..base.clone()
        }),
        new(Reservation {
            requested: lines(&[(i64::MIN, i32::MAX.into()), (i64::MAX, 1)]),
            lines: lines(&[(i64::MIN, i32::MAX.into()), (i64::MAX, 1)]),
            ..base.clone()
        }),
        Reservation { order: OrderId::new(Uuid::nil()), ..base.clone() },
        Reservation { order: OrderId::new(Uuid::max()), ..base.clone() },
        Reservation { order: OrderId::new(Uuid::new_v4()), ..base.clone() },
    ];
    for text in awkward_texts() {
        shapes.push(new(Reservation { customer: Some(customer(&text)), ..base.clone() }));
    }
    shapes
}

pub(super) async fn created(make: &dyn StoreFactory) {
    let subject = make.fresh().await;
    let store = subject.store();
    let effects = put(&*store, footprint(&[]), |draft, locked| {
        shapes(locked.now).into_iter().for_each(|shape| draft.create(shape));
    });
    come_back(&*store, effects.await.created).await;
}

pub(super) async fn changed(make: &dyn StoreFactory) {
    let subject = make.fresh().await;
    let store = subject.store();
    stock(&*store, &[(1, 1_000)]).await;
    let first = look(&*store, &footprint(&[])).await.now;
    let shapes = shapes(first);
    put(&*store, footprint(&[1]), |draft, locked| {
        for shape in &shapes {
            let held = Reservation {
                status: Status::Held,
                lines: shape.requested.clone(),
                ended_at: None,
                late: false,
                expires_at: locked.now.plus(super::draft::TTL),
                ..shape.clone()
            };
            // As it was, without the stock: only the reservation is looked at here.
            draft.effects.created.push(held);
        }
    })
    .await;
    let all: Vec<_> = shapes.iter().map(|shape| shape.order).collect();
    let changed = shapes.iter().map(|shape| (Status::Held, shape.clone())).collect();
    put(&*store, orders(&all), |draft, _| draft.effects.changed = changed).await;
    come_back(&*store, shapes).await;
}

async fn come_back(store: &dyn Store, written: Vec<Reservation>) {
    let all: Vec<_> = written.iter().map(|reservation| reservation.order).collect();
    let locked = look(store, &orders(&all)).await;
    assert_eq!(locked.reservations.len(), written.len());
    for expected in written {
        assert_eq!(locked.reservations[&expected.order], expected);
        assert_eq!(reservation(store, expected.order).await, Some(expected));
    }
}

pub(super) async fn large_batch(make: &dyn StoreFactory) {
    const PRODUCTS: i64 = 1_037;
    let subject = make.fresh().await;
    let store = subject.store();
    let ids: Vec<i64> = (0..PRODUCTS).collect();
    stock(&*store, &ids.iter().map(|id| (*id, 10)).collect::<Vec<_>>()).await;
    let mut all: Vec<OrderId> = ids.iter().map(|_| order()).collect();
    let wide: Vec<(i64, i64)> = ids.iter().take(256).map(|id| (*id, 1)).collect();
    let effects = put(&*store, footprint(&ids), |draft, _| {
        for (order, product) in all.iter().zip(&ids) {
            draft.reserve(*order, &[(*product, 2)]);
        }
        let cart = order();
        draft.reserve(cart, &wide);
        all.push(cart);
    });
    let effects = effects.await;
    let locked = look(&*store, &orders(&all)).await;
    assert_eq!(locked.products.len(), ids.len());
    for effect in &effects.products {
        assert_eq!(locked.products[&effect.after.id], effect.after);
    }
    come_back(&*store, effects.created.clone()).await;
    put(&*store, orders(&all), |draft, _| {
        effects.created.iter().for_each(|held| draft.end(held, Status::Released));
    })
    .await;
    let locked = look(&*store, &orders(&all)).await;
    assert!(locked.reservations.values().all(|r| r.status == Status::Released));
    assert!(locked.products.values().all(|p| p.held == Units::ZERO && p.version == 3));
    let first = store.history(ProductId::new(0), 0, 10).await.expect("history");
    assert_eq!(first.iter().map(|version| version.changes.len()).collect::<Vec<_>>(), [1, 2, 2]);
}

pub(super) async fn outbox(make: &dyn StoreFactory) {
    let subject = make.fresh().await;
    let store = subject.store();
    let events: Vec<OutboxRow> = (awkward_texts().into_iter().zip(0..))
        .map(|(text, n)| OutboxRow {
            id: Uuid::now_v7(),
            topic: format!("inventory.{n}"),
            aggregate_type: "product".to_owned(),
            aggregate_id: text.clone(),
            aggregate_version: n,
            event_type: text.clone(),
            payload: [text.as_bytes(), &[0, 255, 128]].concat(),
            headers: vec![("event-type".to_owned(), text), ("v".to_owned(), n.to_string())],
        })
        .collect();
    for half in events.chunks(events.len().div_ceil(2)) {
        put(&*store, footprint(&[]), |draft, _| draft.effects.outbox = half.to_vec()).await;
    }
    assert_eq!(subject.outbox().await, events, "events come out in the order decided");
}
