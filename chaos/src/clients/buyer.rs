//! Holds carts, and buys, keeps, forgets or gives back what it holds; asks again what failed, another instance each time.

use std::time::{Duration, Instant};

use rand::RngExt as _;

use super::record::{Meaning, Record, Standing, Step};
use super::{Client, PRODUCTS, SCARCE};

/// A hold that does not end during a run.
const LONG_SECONDS: u32 = 80_000;
/// How often one step is tried before it is left to be settled later.
const TRIES_MAX: u32 = 8;

/// Until it is called home.
pub(crate) async fn buy(mut client: Client) -> Vec<Record> {
    let mut records = Vec::new();
    while !client.is_called() {
        let (ttl, rest, steps) = fate(&mut client);
        let mut record = Record::new(cart(&mut client), ttl);
        let mut goes_on = take(&mut client, &mut record, Step::Reserve).await;
        for step in steps {
            if !goes_on || record.may_be.first() != Some(&Standing::Held) {
                break;
            }
            tokio::time::sleep(rest).await;
            goes_on = take(&mut client, &mut record, *step).await;
        }
        records.push(record);
        client.rest(5, 40).await;
    }
    records
}

/// How long it holds, how long it waits before each further step, and which those are.
fn fate(client: &mut Client) -> (u32, Duration, &'static [Step]) {
    let none = Duration::ZERO;
    match client.random.random_range(0..100) {
        0..40 => (LONG_SECONDS, none, &[Step::Commit]),
        40..65 => (LONG_SECONDS, none, &[Step::Release]),
        65..70 => (LONG_SECONDS, none, &[]),
        // Forgotten: they run out.
        70..85 => (client.random.random_range(2..=4), none, &[]),
        85..95 => (6, none, &[Step::Extend, Step::Commit]),
        // Bought when the hold is over: late, or lost.
        _ => (1, Duration::from_millis(2_200), &[Step::Commit]),
    }
}

/// One to three products, often the hot one, sometimes a scarce one.
fn cart(client: &mut Client) -> Vec<(i64, i32)> {
    let lines = client.random.random_range(1..=3);
    let mut cart: Vec<(i64, i32)> = Vec::new();
    for _ in 0..lines {
        let product = match client.random.random_range(0..10) {
            0..3 => 1,
            9 => client.random.random_range(PRODUCTS - SCARCE + 1..=PRODUCTS),
            _ => client.random.random_range(2..=PRODUCTS - SCARCE),
        };
        if cart.iter().all(|(other, _)| *other != product) {
            cart.push((product, client.random.random_range(1..=3)));
        }
    }
    cart.sort_unstable();
    cart
}

/// Takes one step, with patience. Whether it is settled.
async fn take(client: &mut Client, record: &mut Record, step: Step) -> bool {
    for _ in 0..TRIES_MAX {
        let told = client.ask_inventory(&record.request(step)).await;
        if record.hear(step, &told) == Meaning::Settled {
            return true;
        }
        client.rest(50, 400).await;
    }
    false
}

/// Asks until it is known how the order stands.
pub(crate) async fn settle(client: &mut Client, record: &mut Record, deadline: Instant) {
    while Instant::now() < deadline {
        let step = match record.unsettled {
            Some(step) => step,
            None if record.needs_release() => Step::Release,
            None => return,
        };
        take(client, record, step).await;
    }
}
