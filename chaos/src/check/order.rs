//! The ledger-order checker: the journal against what every client saw, by the versions that the database handed out.

use std::time::Duration;

use anyhow::Result;
use test_support::service::Launch;

use super::{Check, Scene};

const PROMISE: &str = "the journal agrees with itself, with real time, and with what every client saw";
/// How long the checker may take.
const CHECK_WITHIN: Duration = Duration::from_secs(600);

/// What `holdfast check` says; nothing from a build that has no such verb, which is said.
pub(crate) async fn of_the_ledger(scene: &Scene<'_>) -> Option<Check> {
    match look(scene).await {
        Ok(check) => check,
        Err(why) => Some(Check::or_failed(PROMISE, Err(why))),
    }
}

async fn look(scene: &Scene<'_>) -> Result<Option<Check>> {
    let (knows, _) = Launch::new(scene.holdfast).arguments(["check", "--help"]).run_to_end().await?;
    if !knows.success() {
        eprintln!("   this build of holdfast has no `check`: the order of the ledger is NOT shown");
        return Ok(None);
    }
    let history = scene.history.display().to_string();
    // Orders hold stock, too, and so do the checks.
    let check = Launch::new(scene.holdfast)
        .arguments(["check", "--history", &history, "--other-callers"])
        .env("INVENTORY_DATABASE_URL", &scene.stage.database);
    let (status, said) = check.run_to_end_within(CHECK_WITHIN).await?;
    let findings = if status.success() { Vec::new() } else { vec![said.trim().to_owned()] };
    Ok(Some(Check::new(PROMISE, scene.remembered.records.len(), findings)))
}
