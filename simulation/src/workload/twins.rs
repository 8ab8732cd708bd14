//! Two orders, asked for on two engines at once and the other way round: their keys meet crosswise.

use std::time::Duration;

use inventory_core::ids::OrderId;

use super::Caller;
use crate::history::Asked;

/// Comes after a while and gives up two orders that never were, as two instances of a saga's owner may.
pub(super) async fn give_up(caller: Caller, arrives: Duration) {
    tokio::time::sleep(arrives).await;
    let orders = [OrderId::new(caller.dice.id()), OrderId::new(caller.dice.id())];
    let [one, other] = orders.map(|order| Asked::Release(order, None, None));
    let engines = caller.engines();
    if let [first, second, ..] = engines.as_slice() {
        tokio::join!(
            caller.ask_of(first, one.clone(), None),
            caller.ask_of(first, other.clone(), None),
            caller.ask_of(second, other.clone(), None),
            caller.ask_of(second, one.clone(), None),
        );
    }
    caller.insist(&one, 3).await;
}
