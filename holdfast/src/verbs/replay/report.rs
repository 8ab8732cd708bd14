//! How a replay looks.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{self, Write};
use std::time::Duration;

use console::style;
use indicatif::HumanCount;

use crate::replay::{BasketFile, Placements, Summary, Tally};
use crate::verbs::audit;

/// Dropped lines that are printed; the rest is counted.
const DROPPED_SHOWN_MAX: usize = 20;

/// The state of a run in a few words, beside its bar.
pub(super) fn brief(tally: &Tally) -> String {
    let held = HumanCount(tally.admitted + tally.replayed);
    format!("{held} admitted, {} refused", HumanCount(tally.refused.values().sum()))
}

/// The first dropped lines, and how many for which reason.
pub(super) fn print_dropped(out: &mut dyn Write, file: &BasketFile) -> io::Result<()> {
    if file.dropped.is_empty() {
        return Ok(());
    }
    for bad in file.dropped.iter().take(DROPPED_SHOWN_MAX) {
        let text = style(&bad.text).for_stderr().dim();
        writeln!(out, "  line {}: {:<16} {text}", bad.line, bad.reason)?;
    }
    let hidden = file.dropped.len().saturating_sub(DROPPED_SHOWN_MAX);
    if hidden > 0 {
        writeln!(out, "  … and {} more; --rejects FILE writes them all", HumanCount(hidden as u64))?;
    }
    let total = HumanCount(file.dropped.len() as u64);
    writeln!(
        out,
        "{} {total} lines were dropped ({})",
        style("!").for_stderr().yellow(),
        reasons(&file.dropped_by_reason())
    )
}

/// The whole result.
pub(super) fn print(out: &mut dyn Write, summary: &Summary) -> io::Result<()> {
    let tally = &summary.tally;
    let dropped: u64 = summary.lines.dropped.values().sum();
    writeln!(out, "{} against {}", style(&summary.file).bold(), summary.place)?;
    row(out, "baskets", &count(tally.baskets), &rate(tally.baskets, summary.elapsed_seconds))?;
    row(out, "lines", &count(summary.lines.read), &noted("dropped", dropped, &summary.lines.dropped))?;
    row(out, "admitted", &count(tally.admitted), "")?;
    row(out, "refused", &count(tally.refused.values().sum()), &reasons(&tally.refused))?;
    if tally.empty > 0 {
        row(out, "empty", &count(tally.empty), "no line of them could be reserved")?;
    }
    if tally.replayed > 0 {
        row(
            out,
            "replayed",
            &count(tally.replayed),
            "held by an earlier run: this store has seen the file before",
        )?;
    }
    row(out, "committed", &count(tally.committed), "")?;
    row(out, "released", &count(tally.released), "")?;
    row(out, "left", &count(tally.left), "until their holds expire")?;
    if !tally.not_ended.is_empty() {
        row(out, "not ended", &count(tally.not_ended.values().sum()), &reasons(&tally.not_ended))?;
    }
    let note = if summary.concurrency > 1 { "depends on timing: concurrency was above 1" } else { "" };
    row(out, "digest", &tally.digest.to_string(), note)?;
    audit::print(out, &summary.audit)
}

/// What came of a file's baskets as orders.
pub(super) fn print_placements(
    out: &mut dyn Write,
    placements: &Placements,
    placed_within: Duration,
    ended_within: Duration,
) -> io::Result<()> {
    row(out, "baskets", &count(placements.baskets), &rate(placements.baskets, placed_within.as_secs_f64()))?;
    row(
        out,
        "placed",
        &count(placements.placed),
        &format!("all ended after {:.1} s", ended_within.as_secs_f64()),
    )?;
    row(out, "refused", &count(placements.refused.values().sum()), &reasons(&placements.refused))?;
    if placements.empty > 0 {
        row(out, "empty", &count(placements.empty), "no line of them could be ordered")?;
    }
    Ok(())
}

fn row(out: &mut dyn Write, name: &str, value: &str, note: &str) -> io::Result<()> {
    let line = format!("  {} {:>16}  {}", style(format!("{name:<10}")).dim(), value, style(note).dim());
    writeln!(out, "{}", line.trim_end())
}

fn count(count: u64) -> String {
    HumanCount(count).to_string()
}

fn rate(baskets: u64, seconds: f64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let per_second = baskets as f64 / seconds.max(f64::EPSILON);
    format!("in {seconds:.1} s, {per_second:.0} a second")
}

fn noted(word: &str, count: u64, by: &BTreeMap<&'static str, u64>) -> String {
    if count == 0 { String::new() } else { format!("{} {word}: {}", HumanCount(count), reasons(by)) }
}

fn reasons<K: Display>(counts: &BTreeMap<K, u64>) -> String {
    let told: Vec<String> =
        counts.iter().map(|(reason, count)| format!("{} {reason}", HumanCount(*count))).collect();
    told.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::AuditReport;
    use crate::replay::{LineCounts, read};

    fn summary() -> Summary {
        Summary {
            file: "baskets.csv".to_owned(),
            place: "memory".to_owned(),
            seed: 1,
            concurrency: 1,
            elapsed_seconds: 2.0,
            lines: LineCounts { read: 9, dropped: BTreeMap::from([("zero_quantity", 2)]) },
            tally: Tally {
                baskets: 12_981,
                admitted: 12_000,
                refused: BTreeMap::from([("insufficient_stock".to_owned(), 981)]),
                ..Tally::default()
            },
            audit: AuditReport { ok: true, ..AuditReport::default() },
        }
    }

    #[test]
    fn people_see_every_count_and_the_digest() {
        let mut out = Vec::new();
        print(&mut out, &summary()).unwrap();
        let text = console::strip_ansi_codes(std::str::from_utf8(&out).unwrap()).into_owned();
        for needle in
            ["12,981", "2 dropped: 2 zero_quantity", "981 insufficient_stock", "cbf29ce484222325", "agrees"]
        {
            assert!(text.contains(needle), "{needle} in {text}");
        }
    }

    #[test]
    fn machines_see_the_same_by_name() {
        let told = serde_json::to_value(summary()).unwrap();
        assert_eq!(told["admitted"], 12_000);
        assert_eq!(told["refused"]["insufficient_stock"], 981);
        assert_eq!(told["lines"]["dropped"]["zero_quantity"], 2);
        assert_eq!(told["digest"], "cbf29ce484222325");
        assert_eq!(told["audit"]["ok"], true);
    }

    #[test]
    fn dropped_lines_are_shown_up_to_a_bound() {
        let lines: String = (0..25).map(|basket| format!("b{basket},1,1,0\n")).collect();
        let file = read(format!("basketId,userId,productId,quantity\n{lines}").as_bytes(), None).unwrap();
        let mut out = Vec::new();
        print_dropped(&mut out, &file).unwrap();
        let text = console::strip_ansi_codes(std::str::from_utf8(&out).unwrap()).into_owned();
        assert!(text.contains("line 21: zero_quantity") && !text.contains("line 22:"), "{text}");
        assert!(text.contains("and 5 more") && text.contains("25 lines were dropped (25 zero_quantity)"));
    }
}
