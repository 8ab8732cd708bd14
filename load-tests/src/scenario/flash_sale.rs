//! One hot product, three buyers for each unit. Most who hold it buy it, some give it back, some leave it held.

use goose::goose::GooseUser;
use rand::RngExt as _;
use serde_json::json;

use super::Floor;
use crate::attack::Doing;
use crate::buyer::{Counter, Reply, items, new_order};
use crate::outcome::{Figure, Load};
use crate::rules::Shelf;

pub(super) fn buy<'a>(floor: &'a Floor, user: &'a mut GooseUser) -> Doing<'a> {
    Box::pin(async move {
        let shop = floor.at_inventory();
        let order = new_order();
        match shop.reserve(user, order, &items(&[(floor.any_product(), 1)]), json!({})).await? {
            Reply::Yes { .. } => shop.tally.tell(|told| told.reserved += 1),
            Reply::Unknown => shop.tally.tell(|told| told.unknown += 1),
            Reply::No | Reply::NotNow => return Ok(()),
        }
        let ending = match rand::rng().random_range(0..10) {
            0 => return Ok(()),
            1 => Ending::Release,
            _ => Ending::Commit,
        };
        end(&shop, user, order, 1, ending).await
    })
}

/// How a hold ends by its buyer's will.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ending {
    Commit,
    Release,
}

/// Ends a hold of so many units, and remembers what was told.
pub(super) async fn end(
    shop: &Counter<'_>,
    user: &mut GooseUser,
    order: uuid::Uuid,
    units: u64,
    ending: Ending,
) -> goose::goose::TransactionResult {
    let verb = if ending == Ending::Commit { "commit" } else { "release" };
    match shop.end(user, verb, order).await? {
        Reply::Yes { .. } if ending == Ending::Commit => shop.tally.tell(|told| told.committed += units),
        Reply::Yes { .. } => shop.tally.tell(|told| told.released += units),
        Reply::Unknown => shop.tally.tell(|told| told.unknown += units),
        // Nothing was changed: it stays held.
        Reply::No | Reply::NotNow => {}
    }
    Ok(())
}

pub(super) fn figures(load: &Load, shelf: Shelf) -> Vec<Figure> {
    let refused = load.refusals.get("insufficient_stock").copied().unwrap_or_default();
    let left = shelf.on_hand - shelf.held;
    vec![Figure::note(format!(
        "{refused} buyers were told that it is sold out; {left} units were left at the end"
    ))]
}
