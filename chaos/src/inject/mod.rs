//! Doing harm: one lane's faults one after the other, each healed before the next, until told to stop.

mod machines;
mod services;
mod ways;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::Result;
use parking_lot::Mutex;

use crate::draw::Draw;
use crate::http::Asker;
use crate::kind::{Kind, Lane};
use crate::stage::service::Service;
use crate::stage::{Machines, Stage};
use test_support::postgres::proxy::Proxy;

/// How often each kind has struck, and what failed while it was done.
#[derive(Debug, Default)]
pub(crate) struct Injected {
    counts: Mutex<BTreeMap<Kind, u64>>,
    failures: Mutex<Vec<String>>,
}

impl Injected {
    /// How often.
    pub(crate) fn counts(&self) -> BTreeMap<Kind, u64> {
        self.counts.lock().clone()
    }

    /// What could not be done or healed.
    pub(crate) fn failures(&self) -> Vec<String> {
        self.failures.lock().clone()
    }

    fn count(&self, kind: Kind, times: u64) {
        *self.counts.lock().entry(kind).or_default() += times;
    }

    fn has(&self, kind: Kind) -> bool {
        self.counts.lock().get(&kind).is_some_and(|count| *count > 0)
    }
}

/// What the lanes need to know.
#[derive(Debug)]
pub(crate) struct Orders<'a> {
    /// What may be drawn.
    pub(crate) kinds: &'a [Kind],
    /// By which the draws are drawn.
    pub(crate) seed: u64,
    /// Until when.
    pub(crate) until: Instant,
    /// Until when at the latest, if something has not struck yet.
    pub(crate) latest: Instant,
    /// Somebody pressed Ctrl-C.
    pub(crate) stop: &'a AtomicBool,
}

impl Orders<'_> {
    /// Whether a lane is done: its time is over, and everything it can do has struck.
    fn are_done(&self, lane: Lane, injected: &Injected) -> bool {
        let now = Instant::now();
        let missing = self.kinds.iter().any(|kind| kind.lane() == lane && !injected.has(*kind));
        self.stop.load(Ordering::Relaxed) || now >= self.latest || (now >= self.until && !missing)
    }
}

/// Does harm in both lanes at once, then heals everything.
pub(crate) async fn all(
    stage: &mut Stage,
    orders: &Orders<'_>,
    injected: &Injected,
    database: &str,
) -> Result<()> {
    let Stage { services, ways, machines, .. } = stage;
    tokio::join!(
        services_lane(services, ways, orders, injected),
        machines_lane(machines, orders, injected, database)
    );
    for way in &*ways {
        way.clear();
    }
    for service in services {
        if let Err(why) = service.ready().await {
            injected.failures.lock().push(format!("after everything was healed: {why:#}"));
        }
    }
    Ok(())
}

async fn services_lane(
    services: &mut [Service],
    ways: &[Proxy; 2],
    orders: &Orders<'_>,
    injected: &Injected,
) {
    let mut draw = Draw::new(orders.seed, Lane::Services, orders.kinds);
    let Ok(asker) = Asker::new() else { return };
    while !orders.are_done(Lane::Services, injected) {
        for service in &mut *services {
            if let Err(why) = service.look_after().await {
                injected.failures.lock().push(format!("{why:#}"));
            }
        }
        let Some(kind) = next(&mut draw, Lane::Services, orders, injected) else { return };
        let done = match kind {
            Kind::KillInventory
            | Kind::KillOrders
            | Kind::KillPayments
            | Kind::FreezeService
            | Kind::ClockJump => services::strike(kind, services, &asker, &mut draw).await,
            _ => ways::strike(kind, ways, &mut draw).await,
        };
        note(kind, done, injected);
        tokio::time::sleep(draw.time(200, 1_500)).await;
    }
}

async fn machines_lane(machines: &mut Machines, orders: &Orders<'_>, injected: &Injected, database: &str) {
    let mut draw = Draw::new(orders.seed, Lane::Machines, orders.kinds);
    while !orders.are_done(Lane::Machines, injected) {
        // Calm between two: else nothing but recovery is seen.
        tokio::time::sleep(draw.time(2_500, 8_000)).await;
        let Some(kind) = next(&mut draw, Lane::Machines, orders, injected) else { return };
        let done = machines::strike(kind, machines, &mut draw, database).await;
        note(kind, done, injected);
    }
}

/// The next draw; beyond the time only what has not struck yet. Nothing once the lane is done, which it may be since it was asked.
fn next(draw: &mut Draw, lane: Lane, orders: &Orders<'_>, injected: &Injected) -> Option<Kind> {
    while !orders.are_done(lane, injected) {
        let kind = draw.kind()?;
        if Instant::now() < orders.until || !injected.has(kind) {
            return Some(kind);
        }
    }
    None
}

fn note(kind: Kind, done: Result<u64>, injected: &Injected) {
    match done {
        Ok(0) => eprintln!("   {}: met nothing", kind.name()),
        Ok(times) => {
            injected.count(kind, times);
            eprintln!("   {}", kind.name());
        }
        Err(why) => {
            eprintln!("   {}: FAILED: {why:#}", kind.name());
            injected.failures.lock().push(format!("{}: {why:#}", kind.name()));
        }
    }
}
