//! What befalls services, servers, roads and clocks while the shop is open: each has a calendar of its own.

use std::time::Duration;

use tokio::time::Instant;

use super::network::Site;
use super::run::Checkout;
use super::troubles::Trouble;
use crate::dice::Dice;
use crate::faults::Fault;

impl Checkout {
    /// Everything that befalls services, servers and roads, until the shop closes. Ends with everyone running.
    pub(super) async fn befall(&self, open: Duration) {
        let ends = Instant::now() + open;
        let desks = (0..self.desks.count).map(|place| self.desks_fate(place, ends));
        let engines = (0..self.engines.count()).map(|place| self.engines_fate(place, ends));
        tokio::join!(
            futures::future::join_all(desks),
            futures::future::join_all(engines),
            self.ledgers_fate(ends),
            self.roads_fate(ends),
            self.clocks_fate(ends),
            tokio::time::sleep_until(ends),
        );
    }

    async fn desks_fate(&self, place: usize, ends: Instant) {
        let dice = Dice::of(self.seed, &format!("fate of desk {place}"));
        loop {
            tokio::time::sleep(dice.millis(300..=4_000)).await;
            if !self.stage.troubles.is_on(Trouble::Crash) || Instant::now() >= ends {
                return;
            }
            self.desks.crash(place);
            tokio::time::sleep(dice.millis(1..=1_500)).await;
            self.desks.start(place);
        }
    }

    async fn engines_fate(&self, place: usize, ends: Instant) {
        let dice = Dice::of(self.seed, &format!("fate of engine {place}"));
        loop {
            tokio::time::sleep(dice.millis(300..=5_000)).await;
            if !self.world.faults.is_on(Fault::Crash) || Instant::now() >= ends {
                return;
            }
            self.engines.crash(place);
            tokio::time::sleep(dice.millis(1..=1_500)).await;
            self.engines.start(place).await;
        }
    }

    async fn ledgers_fate(&self, ends: Instant) {
        let dice = Dice::of(self.seed, "ledger's fate");
        let kinds = [Fault::Restart, Fault::Pause];
        let possible: Vec<Fault> =
            kinds.into_iter().filter(|fault| self.world.faults.is_on(*fault)).collect();
        loop {
            tokio::time::sleep(dice.millis(300..=3_000)).await;
            if possible.is_empty() || Instant::now() >= ends {
                return;
            }
            match dice.pick(&possible) {
                Fault::Restart => self.ledger.restart(dice.millis(10..=1_500)).await,
                _ => self.ledger.pause(dice.millis(50..=3_000)),
            }
        }
    }

    async fn roads_fate(&self, ends: Instant) {
        let dice = Dice::of(self.seed, "fate of roads");
        loop {
            tokio::time::sleep(dice.millis(200..=2_000)).await;
            if !self.stage.troubles.is_on(Trouble::Cut) || Instant::now() >= ends {
                return;
            }
            let desk = Site::Desk(dice.below(self.desks.count));
            let other = *dice.pick(&[Site::Inventory, Site::Inventory, Site::Provider, Site::People]);
            self.network.cut((desk, other), dice.millis(50..=2_500));
        }
    }

    async fn clocks_fate(&self, ends: Instant) {
        let dice = Dice::of(self.seed, "fate of clocks");
        loop {
            tokio::time::sleep(dice.millis(300..=3_000)).await;
            if !self.stage.troubles.is_on(Trouble::ClockStep) || Instant::now() >= ends {
                return;
            }
            let by = i64::try_from(dice.range(1..=3_000)).unwrap_or(1);
            self.database.set_clock(if dice.percent(50) { by } else { -by });
        }
    }
}
