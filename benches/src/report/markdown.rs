//! The section of docs/BENCHMARKS.md, which is also what the program prints.

use std::fmt::Write as _;

use super::{Goal, Machine, Report, Summary};
use crate::peers::Kind;
use crate::workload::{Ids, Shape};

/// The whole section. `plots`: the folder of the plots, as seen from the text; none are shown without.
pub fn markdown(report: &Report, plots: Option<&str>) -> String {
    let mut text = String::new();
    // Writing to a string never fails.
    let _ = write(&mut text, report, plots);
    text
}

/// What a workload is called.
pub(crate) fn title(shape: Shape) -> &'static str {
    match shape {
        Shape::Hot => "One hot product",
        Shape::Spread => "10,000 products, evenly",
        Shape::Zipf => "10,000 products, by Zipf's law",
        Shape::Baskets => "The real baskets",
    }
}

fn write(text: &mut String, report: &Report, plots: Option<&str>) -> std::fmt::Result {
    settings(text, report)?;
    let summary = report.summary();
    let mut shapes: Vec<Shape> = summary.iter().map(|one| one.place.workload).collect();
    shapes.dedup();
    for shape in shapes {
        writeln!(text, "\n### {}\n", title(shape))?;
        table(text, &summary, shape)?;
        for absent in report.absent.iter().filter(|absent| absent.workload == shape) {
            writeln!(text, "\nNot measured: {}: {}.", absent.peer.title(), absent.reason)?;
        }
        if let Some(folder) = plots {
            writeln!(
                text,
                "\n![throughput against connections]({folder}/{})",
                super::plot::file_name(shape)
            )?;
        }
    }
    goals(text, &report.goals())?;
    Ok(())
}

fn settings(text: &mut String, report: &Report) -> std::fmt::Result {
    let (date, rounds, seconds) = (&report.date, report.rounds, report.seconds);
    writeln!(
        text,
        "{date}. {}. Load, peers and databases share it. Medians of {rounds} rounds of {seconds} s.",
        machine(&report.machine)
    )?;
    writeln!(text, "{}", postgres(&report.postgres))?;
    if let Some(redis) = &report.redis {
        writeln!(text, "Redis: {redis}.")?;
    }
    Ok(())
}

/// The machine, as far as it is known.
pub(crate) fn machine(machine: &Machine) -> String {
    let mut text = format!("{} × {}", machine.processors, machine.model);
    if let Some(memory) = machine.memory_mib {
        text += &format!(", {} MiB of memory", grouped(memory as f64));
    }
    if let Some(kernel) = &machine.kernel {
        text += &format!(", {kernel}");
    }
    text
}

/// The settings of Postgres, a sentence.
pub(crate) fn postgres(settings: &[(String, String)]) -> String {
    let settings: Vec<String> = settings.iter().map(|(name, value)| format!("{name} {value}")).collect();
    format!("Postgres: {}.", settings.join(", "))
}

fn table(text: &mut String, summary: &[Summary], shape: Shape) -> std::fmt::Result {
    text.push_str("| | connections | reservations/s | with random ids | p50 / p99 / p99.9 ms | CPU s per 10,000 | of (a) | of (g) | of (h) |\n");
    text.push_str("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n");
    let here = |one: &&Summary| one.place.workload == shape && Kind::ALL.contains(&one.place.peer);
    for one in summary.iter().filter(here) {
        let at = |ids: Ids| {
            let place = super::Place { ids, ..one.place };
            summary.iter().find(|other| other.place == place)
        };
        // A row for both kinds of ids, if there are both.
        if one.place.ids == Ids::Random && at(Ids::TimeOrdered).is_some() {
            continue;
        }
        let rate = |ids| at(ids).map_or("–".to_owned(), |one| grouped(one.figures.per_second));
        let figures = &one.figures;
        writeln!(
            text,
            "| {} | {} | {} | {} | {} / {} / {} | {} | {} | {} | {} |",
            one.place.peer.title(),
            grouped(one.place.connections as f64),
            rate(Ids::TimeOrdered),
            rate(Ids::Random),
            millis(figures.p50_us),
            millis(figures.p99_us),
            millis(figures.p999_us),
            figures.cpu_seconds_per_10000.map_or("–".to_owned(), |seconds| format!("{seconds:.2}")),
            multiple(one.to_transaction),
            percent(one.to_bare),
            percent(one.to_floor),
        )?;
    }
    Ok(())
}

fn goals(text: &mut String, goals: &[Goal]) -> std::fmt::Result {
    if goals.iter().all(|goal| goal.share.is_none()) {
        return Ok(());
    }
    text.push_str(
        "\n### Aims\n\nOne hot product, time-ordered ids.\n\n| | aim | measured |\n| --- | ---: | ---: |\n",
    );
    for goal in goals {
        writeln!(text, "| {} | {} | {} |", goal.what, percent(goal.aim), percent(goal.share))?;
    }
    Ok(())
}

/// A share, or a dash.
pub(crate) fn percent(share: Option<f64>) -> String {
    match share.map(|share| 100.0 * share) {
        None => "–".to_owned(),
        Some(percent) if percent < 9.95 => format!("{percent:.1} %"),
        Some(percent) => format!("{percent:.0} %"),
    }
}

fn multiple(ratio: Option<f64>) -> String {
    match ratio {
        None => "–".to_owned(),
        Some(ratio) if ratio < 10.0 => format!("{ratio:.1} ×"),
        Some(ratio) => format!("{ratio:.0} ×"),
    }
}

/// Microseconds as milliseconds, with what matters after the point.
pub(crate) fn millis(micros: f64) -> String {
    let millis = micros / 1_000.0;
    if millis < 1.0 { format!("{millis:.2}") } else { format!("{millis:.1}") }
}

/// A whole number with commas.
pub(crate) fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::tests::{record, report};
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([0.0, 999.4, 1_000.0, 1_234_567.0].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn each_peer_has_a_row_with_both_kinds_of_ids() {
        let mut random = record(Kind::InProcess, 2_500, 1, 90_000.0);
        random.place.ids = Ids::Random;
        let runs = vec![
            record(Kind::Transaction, 16, 1, 1_000.0),
            record(Kind::InProcess, 2_500, 1, 150_000.0),
            random,
        ];
        let text = markdown(&report(runs), Some("benchmarks"));
        let row = text.lines().find(|line| line.contains("(e)")).unwrap();
        assert_eq!(
            row,
            "| (e) this engine in process | 2,500 | 150,000 | 90,000 | 0.01 / 0.01 / 0.02 | 0.50 | 150 × | – | – |"
        );
        assert_eq!(text.lines().filter(|line| line.starts_with("| (e)")).count(), 1);
        assert!(text.contains("### One hot product"));
        assert!(text.contains("Not measured: (c) a row per unit, SKIP LOCKED: too many."));
        assert!(text.contains("(benchmarks/hot.svg)"));
        assert!(text.contains("fsync on"));
    }
}
