//! What the storms came to, as a table and as JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use crate::report::Machine;
use crate::report::markdown::{grouped, machine, millis, percent, postgres, title};
use crate::report::summary::median;
use crate::workload::Shape;

/// A hold is to be gone so late at most, 99 of 100, in milliseconds.
const LATE_AIM_MS: f64 = 250.0;
/// And callers are to be answered at least at this share of the rate of before.
const SHARE_AIM: f64 = 0.70;

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
    /// Holds that were due together.
    pub holds: u32,
    /// Within so many milliseconds, as planned.
    pub within_ms: f64,
    /// Every storm.
    pub rounds: Vec<Outcome>,
}

/// One storm, or the medians of several.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// Which products the holds were of, and were asked for meanwhile.
    pub workload: Shape,
    /// Callers in a closed loop.
    pub callers: usize,
    /// From 1; zero for medians.
    pub round: usize,
    /// Reservations a second before the storm.
    pub before_per_second: f64,
    /// From the first hold's end until the last hold was gone.
    pub during_per_second: f64,
    /// The one by the other.
    pub share: f64,
    /// 99 of 100 reservations took no longer.
    pub before_p99_us: f64,
    /// The same during the storm.
    pub during_p99_us: f64,
    /// Half of the holds were gone no later after their end.
    pub late_p50_ms: f64,
    /// 99 of 100.
    pub late_p99_ms: f64,
    /// The last one.
    pub late_max_ms: f64,
    /// From the first hold's end to the last one's, as the rows have it.
    pub due_within_ms: f64,
    /// From the first hold's end until the last hold was gone.
    pub storm_ms: f64,
}

impl Outcome {
    /// A line for the one who waits.
    pub(super) fn describe(&self) -> String {
        format!(
            "{}, {} callers: {}/s before, {}/s during ({}); gone {:.0} / {:.0} / {:.0} ms late; {:.0} ms in all",
            title(self.workload),
            self.callers,
            grouped(self.before_per_second),
            grouped(self.during_per_second),
            percent(Some(self.share)),
            self.late_p50_ms,
            self.late_p99_ms,
            self.late_max_ms,
            self.storm_ms,
        )
    }

    fn medians(rounds: &[&Self], first: &Self) -> Self {
        let of = |figure: fn(&Self) -> f64| {
            median(rounds.iter().map(|round| figure(round)).collect()).unwrap_or(f64::NAN)
        };
        Self {
            workload: first.workload,
            callers: first.callers,
            round: 0,
            before_per_second: of(|round| round.before_per_second),
            during_per_second: of(|round| round.during_per_second),
            share: of(|round| round.share),
            before_p99_us: of(|round| round.before_p99_us),
            during_p99_us: of(|round| round.during_p99_us),
            late_p50_ms: of(|round| round.late_p50_ms),
            late_p99_ms: of(|round| round.late_p99_ms),
            late_max_ms: of(|round| round.late_max_ms),
            due_within_ms: of(|round| round.due_within_ms),
            storm_ms: of(|round| round.storm_ms),
        }
    }
}

impl Report {
    /// The medians of each workload and number of callers.
    pub fn medians(&self) -> Vec<Outcome> {
        let mut places: BTreeMap<(Shape, usize), Vec<&Outcome>> = BTreeMap::new();
        for round in &self.rounds {
            places.entry((round.workload, round.callers)).or_default().push(round);
        }
        places.values().filter_map(|rounds| Some(Outcome::medians(rounds, rounds.first()?))).collect()
    }

    /// Everything as JSON.
    pub fn json(&self) -> serde_json::Result<String> {
        #[derive(Serialize)]
        struct Whole<'a> {
            #[serde(flatten)]
            report: &'a Report,
            medians: Vec<Outcome>,
        }
        serde_json::to_string_pretty(&Whole { report: self, medians: self.medians() })
    }

    /// A table of the medians.
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        // Writing to a string never fails.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        let rounds = self.rounds.iter().map(|round| round.round).max().unwrap_or_default();
        writeln!(text, "{}. {}. Medians of {rounds} rounds.", self.date, machine(&self.machine))?;
        writeln!(text, "{}", postgres(&self.postgres))?;
        writeln!(
            text,
            "{} holds due within {:.0} ms. Aims: 99 % gone at most {LATE_AIM_MS:.0} ms late; {} of the rate before.\n",
            grouped(f64::from(self.holds)),
            self.within_ms,
            percent(Some(SHARE_AIM)),
        )?;
        text.push_str(
            "| | callers | reservations/s before | during | of before | p99 ms before | during | gone late ms, p50 / p99 / max | the storm took |\n",
        );
        text.push_str("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n");
        for one in self.medians() {
            writeln!(
                text,
                "| {} | {} | {} | {} | {} | {} | {} | {:.0} / {:.0} / {:.0} | {:.2} s |",
                title(one.workload),
                grouped(one.callers as f64),
                grouped(one.before_per_second),
                grouped(one.during_per_second),
                percent(Some(one.share)),
                millis(one.before_p99_us),
                millis(one.during_p99_us),
                one.late_p50_ms,
                one.late_p99_ms,
                one.late_max_ms,
                one.storm_ms / 1e3,
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(callers: usize, round: usize, share: f64) -> Outcome {
        Outcome {
            workload: Shape::Hot,
            callers,
            round,
            before_per_second: 100_000.0,
            during_per_second: 100_000.0 * share,
            share,
            before_p99_us: 2_000.0,
            during_p99_us: 4_000.0,
            late_p50_ms: 20.0,
            late_p99_ms: 120.4,
            late_max_ms: 130.0,
            due_within_ms: 1_000.0,
            storm_ms: 1_100.0,
        }
    }

    #[test]
    fn the_table_has_a_row_of_medians_for_each_number_of_callers() {
        let report = Report {
            date: "2026-11-23".to_owned(),
            machine: Machine { processors: 2, model: "x".to_owned(), memory_mib: None, kernel: None },
            postgres: Vec::new(),
            holds: 100_000,
            within_ms: 1_000.0,
            rounds: vec![
                outcome(64, 1, 0.5),
                outcome(64, 2, 0.9),
                outcome(64, 3, 0.7),
                outcome(2_500, 1, 0.3),
            ],
        };
        let text = report.markdown();
        assert!(text.contains("Medians of 3 rounds"), "{text}");
        let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| One hot product")).collect();
        assert_eq!(
            rows,
            [
                "| One hot product | 64 | 100,000 | 70,000 | 70 % | 2.0 | 4.0 | 20 / 120 / 130 | 1.10 s |",
                "| One hot product | 2,500 | 100,000 | 30,000 | 30 % | 2.0 | 4.0 | 20 / 120 / 130 | 1.10 s |"
            ]
        );
        let json: serde_json::Value = serde_json::from_str(&report.json().unwrap()).unwrap();
        assert_eq!(json["medians"][0]["share"], 0.7);
        assert_eq!(json["rounds"][1]["lateP99Ms"], 120.4);
    }
}
