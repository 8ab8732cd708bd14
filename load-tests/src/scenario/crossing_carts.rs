//! Carts of two to four of the same eight products, each in an order of its own: what deadlocks where rows are locked as they come.

use goose::goose::GooseUser;
use rand::RngExt as _;
use rand::seq::IndexedRandom as _;
use serde_json::json;

use super::Floor;
use super::flash_sale::{Ending, end};
use crate::attack::Doing;
use crate::buyer::{Reply, items, new_order};

pub(super) fn fill<'a>(floor: &'a Floor, user: &'a mut GooseUser) -> Doing<'a> {
    Box::pin(async move {
        let shop = floor.at_inventory();
        let (cart, fate) = {
            let mut random = rand::rng();
            let lines = random.random_range(2..=4);
            let cart: Vec<(i64, u32)> =
                floor.stage.products.sample(&mut random, lines).map(|product| (*product, 1)).collect();
            (cart, random.random_range(0..3))
        };
        let units = cart.len() as u64;
        let order = new_order();
        match shop.reserve(user, order, &items(&cart), json!({})).await? {
            Reply::Yes { .. } => shop.tally.tell(|told| told.reserved += units),
            Reply::Unknown => shop.tally.tell(|told| told.unknown += units),
            Reply::No | Reply::NotNow => return Ok(()),
        }
        match fate {
            0 => Ok(()),
            1 => end(&shop, user, order, units, Ending::Release).await,
            _ => end(&shop, user, order, units, Ending::Commit).await,
        }
    })
}
