//! One order from the first request to the last.

use std::time::Duration;

use inventory_core::engine::ReserveRequest;
use inventory_core::ids::{Delivery, Note, OrderId, ProductId};
use inventory_core::lines::{Line, Lines};
use inventory_core::quantity::Quantity;

use super::{Caller, HOT, LIMITED, NEW, customer, quantity};
use crate::dice::Dice;
use crate::history::{Asked, Ending};

/// Comes after a while, and buys, gives back or forgets.
pub(super) async fn shop(caller: Caller, arrives: Duration) {
    tokio::time::sleep(arrives).await;
    let dice = caller.dice.clone();
    let request = request(&dice);
    let order = request.order;
    if dice.percent(4) {
        // A saga that gave up: its release overtakes the reserve.
        caller.insist(&Asked::Release(order, None, None), 4).await;
    }
    let tries = dice.range(1..=9);
    let reserve = Asked::Reserve(request.clone());
    let mut heard = caller.insist(&reserve, tries).await;
    if dice.percent(10) {
        // The same order twice at once, as impatient proxies do.
        (heard, _) = tokio::join!(caller.ask(reserve.clone()), caller.ask(reserve.clone()));
    }
    match heard.ending() {
        Ending::Yes => {}
        Ending::Unknown if dice.percent(50) => {}
        Ending::No if dice.percent(15) => {
            // Sold out, they said; perhaps something came back.
            tokio::time::sleep(dice.millis(100..=2_000)).await;
            if caller.insist(&reserve, tries).await.ending() != Ending::Yes {
                return;
            }
        }
        _ => return,
    }
    while_held(&caller, &reserve, &request).await;
    end(&caller, &request).await;
}

async fn while_held(caller: &Caller, reserve: &Asked, request: &ReserveRequest) {
    let dice = &caller.dice;
    if dice.percent(30) {
        tokio::time::sleep(dice.millis(0..=500)).await;
        caller.insist(reserve, 3).await;
    }
    if dice.percent(15) {
        caller.insist(&Asked::Extend(request.order, dice.millis(200..=5_000)), 4).await;
    }
    if dice.percent(15) {
        caller.insist(&part(dice, request), 6).await;
    }
    // Thinking takes longer than some holds last.
    let thinks = if dice.percent(25) { dice.millis(500..=6_000) } else { dice.millis(0..=400) };
    tokio::time::sleep(thinks).await;
}

/// A keyed partial release: repeatable, effective once.
pub(super) fn part(dice: &Dice, request: &ReserveRequest) -> Asked {
    let line = request.lines.iter().next().map_or(HOT, |line| line.product);
    let note = |text: &str| Note::parse(text).ok();
    let delivery = note("release").zip(note(&dice.id().to_string()));
    let delivery = delivery.map(|(consumer, message)| Delivery { consumer, message });
    Asked::Release(request.order, Some(Lines::one(line, Quantity::ONE)), delivery)
}

async fn end(caller: &Caller, request: &ReserveRequest) {
    let dice = &caller.dice;
    let order = request.order;
    let (commit, release) = (Asked::Commit(order, None), Asked::Release(order, None, None));
    let tries = dice.range(1..=12);
    match dice.range(0..=99) {
        0..=54 => {
            caller.insist(&commit, tries).await;
            if dice.percent(20) {
                caller.insist(&commit, 3).await;
            }
            if dice.percent(10) {
                caller.insist(&release, 3).await;
            }
        }
        55..=64 => {
            let line = request.lines.iter().next().map_or(HOT, |line| line.product);
            let items = Some(Lines::one(line, Quantity::ONE));
            caller.insist(&Asked::Commit(order, items), tries).await;
        }
        65..=84 => {
            caller.insist(&release, tries).await;
            if dice.percent(20) {
                caller.insist(&release, 3).await;
            }
            if dice.percent(20) {
                caller.insist(&Asked::Reserve(request.clone()), 3).await;
            }
        }
        // Forgets.
        _ => {}
    }
}

fn request(dice: &Dice) -> ReserveRequest {
    let (lines, customer) = basket(dice);
    let ttl = dice.percent(80).then(|| dice.millis(100..=4_000));
    ReserveRequest { order: OrderId::new(dice.id()), lines, customer, ttl }
}

/// The hot product, one of few, a cart of several, or a limited one.
fn basket(dice: &Dice) -> (Lines, Option<inventory_core::ids::CustomerId>) {
    let some = |most| quantity(dice.range(1..=most));
    let lines = match dice.range(0..=99) {
        0..=34 => Lines::one(HOT, some(3)),
        35..=49 => Lines::one(ProductId::new(*dice.pick(&[2, 3])), Quantity::ONE),
        50..=84 => {
            let lines = (0..dice.range(2..=4)).map(|_| Line {
                product: ProductId::new(*dice.pick(&[1, 2, 3, 4, 5, 6])),
                quantity: some(2),
            });
            Lines::new(lines.collect::<Vec<_>>()).unwrap_or_default()
        }
        85..=92 => return (Lines::one(LIMITED, Quantity::ONE), customer(dice)),
        _ => Lines::one(NEW, Quantity::ONE),
    };
    (lines, dice.percent(20).then(|| customer(dice)).flatten())
}
