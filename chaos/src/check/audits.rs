//! What the product's own auditors say.

use std::time::Duration;

use anyhow::Result;
use serde_json::Value;
use test_support::service::{Launch, Port};

use super::{Check, Scene};
use crate::http::{Asker, Request};
use crate::stage::{ORDERS, PAYMENTS};

/// How long an auditor may take.
const AUDIT_WITHIN: Duration = Duration::from_secs(300);

/// `GET /audit` of each instance.
pub(crate) async fn ledger(scene: &Scene<'_>) -> Result<Check> {
    let (mut findings, mut looked_at) = (Vec::new(), 0);
    let asker = Asker::who_waits(AUDIT_WITHIN)?;
    for url in scene.stage.inventories() {
        let told = asker.ask(&url, &Request::get("/api/v1/inventory/audit")).await;
        looked_at += 1;
        let is_clean = told.body().is_some_and(|body| body["ok"] == Value::Bool(true));
        if told.status() != 200 || !is_clean {
            findings.push(format!("{url}: {told:?}"));
        }
    }
    Ok(Check::new("every instance's audit of the ledger is clean", looked_at, findings))
}

/// `holdfast audit --checkout`: every order, its stock and its money.
pub(crate) async fn checkout(scene: &Scene<'_>) -> Result<Check> {
    let services = &scene.stage.services;
    let audit = Launch::new(scene.holdfast)
        .asking(Port::Orders)
        .arguments(["audit", "--checkout"])
        .env("INVENTORY_URL", services[0].url())
        .env("ORDER_URL", services[ORDERS].url())
        .env("PAYMENT_URL", services[PAYMENTS].url());
    let (status, said) = audit.run_to_end_within(AUDIT_WITHIN).await?;
    let agrees = status.success() && !said.contains("under way");
    let findings = if agrees { Vec::new() } else { vec![said.trim().to_owned()] };
    Ok(Check::new("orders, stock and money agree", scene.remembered.placements.len(), findings))
}

/// `holdfast dlq list`.
pub(crate) async fn dead_letters(scene: &Scene<'_>) -> Result<Check> {
    let list = Launch::new(scene.holdfast)
        .arguments(["dlq", "list"])
        .env("KAFKA_BROKERS", scene.stage.machines.kafka.brokers());
    let (status, said) = list.run_to_end_within(AUDIT_WITHIN).await?;
    let findings = if status.success() { Vec::new() } else { vec![said.trim().to_owned()] };
    Ok(Check::new("no event became a dead letter", 1, findings))
}
