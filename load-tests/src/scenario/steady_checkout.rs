//! Orders through the whole checkout, at a pace it keeps up with: three of four are paid for, one is declined, and each ends as it must.

use std::time::{Duration, Instant};

use goose::goose::GooseUser;
use rand::RngExt as _;
use serde_json::json;
use uuid::Uuid;

use super::Floor;
use crate::attack::Doing;
use crate::buyer::{Broken, Reply};

/// How long an order may take to its end.
const SETTLED_WITHIN: Duration = Duration::from_secs(60);
/// Between two looks at it.
const LOOK_PERIOD: Duration = Duration::from_millis(50);

pub(super) fn order<'a>(floor: &'a Floor, user: &'a mut GooseUser) -> Doing<'a> {
    Box::pin(async move {
        let product = floor.any_product();
        if let Some(units) = place(floor, user, product).await? {
            floor.tally.tell(|told| {
                told.reserved += units;
                told.committed += units;
            });
        }
        Ok(())
    })
}

/// Places an order and waits for its end; the units that were sold.
pub(super) async fn place(floor: &Floor, user: &mut GooseUser, product: i64) -> Result<Option<u64>, Broken> {
    let counter = floor.at_orders();
    let (units, is_paid) = (rand::rng().random_range(1..=3_u32), rand::rng().random_bool(0.75));
    let body = json!({
        "userId": format!("load-{}", user.weighted_users_index),
        "items": [{ "productId": product, "quantity": units, "unitPrice": "4.20" }],
        "paymentMethod": if is_paid { "approve" } else { "decline" },
    });
    let placed = counter.post(user, "/api/v1/orders", "order", &body, Some(Uuid::now_v7())).await?;
    let order = match placed {
        Reply::Yes { body, .. } => body["orderId"].as_str().unwrap_or_default().to_owned(),
        Reply::Unknown => {
            counter.tally.tell(|told| told.unknown += u64::from(units));
            return Ok(None);
        }
        Reply::No | Reply::NotNow => return Ok(None),
    };
    let (path, deadline) = (format!("/api/v1/orders/{order}"), Instant::now() + SETTLED_WITHIN);
    let expected = if is_paid { "CONFIRMED" } else { "PAYMENT_FAILED" };
    while Instant::now() < deadline {
        tokio::time::sleep(LOOK_PERIOD).await;
        let Reply::Yes { body, .. } = counter.get(user, &path, "order as it is").await? else { continue };
        let status = body["status"].as_str().unwrap_or_default();
        if status == expected {
            return Ok(is_paid.then_some(u64::from(units)));
        }
        if ["CONFIRMED", "PAYMENT_FAILED", "CANCELLED"].contains(&status) {
            counter.tally.fault(format!("an order that was to be {expected} is {status}"));
            return Ok(None);
        }
    }
    counter.tally.fault("an order had no end within a minute");
    counter.tally.tell(|told| told.unknown += u64::from(units));
    Ok(None)
}
