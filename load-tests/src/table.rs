//! The table at the end.

use std::fmt::Write as _;

use crate::outcome::{Kind, Report};

const HEAD: [&str; 8] = ["scenario", "tool", "requests/s", "p50 ms", "p99 ms", "refusals", "rules", "audit"];

/// All runs, one a line, and below what each has to tell.
pub(crate) fn render(reports: &[Report]) -> String {
    let mut rows = vec![HEAD.map(str::to_owned)];
    rows.extend(reports.iter().map(row));
    let widths: Vec<usize> = (0..HEAD.len())
        .map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default())
        .collect();
    let mut text = String::from("\n");
    for (at, row) in rows.iter().enumerate() {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}", width = *width)).collect();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "| {} |", cells.join(" | "));
        if at == 0 {
            let lines: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
            let _ = writeln!(text, "| {} |", lines.join(" | "));
        }
    }
    for report in reports {
        let _ = write!(text, "\n{} by {}\n{}", report.scenario.name(), report.tool.name(), details(report));
    }
    text
}

fn row(report: &Report) -> [String; HEAD.len()] {
    let load = &report.load;
    let refusals: Vec<String> = load.refusals.iter().map(|(code, times)| format!("{times} {code}")).collect();
    let broken = report.figures.iter().filter(|figure| figure.kind == Kind::Rule && !figure.is_met).count();
    [
        report.scenario.name().to_owned(),
        report.tool.name().to_owned(),
        format!("{:.0}", load.rate()),
        format!("{:.1}", load.p50_ms),
        format!("{:.1}", load.p99_ms),
        if refusals.is_empty() { "none".to_owned() } else { refusals.join(", ") },
        if broken == 0 { "kept".to_owned() } else { format!("{broken} BROKEN") },
        if report.audit.agrees { "agrees".to_owned() } else { "MISMATCH".to_owned() },
    ]
}

fn details(report: &Report) -> String {
    let mut text = String::new();
    for figure in &report.figures {
        let mark = match (figure.kind, figure.is_met) {
            (Kind::Note, _) => " ",
            (_, true) => "✔",
            (Kind::Aim, false) => "○ (aim missed)",
            (Kind::Rule, false) => "✘",
        };
        let _ = writeln!(text, "  {mark} {}", figure.what);
    }
    for line in report.audit.said.lines() {
        let _ = writeln!(text, "  {line}");
    }
    text
}

/// One line, for progress.
pub(crate) fn verdict(report: &Report, is_strict: bool) -> String {
    let word = if report.has_failed(is_strict) { "✘ failed" } else { "✔ passed" };
    format!("{word}: {:.0} requests/s, p99 {:.1} ms", report.load.rate(), report.load.p99_ms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Tool;
    use crate::outcome::{Audit, Figure, Load};
    use crate::scenario::Scenario;

    #[test]
    fn a_mismatch_and_a_broken_rule_stand_out() {
        let report = Report {
            scenario: Scenario::FlashSale,
            tool: Tool::K6,
            load: Load { refusals: [("insufficient_stock".to_owned(), 7)].into(), ..Load::default() },
            figures: vec![Figure::rule(false, "2 × no answer"), Figure::aim(false, "slow")],
            audit: Audit { agrees: false, said: "✘ audit: 1 violations".to_owned() },
        };
        let text = render(&[report]);
        for part in [
            "| flash-sale | k6 ",
            "7 insufficient_stock",
            "1 BROKEN",
            "MISMATCH",
            "✘ 2 × no answer",
            "(aim missed) slow",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}
