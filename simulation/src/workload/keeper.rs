//! Who looks after the stock while the shop is open.

use std::time::Duration;

use inventory_core::command::{Adjust, SetStock};
use inventory_core::ids::{AdjustmentId, Note, ProductId};
use inventory_core::quantity::Units;

use super::{Caller, HOT, NEW};
use crate::dice::Dice;
use crate::history::Asked;

/// Receives and writes off, recounts, and takes a new product in, at the same time as others do.
pub(super) async fn work(caller: Caller, open: Duration) {
    let dice = caller.dice.clone();
    let times = dice.range(2..=8);
    let pause = open / u32::try_from(times + 1).unwrap_or(1);
    for time in 0..times {
        tokio::time::sleep(pause).await;
        if time == 1 {
            caller.put(NEW, Units::stored(4)).await;
            continue;
        }
        match adjust(&dice) {
            Some(adjust) if dice.percent(80) => {
                let asked = Asked::Adjust(adjust);
                caller.insist(&asked, dice.range(1..=10)).await;
                if dice.percent(30) {
                    caller.insist(&asked, 3).await;
                }
            }
            _ => {
                let recount = SetStock::level(ProductId::new(5), Units::stored(level(&dice)));
                caller.insist(&Asked::Set(recount), 5).await;
            }
        }
    }
}

fn adjust(dice: &Dice) -> Option<Adjust> {
    let delta = level(dice) - 10;
    Some(Adjust {
        product: *dice.pick(&[HOT, ProductId::new(2), ProductId::new(3), ProductId::new(4)]),
        adjustment: AdjustmentId::parse(&dice.id().to_string()).ok()?,
        delta: Units::delta(delta).ok()?,
        reason: Note::parse("delivery").ok()?,
        reference: None,
    })
}

fn level(dice: &Dice) -> i64 {
    i64::try_from(dice.range(0..=20)).unwrap_or(0)
}
