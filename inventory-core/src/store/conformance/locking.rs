//! What a footprint locks and reads.

use super::StoreFactory;
use super::draft::{customer, footprint, look, order, orders, put, stock};
use crate::ids::ProductId;
use crate::quantity::{Quantity, Units};
use crate::reservation::Status;
use crate::store::Footprint;

pub(super) async fn without_orders(make: &dyn StoreFactory) {
    let subject = make.fresh().await;
    let store = subject.store();
    stock(&*store, &[(1, 10), (2, 10)]).await;
    let order = order();
    put(&*store, footprint(&[1]), |draft, _| drop(draft.reserve(order, &[(1, 4)]))).await;
    let locked = look(&*store, &footprint(&[2])).await;
    assert!(locked.reservations.is_empty());
    assert_eq!(locked.products.keys().copied().collect::<Vec<_>>(), [ProductId::new(2)]);
}

pub(super) async fn products_of_orders(make: &dyn StoreFactory) {
    let subject = make.fresh().await;
    let store = subject.store();
    stock(&*store, &[(1, 10), (2, 10), (3, 10), (4, 10)]).await;
    let (cart, partly, unknown) = (order(), order(), order());
    put(&*store, footprint(&[1, 2, 3]), |draft, _| {
        draft.reserve(cart, &[(1, 1), (2, 1)]);
        draft.reserve(partly, &[(2, 1), (3, 1)]);
    })
    .await;
    let locked =
        look(&*store, &Footprint { products: vec![ProductId::new(4)], ..orders(&[cart, unknown]) }).await;
    let mut products: Vec<_> = locked.products.keys().map(|product| product.get()).collect();
    products.sort_unstable();
    assert_eq!(products, [1, 2, 4]);
    assert_eq!(locked.reservations.keys().copied().collect::<Vec<_>>(), [cart]);
    let held = locked.reservations[&cart].clone();
    put(&*store, orders(&[cart]), |draft, _| draft.end(&held, Status::Expired)).await;
    let locked = look(&*store, &orders(&[cart])).await;
    assert_eq!(locked.products.len(), 2, "an ended hold's products too: its commit may come late");
}

pub(super) async fn customers_of_orders(make: &dyn StoreFactory) {
    let subject = make.fresh().await;
    let store = subject.store();
    stock(&*store, &[(1, 10)]).await;
    let (order, ann) = (order(), customer("Ann"));
    put(&*store, footprint(&[1]), |draft, locked| {
        draft.change(ProductId::new(1), |product| {
            product.per_customer_limit = Some(Quantity::ONE);
            product.limited_since = Some(locked.now);
        });
        draft.reserve(order, &[(1, 1)]);
        draft.effects.created[0].customer = Some(ann.clone());
        draft.effects.customer_units = vec![(ann.clone(), ProductId::new(1), Units::stored(1))];
    })
    .await;
    let locked = look(&*store, &orders(&[order])).await;
    assert_eq!(locked.customer_units.get(&(ann, ProductId::new(1))), Some(&Units::stored(1)));
}

pub(super) async fn skip_locked(make: &dyn StoreFactory) {
    let subject = make.fresh().await;
    let store = subject.store();
    stock(&*store, &[(1, 10), (2, 10)]).await;
    let locked = look(&*store, &Footprint { skip_locked: true, ..footprint(&[1, 2, 3]) }).await;
    assert_eq!(locked.products.len(), 2);
    assert!(locked.skipped.is_empty(), "a product that does not exist was not skipped");
}
