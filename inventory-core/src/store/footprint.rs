//! What a batch of commands concerns.

use super::Footprint;
use crate::command::Command;

impl Footprint {
    /// What the store has to lock and read for these commands. `orders` stays empty unless they are to be read.
    pub fn of(commands: &[Command], read_orders: bool, skip_locked: bool) -> Self {
        let mut footprint = Self { read_orders, skip_locked, ..Self::default() };
        for command in commands {
            match command {
                Command::Reserve(reserve) => {
                    footprint.products.extend(reserve.lines.iter().map(|line| line.product));
                    footprint.customers.extend(reserve.customer.clone());
                }
                Command::Commit(commit) => footprint.deliveries.extend(commit.delivery.clone()),
                Command::Release(release) => footprint.deliveries.extend(release.delivery.clone()),
                Command::Adjust(adjust) => {
                    footprint.products.push(adjust.product);
                    footprint.adjustments.push(adjust.adjustment.clone());
                }
                Command::Set(set) | Command::Import(set) => footprint.products.push(set.product),
                Command::Announce(product) => footprint.products.push(*product),
                Command::Extend(_) | Command::Expire(_) => {}
            }
        }
        if read_orders {
            footprint.orders = sorted(commands.iter().filter_map(Command::order).collect());
        }
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
