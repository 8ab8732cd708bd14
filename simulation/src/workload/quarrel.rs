//! One order that two engines are asked to change at once: part of it is given back by one, all of it by the other.

use std::time::Duration;

use inventory_core::engine::ReserveRequest;
use inventory_core::ids::{OrderId, ProductId};
use inventory_core::lines::Lines;
use inventory_core::quantity::Quantity;

use super::{Caller, shopper};
use crate::history::{Asked, Ending};

/// A product of which there are many.
const PLENTY: ProductId = ProductId::new(6);
const UNITS: u32 = 3;

/// Comes after a while, holds three units, and quarrels over them.
pub(super) async fn fall_out(caller: Caller, arrives: Duration) {
    tokio::time::sleep(arrives).await;
    let order = OrderId::new(caller.dice.id());
    let lines = Lines::one(PLENTY, Quantity::new(UNITS.into()).unwrap_or(Quantity::ONE));
    let request = ReserveRequest { order, lines, customer: None, ttl: None };
    if caller.insist(&Asked::Reserve(request.clone()), 4).await.ending() != Ending::Yes {
        return;
    }
    let all = Asked::Release(order, None, None);
    let engines = caller.engines();
    if let [first, second, ..] = engines.as_slice() {
        let part = shopper::part(&caller.dice, &request);
        tokio::join!(caller.ask_of(first, part, None), caller.ask_of(second, all.clone(), None));
    }
    caller.insist(&all, 3).await;
}
