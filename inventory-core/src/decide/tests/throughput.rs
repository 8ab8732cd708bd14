//! How long a decision takes. Run it in release mode, with `--ignored --nocapture`.

use std::time::{Duration, Instant};

use uuid::Uuid;

use super::super::decide;
use super::ledger::Ledger;
use super::reserve;
use crate::command::Command;
use crate::event::NoEvents;
use crate::ids::BatchId;

const COMMANDS: u128 = 1_000;
const ROUNDS: u32 = 2_000;

fn measure(name: &str, products: i64, lines: i64) {
    let stock: Vec<(i64, i64)> = (0..products).map(|p| (p, 1_000_000)).collect();
    let ledger = Ledger::stocked(&stock);
    let commands: Vec<Command> = (0..COMMANDS)
        .map(|n| {
            let first = i64::try_from(n).unwrap() * lines;
            let wanted: Vec<(i64, i64)> = (first..first + lines).map(|p| (p % products, 1)).collect();
            reserve(n << 64 | n.wrapping_mul(0x9e37_79b9_7f4a_7c15), &wanted)
        })
        .collect();
    let batch = BatchId::new(Uuid::nil());
    let mut spent = Duration::ZERO;
    for _ in 0..ROUNDS {
        let locked = ledger.lock(&commands, false);
        let started = Instant::now();
        let decision = decide(locked, &commands, batch, &NoEvents);
        spent += started.elapsed();
        assert_eq!(decision.effects.created.len(), commands.len());
    }
    let nanos = spent.as_nanos() / u128::from(ROUNDS) / COMMANDS;
    println!("{name}: {nanos} ns a command, {COMMANDS} commands a batch");
}

#[test]
#[ignore = "measurement"]
fn a_batch_of_reserves_takes_this_long() {
    measure("one hot product", 1, 1);
    measure("a thousand products", 1_000, 1);
    measure("carts of 9 lines over 5,000 products", 5_000, 9);
}
