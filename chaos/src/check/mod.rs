//! What must be true once everything is healed and at rest. One promise a file; each says what it looked at.

mod acknowledged;
mod audits;
mod books;
mod events;
mod ledger;
mod memory;
mod order;
mod rest;
mod sagas;

use std::path::Path;

use anyhow::Result;
use serde::Serialize;
use sqlx::PgConnection;

use crate::clients::Remembered;
use crate::http::Asker;
use crate::stage::Stage;

pub(crate) use self::books::initial_stock;
pub(crate) use self::ledger::Ledger;
pub(crate) use self::rest::come_to_rest;

/// Findings that a check tells; the rest is counted.
const FINDINGS_TOLD_MAX: usize = 20;

/// One promise, and whether it was kept.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// What is promised.
    pub promise: &'static str,
    /// How many things were looked at. A promise about nothing is not shown.
    pub looked_at: u64,
    /// What does not fit, the first of them.
    pub findings: Vec<String>,
    /// All of them.
    pub findings_total: usize,
}

/// What checks look at.
pub(crate) struct Scene<'a> {
    pub(crate) stage: &'a Stage,
    pub(crate) asker: &'a Asker,
    pub(crate) remembered: &'a Remembered,
    pub(crate) holdfast: &'a Path,
    /// What clients saw of the ledger.
    pub(crate) history: &'a Path,
}

impl Check {
    /// Of what was found.
    pub(crate) fn new(promise: &'static str, looked_at: usize, mut findings: Vec<String>) -> Self {
        let findings_total = findings.len();
        findings.truncate(FINDINGS_TOLD_MAX);
        Self { promise, looked_at: looked_at as u64, findings, findings_total }
    }

    /// Where looking itself failed.
    fn or_failed(promise: &'static str, looked: Result<Self>) -> Self {
        looked.unwrap_or_else(|why| Self::new(promise, 0, vec![format!("could not be looked at: {why:#}")]))
    }

    /// Whether it was looked at and nothing was found.
    pub fn is_kept(&self) -> bool {
        self.findings_total == 0 && self.looked_at > 0
    }
}

/// Every check, in the order in which they are told.
pub(crate) async fn all(scene: &Scene<'_>) -> Result<Vec<Check>> {
    let mut sql = scene.stage.sql().await?;
    let ledger = Ledger::read(&mut sql).await?;
    let mut checks = vec![
        acknowledged::kept(scene.remembered, &ledger),
        acknowledged::nothing_else(scene.remembered, &ledger),
        acknowledged::contract(scene.remembered),
        books::add_up(&ledger),
    ];
    checks.push(one(audits::ledger(scene).await, "every instance's audit of the ledger is clean"));
    checks.push(one(audits::checkout(scene).await, "orders, stock and money agree"));
    checks.push(one(sagas::ended(&mut sql).await, "every saga has ended, and nothing is stuck"));
    checks.push(one(
        sagas::placements(&mut sql, scene.remembered).await,
        "every order that was acknowledged is there as it was placed",
    ));
    checks.push(one(events::outboxes(&mut sql).await, "the outboxes are empty"));
    checks.extend(events_checks(&mut sql, scene, &ledger).await);
    checks.push(one(audits::dead_letters(scene).await, "no event became a dead letter"));
    checks.push(services(scene.stage));
    checks.extend(order::of_the_ledger(scene).await);
    // Last: it asks for holds of its own.
    checks.push(one(memory::equals_the_store(scene, &ledger).await, memory::PROMISE));
    Ok(checks)
}

fn one(looked: Result<Check>, promise: &'static str) -> Check {
    Check::or_failed(promise, looked)
}

async fn events_checks(sql: &mut PgConnection, scene: &Scene<'_>, ledger: &Ledger) -> Vec<Check> {
    match events::on_the_topics(sql, scene, ledger).await {
        Ok(checks) => checks,
        Err(why) => vec![Check::or_failed("each key's events are told in order", Err(why))],
    }
}

/// A service survives what happens to what it stands on.
fn services(stage: &Stage) -> Check {
    let ended: Vec<String> =
        stage.services.iter().flat_map(|service| service.ended_by_itself.iter().cloned()).collect();
    Check::new("no service ended by itself", stage.services.len(), ended)
}
