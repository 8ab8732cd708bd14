//! What only a soak has: buyers who forget their holds.

use std::time::Duration;

use goose::goose::GooseUser;
use rand::seq::IndexedRandom as _;
use serde_json::json;

use super::Floor;
use crate::attack::Doing;
use crate::buyer::{items, new_order};

/// How long a forgotten hold lasts, in seconds.
const FORGOTTEN_SECONDS: u64 = 2;
/// Nobody forgets without pause.
const PAUSE: Duration = Duration::from_millis(20);

/// Holds for a moment and never comes back: the sweeper's work.
pub(super) fn forget<'a>(floor: &'a Floor, user: &'a mut GooseUser) -> Doing<'a> {
    Box::pin(async move {
        let shop = floor.at_inventory();
        let product = floor.stage.fleeting.choose(&mut rand::rng()).copied().unwrap_or_default();
        let for_a_moment = json!({ "ttlSeconds": FORGOTTEN_SECONDS });
        shop.reserve(user, new_order(), &items(&[(product, 1)]), for_a_moment).await?;
        tokio::time::sleep(PAUSE).await;
        Ok(())
    })
}
