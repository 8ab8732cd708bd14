//! `holdfast audit`, and what a replay ends with.

use std::io::{self, Write};

use anyhow::Context as _;
use console::style;
use inventory_core::engine::Engine;
use inventory_service::wire::report::AuditReportWire;
use reqwest::Url;

use crate::Verdict;
use crate::checkout::{self, Services};
use crate::cli::AuditArgs;
use crate::config::Settings;
use crate::data_dir::reachable_url;
use crate::ledger::{self, AuditReport, Reach};
use crate::progress;

/// Violations that are printed; the rest is counted.
const VIOLATIONS_SHOWN_MAX: usize = 50;

/// Audits an inventory, or checkout across the services; violations are findings.
pub async fn run(settings: &Settings, args: &AuditArgs) -> anyhow::Result<Verdict> {
    if args.checkout {
        return across_services(settings, args.order_url.as_deref()).await;
    }
    let ledger = ledger::open(settings, args.target.url.as_deref(), Reach::Existing).await?;
    let audited = ledger.audit().await;
    ledger.close().await;
    let report = audited?;
    print(&mut io::stdout().lock(), &report)?;
    Ok(verdict(&report))
}

async fn across_services(settings: &Settings, order_url: Option<&str>) -> anyhow::Result<Verdict> {
    let services = Found::new(settings, order_url)?.services()?;
    let spinner = progress::spinner("Orders");
    let audited = checkout::audit(&services, &|done| spinner.set_message(done.to_string())).await;
    spinner.finish_and_clear();
    let report = audited?;
    print(&mut io::stdout().lock(), &report)?;
    Ok(verdict(&report))
}

/// Where the services of a checkout are.
pub(crate) struct Found {
    pub(crate) inventory: Url,
    pub(crate) orders: Url,
    pub(crate) payments: Url,
}

impl Found {
    /// As set, else by the addresses.
    pub(crate) fn new(settings: &Settings, order_url: Option<&str>) -> anyhow::Result<Self> {
        let url = |given: Option<Url>, addr| match given {
            Some(url) => Ok(url),
            None => Url::parse(&reachable_url(addr)),
        };
        let orders = order_url
            .map(Url::parse)
            .transpose()
            .context("ORDER_URL is no address of a service: give one such as http://127.0.0.1:8084")?;
        Ok(Self {
            inventory: url(settings.inventory_url.clone(), settings.inventory_addr)?,
            orders: url(orders, settings.order_addr)?,
            payments: url(settings.payment_url.clone(), settings.payment_addr)?,
        })
    }

    pub(crate) fn services(&self) -> anyhow::Result<Services> {
        Services::new(&self.inventory, &self.orders, &self.payments)
    }
}

/// Audits an engine of this process, and tells it as a service would.
pub(crate) async fn of_engine(engine: &Engine) -> anyhow::Result<AuditReport> {
    let report = engine.audit().await.context("the audit could not be made")?;
    Ok(serde_json::from_value(serde_json::to_value(AuditReportWire::from(&report))?)?)
}

/// What a report means to the shell.
pub(crate) fn verdict(report: &AuditReport) -> Verdict {
    if report.ok && report.violations.is_empty() { Verdict::Done } else { Verdict::Findings }
}

/// The report, for people.
pub(crate) fn print(out: &mut dyn Write, report: &AuditReport) -> io::Result<()> {
    let checked: Vec<String> =
        report.checked.iter().map(|(what, count)| format!("{} {}", plain(count), words(what))).collect();
    let checked = checked.join(", ");
    match verdict(report) {
        Verdict::Done => writeln!(out, "{} audit: everything agrees ({checked})", style("✔").green())?,
        Verdict::Findings => {
            writeln!(out, "{} audit: {} violations ({checked})", style("✘").red(), report.violations.len())?
        }
    }
    for violation in report.violations.iter().take(VIOLATIONS_SHOWN_MAX) {
        writeln!(out, "  {}", plain(violation))?;
    }
    let hidden = report.violations.len().saturating_sub(VIOLATIONS_SHOWN_MAX);
    if hidden > 0 {
        writeln!(out, "  … and {hidden} more")?;
    }
    Ok(())
}

/// `journalEntries` as "journal entries"; names in capitals, such as statuses, as they are.
fn words(key: &str) -> String {
    if key.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_') {
        return key.to_owned();
    }
    let mut words = String::new();
    for letter in key.chars() {
        if letter.is_ascii_uppercase() {
            words.push(' ');
        }
        words.push(letter.to_ascii_lowercase());
    }
    words
}

/// A JSON value as a person would write it.
fn plain(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| format!("{} {}", words(name), plain(value)));
            fields.collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn report(body: serde_json::Value) -> AuditReport {
        serde_json::from_value(body).unwrap()
    }

    fn printed(report: &AuditReport) -> String {
        let mut out = Vec::new();
        print(&mut out, report).unwrap();
        console::strip_ansi_codes(std::str::from_utf8(&out).unwrap()).into_owned()
    }

    #[test]
    fn agreement_is_one_line() {
        let report = report(json!({"ok": true, "checked": {"journalEntries": 12}, "violations": []}));
        assert_eq!(printed(&report), "✔ audit: everything agrees (12 journal entries)\n");
        assert_eq!(verdict(&report), Verdict::Done);
    }

    #[test]
    fn every_violation_is_named_and_is_a_finding() {
        let report = report(json!({"ok": false, "violations": [{"kind": "held", "productId": 7}, "text"]}));
        assert!(printed(&report).contains("kind held, product id 7\n  text\n"));
        assert_eq!(
            (words("PAYMENT_FAILED"), words("underWay")),
            ("PAYMENT_FAILED".into(), "under way".into())
        );
        assert_eq!(verdict(&report), Verdict::Findings);
    }

    #[test]
    fn a_report_that_contradicts_itself_is_a_finding() {
        assert_eq!(verdict(&report(json!({"ok": true, "violations": ["x"]}))), Verdict::Findings);
        assert_eq!(verdict(&report(json!({"ok": false}))), Verdict::Findings);
    }
}
