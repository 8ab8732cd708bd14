//! An operator who does not like to wait.

use std::time::Duration;

use uuid::Uuid;

use super::Town;
use crate::dice::Dice;

/// Has some order's calls tried now, again and again while the shop is open. That is harmless at any time: every call is keyed.
pub(super) async fn look_after(town: Town, seed: u64, open: Duration) {
    let dice = Dice::of(seed, "operator");
    let ends = tokio::time::Instant::now() + open;
    let is_busy = dice.percent(40);
    while is_busy && tokio::time::Instant::now() < ends {
        tokio::time::sleep(dice.millis(100..=1_200)).await;
        let database = &town.desks.database;
        let waiting: Vec<Uuid> =
            database.look(|tables| tables.calls.keys().map(|(order, _)| *order).collect());
        if !waiting.is_empty() {
            // What fails is tried by the next one who looks.
            let _ = database.hurry(*dice.pick(&waiting)).await;
        }
    }
}
