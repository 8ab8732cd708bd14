//! Who sends parcels: looks whether an order is confirmed, or does not look.

use order_service::saga::{Input, OrderStatus};
use uuid::Uuid;

use super::{Said, Town};
use crate::dice::Dice;

/// Sends the order's parcel once it is confirmed, and says when it arrived.
pub(super) async fn send(town: &Town, dice: &Dice, order: Uuid) {
    let is_hasty = dice.percent(15);
    for _ in 0..dice.range(0..=20) {
        tokio::time::sleep(dice.millis(100..=700)).await;
        let seen = town.look(dice, order).await.map(|order| order.saga.status);
        let is_over = matches!(seen, Some(OrderStatus::Cancelled | OrderStatus::PaymentFailed));
        if is_over && !is_hasty {
            return;
        }
        let is_ready = seen == Some(OrderStatus::Confirmed) || is_hasty;
        if is_ready && ship(town, dice, order).await {
            return;
        }
    }
}

async fn ship(town: &Town, dice: &Dice, order: Uuid) -> bool {
    let input = Input::Ship { tracking_number: format!("parcel of {order}") };
    let Some(granted) = town.wish(dice, order, &input).await else { return false };
    town.note(Said::Shipped(order, granted));
    if granted && dice.percent(70) {
        tokio::time::sleep(dice.millis(10..=1_000)).await;
        if town.wish(dice, order, &Input::Deliver).await == Some(true) {
            town.note(Said::Delivered(order));
        }
    }
    granted
}
