//! Adjustments, deliveries, and what customers hold.

use super::StoreFactory;
use super::draft::{adjustment_id, awkward_texts, customer, delivery, footprint, look, note, put, stock};
use crate::clock::Timestamp;
use crate::ids::{CustomerId, Delivery, ProductId};
use crate::quantity::{Quantity, Units};
use crate::store::{Adjustment, Footprint, IdMap, Store};

pub(super) async fn adjustments(make: &dyn StoreFactory) {
    let subject = make.fresh().await;
    let store = subject.store();
    let written: Vec<Adjustment> = (awkward_texts().iter().zip(1..))
        .map(|(text, n)| Adjustment {
            id: adjustment_id(text),
            product: ProductId::new(-3),
            delta: Units::stored(if n % 2 == 0 { n } else { -n }),
            reason: note(text),
            reference: (n % 2 == 0).then(|| note(text)),
            at: Timestamp::from_micros(1_700_000_000_000_001),
            version: n.unsigned_abs(),
        })
        .collect();
    let mut all: Vec<_> = written.iter().map(|adjustment| adjustment.id.clone()).collect();
    all.sort_unstable();
    put(&*store, footprint(&[]), |draft, _| draft.effects.adjustments = written.clone()).await;
    let ask = Footprint { adjustments: all, ..Footprint::default() };
    let locked = look(&*store, &ask).await;
    assert_eq!(locked.adjustments.len(), written.len());
    for adjustment in written {
        assert_eq!(locked.adjustments[&adjustment.id], adjustment);
    }
    let unknown = Footprint { adjustments: vec![adjustment_id("unknown")], ..Footprint::default() };
    assert!(look(&*store, &unknown).await.adjustments.is_empty());
}

pub(super) async fn deliveries(make: &dyn StoreFactory) {
    let subject = make.fresh().await;
    let store = subject.store();
    let texts = awkward_texts();
    let handled: Vec<Delivery> = texts.iter().map(|text| delivery(text, text)).collect();
    put(&*store, footprint(&[]), |draft, _| draft.effects.deliveries = handled.clone()).await;
    // Each message is known to its own consumer only.
    let mut asked = handled.clone();
    asked.extend(texts.iter().map(|text| delivery("another", text)));
    asked.extend(texts.iter().map(|text| delivery(text, "another")));
    asked.sort_unstable();
    let locked = look(&*store, &Footprint { deliveries: asked, ..Footprint::default() }).await;
    assert_eq!(locked.delivered, handled.into_iter().collect());
}

pub(super) async fn customer_units(make: &dyn StoreFactory) {
    let subject = make.fresh().await;
    let store = subject.store();
    limited(&*store, &[1, 2]).await;
    let (ann, bob) = (customer("Ann"), customer("B'o\"b"));
    write(&*store, &[(&ann, 1, 3), (&ann, 2, 4), (&bob, 1, 5)]).await;
    let both = [&ann, &bob];
    assert_eq!(units(&*store, &both, &[1, 2]).await, of(&[(&ann, 1, 3), (&ann, 2, 4), (&bob, 1, 5)]));
    assert_eq!(units(&*store, &both, &[1]).await, of(&[(&ann, 1, 3), (&bob, 1, 5)]), "locked products only");
    assert_eq!(units(&*store, &[&bob], &[1, 2]).await, of(&[(&bob, 1, 5)]), "the customers asked for only");
    write(&*store, &[(&ann, 1, 7), (&ann, 2, 0), (&bob, 2, 0)]).await;
    assert_eq!(units(&*store, &both, &[1, 2]).await, of(&[(&ann, 1, 7), (&bob, 1, 5)]));
}

/// Products with a limit: only they have such rows.
async fn limited(store: &dyn Store, products: &[i64]) {
    stock(store, &products.iter().map(|id| (*id, 100)).collect::<Vec<_>>()).await;
    put(store, footprint(products), |draft, locked| {
        for id in products {
            draft.change(ProductId::new(*id), |product| {
                product.per_customer_limit = Some(Quantity::new(9).expect("a quantity"));
                product.limited_since = Some(locked.now);
            });
        }
    })
    .await;
}

type Rows<'a> = &'a [(&'a CustomerId, i64, i64)];

async fn write(store: &dyn Store, rows: Rows<'_>) {
    let rows = rows.iter().map(|(c, p, u)| ((*c).clone(), ProductId::new(*p), Units::stored(*u))).collect();
    put(store, footprint(&[1, 2]), |draft, _| draft.effects.customer_units = rows).await;
}

async fn units(
    store: &dyn Store,
    customers: &[&CustomerId],
    products: &[i64],
) -> IdMap<(CustomerId, ProductId), Units> {
    let customers = customers.iter().map(|customer| (*customer).clone()).collect();
    look(store, &Footprint { customers, ..footprint(products) }).await.customer_units
}

fn of(rows: Rows<'_>) -> IdMap<(CustomerId, ProductId), Units> {
    rows.iter().map(|(c, p, u)| (((*c).clone(), ProductId::new(*p)), Units::stored(*u))).collect()
}
