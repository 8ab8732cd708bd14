//! What a batch of commands concerns.

use super::Footprint;
use crate::command::Command;
use crate::ids::OrderId;

impl Footprint {
    /// What the store has to lock and read for these commands. What ends or extends a hold needs to read it; of the orders that
    /// reserves name only those are read of which `may_be_known` says so, the others rely on their key.
    pub fn of(commands: &[Command], may_be_known: impl Fn(OrderId) -> bool, skip_locked: bool) -> Self {
        let mut footprint = Self { skip_locked, ..Self::default() };
        for command in commands {
            match command {
                Command::Reserve(reserve) => {
                    footprint.products.extend(reserve.lines.iter().map(|line| line.product));
                    footprint.customers.extend(reserve.customer.clone());
                    if may_be_known(reserve.order) {
                        footprint.orders.push(reserve.order);
                    }
                }
                Command::Commit(commit) => {
                    footprint.orders.push(commit.order);
                    footprint.deliveries.extend(commit.delivery.clone());
                }
                Command::Release(release) => {
                    footprint.orders.push(release.order);
                    footprint.deliveries.extend(release.delivery.clone());
                }
                Command::Extend(extend) => footprint.orders.push(extend.order),
                Command::Expire(expire) => footprint.orders.push(expire.order),
                Command::Adjust(adjust) => {
                    footprint.products.push(adjust.product);
                    footprint.adjustments.push(adjust.adjustment.clone());
                }
                Command::Set(set) | Command::Import(set) => footprint.products.push(set.product),
                Command::Announce(product) => footprint.products.push(*product),
            }
        }
        footprint.orders = sorted(footprint.orders);
        footprint.products = sorted(footprint.products);
        footprint.customers = sorted(footprint.customers);
        footprint.adjustments = sorted(footprint.adjustments);
        footprint.deliveries = sorted(footprint.deliveries);
        footprint
    }
}

fn sorted<T: Ord>(mut list: Vec<T>) -> Vec<T> {
    list.sort_unstable();
    list.dedup();
    list
}
