//! `holdfast import FILE`.

use std::io::{self, Write};
use std::path::Path;

use anyhow::Context;
use console::style;
use indicatif::HumanCount;

use crate::Verdict;
use crate::cli::{Format, ImportArgs};
use crate::config::Settings;
use crate::ledger::{self, ImportReport, Ledger, Reach};
use crate::{input, progress};

/// Rejected rows that are printed; the rest is counted.
const REJECTED_SHOWN_MAX: usize = 20;

/// Imports a file; rejected rows are findings.
pub async fn run(settings: &Settings, args: &ImportArgs) -> anyhow::Result<Verdict> {
    let format = format_of(&args.file, args.format)?;
    // A file that cannot be read should not cost an open engine.
    input::open(&args.file, &indicatif::ProgressBar::hidden())?;
    let ledger = ledger::open(settings, args.target.url.as_deref(), Reach::Created).await?;
    let imported = import_file(ledger.as_ref(), &args.file, format).await;
    ledger.close().await;
    let report = imported?;
    print(&mut io::stdout().lock(), &report, ledger.place())?;
    Ok(if report.rejected_total() == 0 { Verdict::Done } else { Verdict::Findings })
}

/// Imports a file with a progress bar.
pub async fn import_file(ledger: &dyn Ledger, file: &Path, format: Format) -> anyhow::Result<ImportReport> {
    let bar = progress::bytes("Importing");
    let rows = input::open(file, &bar)?;
    let told = ledger
        .import(rows, format, &|rows| bar.set_message(format!("{} rows", HumanCount(rows))))
        .await
        .with_context(|| format!("{} was not imported", file.display()));
    bar.finish_and_clear();
    told
}

/// What a file holds, by its name if nobody says.
pub fn format_of(file: &Path, said: Option<Format>) -> anyhow::Result<Format> {
    if let Some(format) = said {
        return Ok(format);
    }
    let name = file.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    if name.ends_with(".csv") {
        Ok(Format::Csv)
    } else if name.ends_with(".ndjson") || name.ends_with(".jsonl") {
        Ok(Format::Ndjson)
    } else {
        anyhow::bail!("{} may be anything: say --format csv or --format ndjson", file.display())
    }
}

/// The report, for people.
pub fn print(out: &mut dyn Write, report: &ImportReport, place: &str) -> io::Result<()> {
    let mark = if report.rejected.is_empty() { style("✔").green() } else { style("!").yellow() };
    writeln!(
        out,
        "{mark} {} rows into {place}: {} created, {} updated, {} unchanged, {} rejected",
        HumanCount(report.rows),
        HumanCount(report.created),
        HumanCount(report.updated),
        HumanCount(report.unchanged),
        HumanCount(report.rejected_total()),
    )?;
    for bad in report.rejected.iter().take(REJECTED_SHOWN_MAX) {
        let product = bad.product_id.map(|product| format!(" product {product}:")).unwrap_or_default();
        writeln!(out, "  row {}:{product} {} ({})", bad.row, bad.detail, style(&bad.code).dim())?;
    }
    let hidden = report.rejected_total().saturating_sub(REJECTED_SHOWN_MAX as u64);
    if hidden > 0 {
        writeln!(out, "  … and {} more", HumanCount(hidden))?;
    }
    if !report.rejected.is_empty() {
        writeln!(
            out,
            "  The other rows are stored. Mend these and import the file again: a repeat changes nothing."
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::RejectedRow;

    #[test]
    fn a_format_is_told_by_the_name_or_asked_for() {
        let of = |name: &str| format_of(Path::new(name), None);
        assert_eq!(of("a/STOCK.CSV").unwrap(), Format::Csv);
        assert_eq!(of("stock.csv.gz").unwrap(), Format::Csv);
        assert_eq!(of("stock.ndjson.gz").unwrap(), Format::Ndjson);
        assert!(of("stock.txt").unwrap_err().to_string().contains("--format"));
        assert_eq!(format_of(Path::new("stock.txt"), Some(Format::Csv)).unwrap(), Format::Csv);
    }

    #[test]
    fn rejected_rows_are_printed_up_to_a_bound_and_counted_beyond() {
        let bad = |row| RejectedRow {
            row,
            product_id: Some(7),
            code: "below_held".to_owned(),
            detail: "too low".to_owned(),
        };
        let report =
            ImportReport { rows: 25, rejected: (1..=25).map(bad).collect(), ..ImportReport::default() };
        let mut out = Vec::new();
        print(&mut out, &report, "memory").unwrap();
        let text = console::strip_ansi_codes(std::str::from_utf8(&out).unwrap()).into_owned();
        assert!(
            text.contains("row 20: product 7: too low (below_held)") && !text.contains("row 21:"),
            "{text}"
        );
        assert!(text.contains("and 5 more"));
    }
}
