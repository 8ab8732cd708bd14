//! Runs a script of k6 and reads the summary it writes.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;
use tokio::process::Command;

use crate::args::Args;
use crate::outcome::{Figure, Kind, Load, Told};
use crate::scenario::{Scenario, Stage};
use crate::size::Size;
use crate::target::Target;

/// What k6 exits with if a threshold was crossed: the summary tells which.
const THRESHOLDS_CROSSED: i32 = 99;
/// Lines of its output that are shown if it broke off.
const LINES_SHOWN: usize = 20;

/// What a script's `handleSummary` writes.
#[derive(Deserialize)]
struct Summary {
    seconds: f64,
    requests: u64,
    p50_ms: f64,
    p99_ms: f64,
    shed: u64,
    refusals: BTreeMap<String, u64>,
    faults: BTreeMap<String, u64>,
    told: Told,
    figures: Vec<FigureRow>,
}

#[derive(Deserialize)]
struct FigureRow {
    kind: String,
    what: String,
    met: bool,
}

/// Runs the scenario's script; its numbers, and its thresholds as figures.
pub(crate) async fn run(
    args: &Args,
    target: &Target,
    scenario: Scenario,
    stage: &Stage,
    size: Size,
) -> Result<(Load, Vec<Figure>)> {
    let k6 = program(args).await?;
    let first = stage.products.first().context("a scenario without products")?;
    let folder = std::path::absolute(&args.report)?;
    let output = folder.join(format!("{}.k6.log", scenario.name()));
    let log = File::create(&output).with_context(|| format!("creating {}", output.display()))?;
    let mut command = Command::new(k6);
    command.args(["run", "--quiet", "--no-usage-report", "--no-color"]);
    let variables = [
        ("BASE_URL", target.inventory().to_owned()),
        ("ORDER_URL", target.orders().unwrap_or_default().to_owned()),
        ("FIRST_PRODUCT", first.to_string()),
        ("STOCK", stage.stock.to_string()),
        ("RATE", size.rate.to_string()),
        ("SECONDS", size.seconds.to_string()),
        ("HOLDS", size.holds.to_string()),
        ("REPORT_DIR", folder.display().to_string()),
        // This program audits afterwards, once for both tools.
        ("AUDIT", "outside".to_owned()),
    ];
    for (name, value) in variables {
        command.arg("-e").arg(format!("{name}={value}"));
    }
    command.arg(args.scripts.join(format!("{}.js", scenario.name())));
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).kill_on_drop(true);
    let status = command.status().await.context("starting k6")?;
    if !status.success() && status.code() != Some(THRESHOLDS_CROSSED) {
        bail!("k6 broke off ({status}); its output ends with:\n{}", end_of(&output));
    }
    let (load, mut figures) = read(&folder.join(format!("{}.k6.json", scenario.name())))?;
    let names_a_cause = !load.faults.is_empty() || figures.iter().any(|figure| !figure.is_met);
    if !status.success() && !names_a_cause {
        figures.push(Figure::rule(false, format!("a threshold of k6 was crossed: see {}", output.display())));
    }
    Ok((load, figures))
}

fn read(path: &Path) -> Result<(Load, Vec<Figure>)> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("reading k6's summary {}", path.display()))?;
    let summary: Summary = serde_json::from_str(&text)?;
    let load = Load {
        requests: summary.requests,
        elapsed: Duration::from_secs_f64(summary.seconds),
        p50_ms: summary.p50_ms,
        p99_ms: summary.p99_ms,
        refusals: summary.refusals,
        shed: summary.shed,
        faults: summary.faults,
        told: summary.told,
    };
    let figures = summary.figures.into_iter().map(|FigureRow { kind, what, met }| Figure {
        what,
        is_met: met,
        kind: match kind.as_str() {
            "aim" => Kind::Aim,
            "note" => Kind::Note,
            _ => Kind::Rule,
        },
    });
    Ok((load, figures.collect()))
}

/// What was named, or what the script beside ours fetches and tells.
async fn program(args: &Args) -> Result<PathBuf> {
    if let Some(k6) = &args.k6 {
        return Ok(k6.clone());
    }
    let fetch = args.scripts.with_file_name("get-k6.sh");
    let told = Command::new("sh").arg(&fetch).stderr(Stdio::inherit()).output().await?;
    ensure!(
        told.status.success(),
        "{} did not find k6; name one with --k6, or use --tool goose",
        fetch.display()
    );
    Ok(PathBuf::from(String::from_utf8(told.stdout)?.trim()))
}

fn end_of(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES_SHOWN)..].join("\n")
}
