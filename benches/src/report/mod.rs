//! What was measured: every run as it was, and what follows from them.

pub mod docs;
pub mod machine;
pub(crate) mod markdown;
pub mod plot;
pub(crate) mod summary;

use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Serialize;

pub use self::machine::Machine;
pub use self::markdown::markdown;
pub use self::summary::{Goal, Summary};
use crate::drive::Run;
use crate::peers::Kind;
use crate::workload::{Ids, Shape};

/// Keeps what was measured, in a folder that is made if need be.
///
/// # Errors
/// If it cannot be written.
pub fn keep(json: &str, path: &Path) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, json).with_context(|| format!("writing {}", path.display()))
}

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
    /// How Redis ran; nothing if it did not.
    pub redis: Option<String>,
    /// How long each run counted, in seconds.
    pub seconds: u64,
    /// Rounds.
    pub rounds: usize,
    /// Tries of every peer at several numbers of connections, once each.
    pub levels: Vec<Record>,
    /// The rounds.
    pub runs: Vec<Record>,
    /// Who did not take part, and why.
    pub absent: Vec<Absence>,
}

/// Where a run belongs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// What was asked for.
    pub workload: Shape,
    /// How order ids were made.
    pub ids: Ids,
    /// Of whom.
    pub peer: Kind,
    /// Through so many connections, or by so many callers.
    pub connections: usize,
}

/// One run.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// Where it belongs.
    #[serde(flatten)]
    pub place: Place,
    /// From 1.
    pub round: usize,
    /// Answers while it counted.
    pub answers: u64,
    /// What it came to.
    #[serde(flatten)]
    pub figures: Figures,
}

/// What a run came to, or the medians of several.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    /// Reservations a second.
    pub per_second: f64,
    /// Half of the answers took no longer.
    pub p50_us: f64,
    /// 99 of 100 took no longer.
    pub p99_us: f64,
    /// 999 of 1,000 took no longer.
    pub p999_us: f64,
    /// Processor seconds for 10,000 reservations of this program (load, engine and HTTP), of Postgres and of Redis together;
    /// nothing where the system does not tell all of them.
    pub cpu_seconds_per_10000: Option<f64>,
    /// Of that, this program's.
    pub program_cpu_seconds_per_10000: Option<f64>,
    /// Reservations in a batch, where there are batches.
    pub reservations_per_batch: Option<f64>,
}

/// A peer that did not take part in a workload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Absence {
    /// Which workload.
    pub workload: Shape,
    /// Who.
    pub peer: Kind,
    /// Why.
    pub reason: String,
}

impl From<&Run> for Figures {
    fn from(run: &Run) -> Self {
        let each = |seconds: f64| 10_000.0 * seconds / run.answers.max(1) as f64;
        let used = run.used.as_ref();
        let all =
            used.and_then(|used| used.cpu_seconds.iter().map(|(_, seconds)| *seconds).sum::<Option<f64>>());
        let program = used.and_then(|used| used.cpu_seconds.iter().find(|(name, _)| *name == "program")?.1);
        Self {
            per_second: run.per_second(),
            p50_us: run.quantile_us(0.5).into(),
            p99_us: run.quantile_us(0.99).into(),
            p999_us: run.quantile_us(0.999).into(),
            cpu_seconds_per_10000: all.map(each),
            program_cpu_seconds_per_10000: program.map(each),
            reservations_per_batch: run.requests_per_batch,
        }
    }
}

impl Report {
    /// Adds a run of a round.
    pub fn add(&mut self, place: Place, round: usize, run: &Run) {
        self.runs.push(Record { place, round, answers: run.answers, figures: run.into() });
    }

    /// Adds a try at some number of connections.
    pub fn add_level(&mut self, place: Place, run: &Run) {
        self.levels.push(Record { place, round: 1, answers: run.answers, figures: run.into() });
    }

    /// The number of connections at which a peer did best in a workload.
    pub fn best_level(&self, workload: Shape, peer: Kind) -> Option<usize> {
        let tries =
            self.levels.iter().filter(|try_| try_.place.workload == workload && try_.place.peer == peer);
        let best = tries.max_by(|one, other| one.figures.per_second.total_cmp(&other.figures.per_second));
        best.map(|best| best.place.connections)
    }

    /// Everything as JSON: what was measured, and what follows from it.
    pub fn json(&self) -> serde_json::Result<String> {
        #[derive(Serialize)]
        struct Whole<'a> {
            #[serde(flatten)]
            report: &'a Report,
            summary: Vec<Summary>,
            goals: Vec<Goal>,
        }
        serde_json::to_string_pretty(&Whole { report: self, summary: self.summary(), goals: self.goals() })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A run on one hot product, whose latency follows from its rate.
    pub(crate) fn record(peer: Kind, connections: usize, round: usize, per_second: f64) -> Record {
        let place = Place { workload: Shape::Hot, ids: Ids::TimeOrdered, peer, connections };
        let figures = Figures {
            per_second,
            p50_us: 1e6 / per_second,
            p99_us: 2e6 / per_second,
            p999_us: 3e6 / per_second,
            cpu_seconds_per_10000: Some(0.5),
            program_cpu_seconds_per_10000: Some(0.2),
            reservations_per_batch: None,
        };
        Record { place, round, answers: 100, figures }
    }

    pub(crate) fn report(runs: Vec<Record>) -> Report {
        Report {
            date: "2026-11-23".to_owned(),
            machine: Machine {
                processors: 2,
                model: "a processor".to_owned(),
                memory_mib: Some(4_096),
                kernel: None,
            },
            postgres: vec![("fsync".to_owned(), "on".to_owned())],
            redis: None,
            seconds: 3,
            rounds: 3,
            levels: runs.clone(),
            runs,
            absent: vec![Absence {
                workload: Shape::Hot,
                peer: Kind::RowPerUnit,
                reason: "too many".to_owned(),
            }],
        }
    }

    #[test]
    fn a_peer_is_at_its_best_where_its_rate_is_highest() {
        let report = report(vec![
            record(Kind::Transaction, 8, 1, 900.0),
            record(Kind::Transaction, 16, 1, 1_200.0),
            record(Kind::Transaction, 32, 1, 1_100.0),
        ]);
        assert_eq!(report.best_level(Shape::Hot, Kind::Transaction), Some(16));
        assert_eq!(report.best_level(Shape::Zipf, Kind::Transaction), None);
    }

    #[test]
    fn the_json_has_every_run_and_what_follows() {
        let report = report(vec![record(Kind::Transaction, 16, 1, 1_000.0)]);
        let json: serde_json::Value = serde_json::from_str(&report.json().unwrap()).unwrap();
        let run = &json["runs"][0];
        assert_eq!(run["peer"], "transaction");
        assert_eq!(run["workload"], "hot");
        assert_eq!(run["ids"], "time-ordered");
        assert_eq!(run["connections"], 16);
        assert_eq!(run["round"], 1);
        assert_eq!(run["perSecond"], 1_000.0);
        assert_eq!(run["p999Us"], 3_000.0);
        assert_eq!(run["cpuSecondsPer10000"], 0.5);
        assert_eq!(json["summary"][0]["toTransaction"], 1.0);
        assert!(json["summary"][0]["toFloor"].is_null());
        assert_eq!(json["goals"].as_array().map(Vec::len), Some(8));
        assert_eq!(json["absent"][0]["reason"], "too many");
        assert_eq!(json["machine"]["processors"], 2);
    }
}
