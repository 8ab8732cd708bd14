//! The rules, tested against the contract's tables and by random histories on a tiny ledger.

mod alerts;
mod batches;
mod checks;
mod deliveries;
mod histories;
mod ledger;
mod limits;
mod properties;
mod stock_administration;
mod table;
mod throughput;

use std::time::Duration;

use uuid::Uuid;

use crate::command::{Adjust, Command, Commit, Expire, Extend, Release, Reserve, SetStock};
use crate::ids::{AdjustmentId, CustomerId, Delivery, Note, OrderId, ProductId};
use crate::lines::{Line, Lines};
use crate::quantity::{Quantity, Units};

/// How long test holds last, and how far they may be extended.
const TTL: Duration = Duration::from_secs(900);
const TTL_MAX: Duration = Duration::from_secs(3_600);

fn product(id: i64) -> ProductId {
    ProductId::new(id)
}

fn order(n: u128) -> OrderId {
    OrderId::new(Uuid::from_u128(n))
}

fn customer(name: &str) -> CustomerId {
    CustomerId::parse(name).unwrap()
}

fn note(text: &str) -> Note {
    Note::parse(text).unwrap()
}

fn delivery(message: &str) -> Delivery {
    Delivery { consumer: note("test"), message: note(message) }
}

fn quantity(n: i64) -> Quantity {
    Quantity::new(n).unwrap()
}

fn units(n: i64) -> Units {
    Units::stored(n)
}

/// Lines from (product, quantity).
fn lines(lines: &[(i64, i64)]) -> Lines {
    Lines::new(lines.iter().map(|(p, q)| Line { product: product(*p), quantity: quantity(*q) })).unwrap()
}

fn reserve(n: u128, wanted: &[(i64, i64)]) -> Command {
    Command::Reserve(Reserve {
        order: order(n),
        lines: lines(wanted),
        customer: None,
        ttl: TTL,
        ttl_max: TTL_MAX,
    })
}

fn reserve_for(n: u128, wanted: &[(i64, i64)], who: &str) -> Command {
    Command::Reserve(Reserve {
        order: order(n),
        lines: lines(wanted),
        customer: Some(customer(who)),
        ttl: TTL,
        ttl_max: TTL_MAX,
    })
}

fn commit(n: u128) -> Command {
    Command::Commit(Commit { order: order(n), items: None, delivery: None })
}

fn commit_items(n: u128, items: &[(i64, i64)]) -> Command {
    Command::Commit(Commit { order: order(n), items: Some(lines(items)), delivery: None })
}

fn release(n: u128) -> Command {
    Command::Release(Release { order: order(n), items: None, reason: None, delivery: None })
}

fn release_items(n: u128, items: &[(i64, i64)]) -> Command {
    Command::Release(Release { order: order(n), items: Some(lines(items)), reason: None, delivery: None })
}

fn extend(n: u128, ttl: Duration) -> Command {
    Command::Extend(Extend { order: order(n), ttl })
}

fn expire(n: u128) -> Command {
    Command::Expire(Expire { order: order(n) })
}

fn adjust(p: i64, key: &str, delta: i64) -> Command {
    Command::Adjust(Adjust {
        product: product(p),
        adjustment: AdjustmentId::parse(key).unwrap(),
        delta: units(delta),
        reason: note("count"),
        reference: None,
    })
}

/// A set that names the stock only.
fn stock(p: i64, on_hand: i64) -> SetStock {
    SetStock {
        product: product(p),
        on_hand: units(on_hand),
        low_stock_threshold: None,
        per_customer_limit: None,
        name: None,
        expected_admin_version: None,
    }
}

fn set(p: i64, on_hand: i64) -> Command {
    Command::Set(stock(p, on_hand))
}

/// The same command as a message's delivery. Commands that cannot carry one stay as they are.
fn delivered(command: Command, message: &str) -> Command {
    match command {
        Command::Commit(c) => Command::Commit(Commit { delivery: Some(delivery(message)), ..c }),
        Command::Release(c) => Command::Release(Release { delivery: Some(delivery(message)), ..c }),
        other => other,
    }
}
