//! Every order is sent four times or more, some after hanging up, three times at once, and every ending twice: each takes effect once.

use std::time::Duration;

use goose::goose::GooseUser;
use rand::RngExt as _;
use serde_json::json;

use super::Floor;
use super::flash_sale::{Ending, end};
use crate::attack::Doing;
use crate::buyer::{Reply, items, new_order};

/// How long an impatient client waits before it hangs up.
const PATIENCE: Duration = Duration::from_millis(1);
/// The same request at the same moment.
const AT_ONCE: usize = 3;

pub(super) fn repeat<'a>(floor: &'a Floor, user: &'a mut GooseUser) -> Doing<'a> {
    Box::pin(async move {
        let shop = floor.at_inventory();
        let (order, lines) = (new_order(), items(&[(floor.any_product(), 1)]));
        let (hangs_up, fate) = (rand::rng().random_bool(0.3), rand::rng().random_range(0..3));
        if hangs_up {
            shop.hang_up(user, order, &lines, PATIENCE).await;
        }
        let mut replies = shop.at_once(user, order, &lines, AT_ONCE).await;
        replies.push(shop.reserve(user, order, &lines, json!({})).await?);
        if made_more_than_one(&replies) {
            shop.tally.fault("one order was told twice that its hold is new");
        }
        // Whoever was told anything was told of the same hold.
        if replies.iter().any(Reply::is_yes) {
            shop.tally.tell(|told| told.reserved += 1);
        } else if hangs_up || replies.contains(&Reply::Unknown) {
            shop.tally.tell(|told| told.unknown += 1);
            return Ok(());
        } else {
            return Ok(());
        }
        match fate {
            0 => Ok(()),
            1 => {
                end(&shop, user, order, 1, Ending::Release).await?;
                must_not(&shop.end(user, "commit", order).await?, floor, "a released hold was committed");
                Ok(())
            }
            _ => {
                end(&shop, user, order, 1, Ending::Commit).await?;
                // The repeat takes no second unit: the books would show it.
                shop.end(user, "commit", order).await?;
                Ok(())
            }
        }
    })
}

fn must_not(reply: &Reply, floor: &Floor, what: &str) {
    if reply.is_yes() {
        floor.tally.fault(what);
    }
}

/// Only one answer may be 201: the others are replays.
fn made_more_than_one(replies: &[Reply]) -> bool {
    replies.iter().filter(|reply| matches!(reply, Reply::Yes { status: 201, .. })).count() > 1
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_second_201_for_one_order_is_seen() {
        let yes = |status| Reply::Yes { status, body: Value::Null };
        assert!(!made_more_than_one(&[yes(201), yes(200), Reply::NotNow, yes(200)]));
        assert!(made_more_than_one(&[yes(201), yes(200), yes(201)]));
    }
}
