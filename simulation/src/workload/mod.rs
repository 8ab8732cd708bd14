//! The clients: what they ask for follows from the seed, what they make of the answers from the answers.

mod caller;
mod keeper;
mod quarrel;
mod shopper;
mod twins;

use std::time::Duration;

use futures::future::BoxFuture;
use inventory_core::engine::ReserveRequest;
use inventory_core::ids::{CustomerId, OrderId, ProductId};
use inventory_core::lines::Lines;
use inventory_core::quantity::{Quantity, Units};

pub(crate) use self::caller::{Caller, Shop};
use crate::dice::Dice;
use crate::history::{Asked, Ending};

/// The product that everyone wants.
pub(crate) const HOT: ProductId = ProductId::new(1);
/// A product limited per customer.
pub(crate) const LIMITED: ProductId = ProductId::new(9);
/// How many of it one customer may have.
pub(crate) const LIMIT: u32 = 2;
/// A product that appears while the shop is open.
pub(crate) const NEW: ProductId = ProductId::new(10);
/// Callers' numbers: keepers first.
const KEEPERS: u32 = 2;
/// Callers of two orders at once.
const TWINS: u32 = 3;
/// Callers of one order on two engines.
const QUARRELS: u32 = 3;
/// Who sells when everyone else has gone.
const SELLER: u32 = 9_998;

/// What the shop begins with: a hot product, two of which there are few, some more, a limited one.
fn stock(dice: &Dice) -> Vec<(ProductId, i64)> {
    let levels = [5..=40, 1..=3, 0..=4, 5..=20, 5..=20, 10..=30];
    let usual = (1..).zip(levels).map(|(id, level)| (ProductId::new(id), level));
    let all = usual.chain([(LIMITED, 3..=10)]);
    all.map(|(id, level)| (id, i64::try_from(dice.range(level)).unwrap_or(0))).collect()
}

/// Opens the shop: every product is there when this returns (or the ledger was never reached).
pub(crate) async fn set_up(shop: &Shop, seed: u64) {
    let keeper = Caller::new(shop, seed, 0);
    for (product, level) in stock(&Dice::of(seed, "stock")) {
        keeper.put(product, Units::stored(level)).await;
    }
}

/// Sells one unit of some products; who buys has nothing to do with what follows.
pub(crate) async fn one_more_sale(shop: &Shop, seed: u64) {
    let seller = Caller::new(shop, seed, SELLER);
    for product in 1..=6 {
        let order = OrderId::new(seller.dice.id());
        let lines = Lines::one(ProductId::new(product), Quantity::ONE);
        let request = ReserveRequest { order, lines, customer: None, ttl: None };
        if seller.ask(Asked::Reserve(request)).await.ending() == Ending::Yes {
            seller.ask(Asked::Commit(order, None)).await;
        }
    }
}

/// Everyone who will come, within `open`.
pub(crate) fn clients(shop: &Shop, seed: u64, open: Duration) -> Vec<BoxFuture<'static, ()>> {
    let dice = Dice::of(seed, "clients");
    let shoppers = u32::try_from(dice.range(30..=110)).unwrap_or(20);
    let mut clients: Vec<BoxFuture<'static, ()>> = Vec::new();
    for number in 0..KEEPERS {
        clients.push(Box::pin(keeper::work(Caller::new(shop, seed, number + 1), open)));
    }
    for number in 0..TWINS {
        let arrives = dice.millis(0..=u64::try_from(open.as_millis()).unwrap_or(0));
        clients.push(Box::pin(twins::give_up(Caller::new(shop, seed, 1_000 + number), arrives)));
    }
    for number in 0..QUARRELS {
        let arrives = dice.millis(0..=u64::try_from(open.as_millis()).unwrap_or(0));
        clients.push(Box::pin(quarrel::fall_out(Caller::new(shop, seed, 1_100 + number), arrives)));
    }
    for number in 0..shoppers {
        let arrives = dice.millis(0..=u64::try_from(open.as_millis()).unwrap_or(0));
        clients.push(Box::pin(shopper::shop(Caller::new(shop, seed, KEEPERS + 1 + number), arrives)));
    }
    clients
}

/// One of few customers, so that limits are met.
fn customer(dice: &Dice) -> Option<CustomerId> {
    CustomerId::parse(&format!("customer {}", dice.below(4))).ok()
}

fn quantity(units: u64) -> Quantity {
    i64::try_from(units).ok().and_then(|units| Quantity::new(units).ok()).unwrap_or(Quantity::ONE)
}
