//! One customer, from the first request to the last.

use std::time::Duration;

use order_service::saga::Input;
use order_service::store::Placement;
use uuid::Uuid;

use super::placement::placement;
use super::{Said, Town, clerk};
use crate::checkout::desks::Placing;
use crate::dice::Dice;

/// Comes after a while, orders, and perhaps thinks better of it; a clerk sees to the parcel.
pub(super) async fn shop(town: Town, seed: u64, number: u64, arrives: Duration) {
    tokio::time::sleep(arrives).await;
    let dice = Dice::of(seed, &format!("customer {number}"));
    let placement = placement(&dice, number);
    let mut orders = order(&town, &dice, &placement).await;
    orders.dedup();
    let Some(order) = orders.pop() else { return };
    let clerk = Dice::of(seed, &format!("clerk {number}"));
    tokio::join!(think_better(&town, &dice, order), clerk::send(&town, &clerk, order));
}

/// Places the order, however often it takes. Every order that was accepted.
async fn order(town: &Town, dice: &Dice, placement: &Placement) -> Vec<Uuid> {
    let mut accepted = Vec::new();
    for _ in 0..dice.range(1..=7) {
        // Impatient people press twice.
        let answers = if dice.percent(10) {
            let (one, other) = tokio::join!(place(town, dice, placement), place(town, dice, placement));
            vec![one, other]
        } else {
            vec![place(town, dice, placement).await]
        };
        accepted.extend(answers.iter().filter_map(|answer| match answer {
            Some(Placing::Accepted(order)) => Some(*order),
            _ => None,
        }));
        let is_final = answers.iter().any(|answer| matches!(answer, Some(Placing::Refused(_))));
        if is_final || !accepted.is_empty() && dice.percent(75) {
            break;
        }
        tokio::time::sleep(dice.millis(20..=600)).await;
    }
    accepted
}

async fn place(town: &Town, dice: &Dice, placement: &Placement) -> Option<Placing> {
    let asked = placement.clone();
    let answer = town.ask(dice, move |desk| desk.place(asked.clone())).await?;
    town.note(Said::Placed { key: placement.key.clone(), answer });
    Some(answer)
}

/// Some want out, at any time.
async fn think_better(town: &Town, dice: &Dice, order: Uuid) {
    if !dice.percent(35) {
        return;
    }
    tokio::time::sleep(dice.millis(0..=4_000)).await;
    town.note(Said::WantsOut(order));
    let input = Input::Cancel { reason: Some("changed my mind".to_owned()) };
    if let Some(granted) = town.wish(dice, order, &input).await {
        town.note(Said::Cancelled(order, granted));
    }
}
