//! What history came to, as a table and as JSON.

use std::fmt::Write as _;

use serde::Serialize;

use super::{Pair, Pruning, Room};
use crate::report::markdown::{grouped, machine, percent, postgres};
use crate::report::summary::median;
use crate::report::{Figures, Machine};
use crate::workload::Ids;

/// Everything that one call of the program measured.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// When, by the database's clock.
    pub date: String,
    /// On what.
    pub machine: Machine,
    /// Settings of Postgres, by name.
    pub postgres: Vec<(String, String)>,
    /// How order ids were made.
    pub ids: Ids,
    /// How long each run counted, in seconds.
    pub seconds: f64,
    /// Every history, with every run on it.
    pub points: Vec<Point>,
    /// What pruning did, if it was asked for.
    pub pruning: Option<Pruning>,
}

/// One history.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Point {
    /// How it came about.
    pub what: &'static str,
    /// What it takes on the disk.
    pub room: Room,
    /// The runs.
    pub rounds: Vec<Pair>,
}

impl Point {
    /// The medians of its runs.
    pub fn figures(&self) -> Figures {
        Figures::medians(&self.rounds.iter().map(|pair| &pair.here.figures).collect::<Vec<_>>())
    }

    /// The median of how long the look for what is due took, in milliseconds.
    pub fn due_ms(&self) -> f64 {
        median(self.rounds.iter().map(|pair| pair.here.due_ms).collect()).unwrap_or(f64::NAN)
    }

    /// The rate as a share of the first history's, the median of the rounds.
    pub fn rate_of_first(&self) -> Option<f64> {
        self.of_first(|figures| Some(figures.per_second))
    }

    /// The processor time of a reservation as a share of the first history's.
    pub fn cost_of_first(&self) -> Option<f64> {
        self.of_first(|figures| figures.cpu_seconds_per_10000)
    }

    fn of_first(&self, figure: impl Fn(&Figures) -> Option<f64>) -> Option<f64> {
        let shares = self
            .rounds
            .iter()
            .map(|pair| Some(figure(&pair.here.figures)? / figure(&pair.first.as_ref()?.figures)?));
        shares.collect::<Option<Vec<f64>>>().and_then(median)
    }

    /// A line for the one who waits.
    pub(super) fn describe(&self) -> String {
        let (figures, room) = (self.figures(), self.room);
        format!(
            "{} reservations {}: {}/s ({} of the first), {} CPU s per 10,000 ({}); due in {:.1} ms; {:.0} bytes each",
            grouped(room.reservations as f64),
            self.what,
            grouped(figures.per_second),
            percent(self.rate_of_first()),
            seconds(figures.cpu_seconds_per_10000),
            percent(self.cost_of_first()),
            self.due_ms(),
            room.each(room.bytes()),
        )
    }
}

impl Report {
    /// Everything as JSON.
    pub fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self)
    }

    /// A table of the medians.
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        // Writing to a string never fails.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        let ids = match self.ids {
            Ids::TimeOrdered => "Time-ordered ids",
            Ids::Random => "Random ids",
        };
        let rounds = self.points.iter().map(|point| point.rounds.len()).max().unwrap_or_default();
        writeln!(
            text,
            "{}. {}. {ids}; medians of {rounds} rounds of {} s.",
            self.date,
            machine(&self.machine),
            self.seconds
        )?;
        writeln!(text, "{}\n", postgres(&self.postgres))?;
        text.push_str("| reservations | reservations/s | of the first | CPU s per 10,000 | of the first | due, ms | bytes a reservation: rows, keys, journal, fences | MB in all |\n");
        text.push_str("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n");
        for point in &self.points {
            let (figures, room) = (point.figures(), point.room);
            writeln!(
                text,
                "| {} {} | {} | {} | {} | {} | {:.1} | {:.0}, {:.0}, {:.0}, {:.1} | {} |",
                grouped(room.reservations as f64),
                point.what,
                grouped(figures.per_second),
                percent(point.rate_of_first()),
                seconds(figures.cpu_seconds_per_10000),
                percent(point.cost_of_first()),
                point.due_ms(),
                room.each(room.rows),
                room.each(room.keys),
                room.each(room.journal),
                room.each(room.fences),
                grouped(room.bytes() as f64 / 1e6),
            )?;
        }
        if let Some(pruning) = &self.pruning {
            writeln!(text, "\n{}", pruning.describe())?;
        }
        Ok(())
    }
}

fn seconds(seconds: Option<f64>) -> String {
    seconds.map_or("–".to_owned(), |seconds| format!("{seconds:.3}"))
}

#[cfg(test)]
mod tests {
    use super::super::Sample;
    use super::*;

    fn sample(per_second: f64, cpu: f64) -> Sample {
        let figures = Figures {
            per_second,
            p50_us: 1.0,
            p99_us: 1.0,
            p999_us: 1.0,
            cpu_seconds_per_10000: Some(cpu),
            program_cpu_seconds_per_10000: None,
            reservations_per_batch: None,
        };
        Sample { figures, due_ms: 1.25 }
    }

    #[test]
    fn each_history_is_compared_with_the_first_of_its_own_round() {
        let room = Room { reservations: 1_000, rows: 300_000, keys: 40_000, journal: 80_000, fences: 200 };
        let pair = |here, cpu, first| Pair { here: sample(here, cpu), first: Some(sample(first, 0.05)) };
        let point = |what, rounds| Point { what, room, rounds };
        let report = Report {
            date: "2026-11-23".to_owned(),
            machine: Machine { processors: 2, model: "x".to_owned(), memory_mib: None, kernel: None },
            postgres: Vec::new(),
            ids: Ids::Random,
            seconds: 2.0,
            points: vec![
                point("ended", vec![Pair { here: sample(100_000.0, 0.05), first: None }]),
                // The machine is twice as fast in the second round.
                point(
                    "left by pruning",
                    vec![pair(80_000.0, 0.06, 100_000.0), pair(180_000.0, 0.05, 200_000.0)],
                ),
            ],
            pruning: None,
        };
        let text = report.markdown();
        assert!(text.contains("Random ids; medians of 2 rounds of 2 s."), "{text}");
        let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| 1,000 ")).collect();
        assert_eq!(
            rows,
            [
                "| 1,000 ended | 100,000 | – | 0.050 | – | 1.2 | 300, 40, 80, 0.2 | 0 |",
                "| 1,000 left by pruning | 130,000 | 85 % | 0.055 | 110 % | 1.2 | 300, 40, 80, 0.2 | 0 |"
            ]
        );
        let json: serde_json::Value = serde_json::from_str(&report.json().unwrap()).unwrap();
        assert_eq!(json["points"][1]["rounds"][1]["first"]["perSecond"], 200_000.0);
        assert_eq!(json["points"][0]["room"]["keys"], 40_000);
    }
}
