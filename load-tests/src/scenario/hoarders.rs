//! Hoarders hold as much as the cap per customer lets them, never buy, and start again; honest buyers want the same product.

use std::time::{Duration, Instant};

use goose::goose::GooseUser;
use serde_json::json;
use uuid::Uuid;

use super::flash_sale::{Ending, end};
use super::{Floor, Stage};
use crate::attack::Doing;
use crate::buyer::{Reply, items, new_order};
use crate::outcome::{Figure, Load};
use crate::size::Size;

/// Units that one customer may hold or have bought.
pub(crate) const CAP: u32 = 2;
/// How long a hoarder's hold lasts, in seconds.
const HOARD_SECONDS: u64 = 2;
/// A hoarder that was refused tries again after this; an honest buyer that found the shelf empty, too.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) fn hoard<'a>(floor: &'a Floor, user: &'a mut GooseUser) -> Doing<'a> {
    Box::pin(async move {
        let shop = floor.at_inventory();
        let customer = json!({ "customerId": format!("hoarder-{}", user.weighted_users_index), "ttlSeconds": HOARD_SECONDS });
        let (product, asked) = (floor.any_product(), Instant::now());
        let first = shop.reserve(user, new_order(), &items(&[(product, CAP)]), customer.clone()).await?;
        if first.is_yes() {
            let second = shop.reserve(user, new_order(), &items(&[(product, 1)]), customer).await?;
            // Within the life of the first, whenever that began.
            if second.is_yes() && asked.elapsed() < Duration::from_secs(HOARD_SECONDS) {
                shop.tally.fault("a customer held more than the cap");
            }
        }
        tokio::time::sleep(PAUSE).await;
        Ok(())
    })
}

pub(super) fn buy<'a>(floor: &'a Floor, user: &'a mut GooseUser) -> Doing<'a> {
    Box::pin(async move {
        let shop = floor.at_inventory();
        let (order, customer) = (new_order(), json!({ "customerId": format!("honest-{}", Uuid::now_v7()) }));
        match shop.reserve(user, order, &items(&[(floor.any_product(), 1)]), customer).await? {
            Reply::Yes { .. } => shop.tally.tell(|told| told.reserved += 1),
            Reply::Unknown => shop.tally.tell(|told| told.unknown += 1),
            Reply::No | Reply::NotNow => {
                tokio::time::sleep(PAUSE).await;
                return Ok(());
            }
        }
        end(&shop, user, order, 1, Ending::Commit).await
    })
}

/// Everybody who hoards can sit on `CAP` units and no more; the rest goes to those who buy. Holds only if more was asked for than there
/// was.
pub(super) fn figures(load: &Load, stage: &Stage, size: Size) -> Vec<Figure> {
    let hoarders = u64::try_from(size.users.div_ceil(2)).unwrap_or(u64::MAX);
    let stock = u64::try_from(stage.stock).unwrap_or_default();
    let at_least = stock.saturating_sub(hoarders * u64::from(CAP));
    let sold = load.told.committed;
    let was_scarce = load.refusals.contains_key("insufficient_stock");
    let what = format!(
        "honest buyers got {sold} of {stock} units; {hoarders} hoarders may keep {CAP} each from them"
    );
    vec![if was_scarce {
        Figure::rule(sold >= at_least, what)
    } else {
        Figure::note(format!("{what}; nothing was scarce"))
    }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Told;
    use crate::scenario::Scenario;

    #[test]
    fn hoarders_that_keep_more_than_their_cap_break_the_rule() {
        let size = Size { seconds: 4, users: 20, rate: 100, holds: 0 };
        let stage = Scenario::Hoarders.stage(1, size);
        let refusals = [("insufficient_stock".to_owned(), 1)].into();
        let told =
            |committed| Load { told: Told { committed, ..Told::default() }, refusals, ..Load::default() };
        let load = told(80);
        assert!(figures(&load, &stage, size)[0].is_met);
        let short = Load { told: Told { committed: 79, ..Told::default() }, ..load };
        assert!(!figures(&short, &stage, size)[0].is_met);
    }
}
