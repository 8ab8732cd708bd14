//! Ordinary buyers: the background of other scenarios.

use std::time::Duration;

use goose::goose::GooseUser;
use rand::RngExt as _;
use serde_json::json;

use super::Floor;
use super::flash_sale::{Ending, end};
use crate::attack::Doing;
use crate::buyer::{Reply, items, new_order};

/// After a refusal.
const PAUSE: Duration = Duration::from_millis(100);

/// Holds one unit and leaves it at that.
pub(super) fn hold<'a>(floor: &'a Floor, user: &'a mut GooseUser) -> Doing<'a> {
    Box::pin(async move {
        let shop = floor.at_inventory();
        match shop.reserve(user, new_order(), &items(&[(floor.any_product(), 1)]), json!({})).await? {
            Reply::Yes { .. } => shop.tally.tell(|told| told.reserved += 1),
            Reply::Unknown => shop.tally.tell(|told| told.unknown += 1),
            // A second, as they are told, would leave too few to ask; but nobody hammers.
            Reply::No | Reply::NotNow => tokio::time::sleep(PAUSE).await,
        }
        Ok(())
    })
}

/// Holds a few units, and buys them four times of five.
pub(super) fn buy<'a>(floor: &'a Floor, user: &'a mut GooseUser) -> Doing<'a> {
    Box::pin(async move {
        let shop = floor.at_inventory();
        let (order, units) = (new_order(), rand::rng().random_range(1..=3_u32));
        match shop.reserve(user, order, &items(&[(floor.any_product(), units)]), json!({})).await? {
            Reply::Yes { .. } => shop.tally.tell(|told| told.reserved += u64::from(units)),
            Reply::Unknown => shop.tally.tell(|told| told.unknown += u64::from(units)),
            Reply::No | Reply::NotNow => return Ok(()),
        }
        let ending = if rand::rng().random_bool(0.8) { Ending::Commit } else { Ending::Release };
        end(&shop, user, order, u64::from(units), ending).await
    })
}
