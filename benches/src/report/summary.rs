//! Medians of the rounds, and ratios within rounds.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Figures, Place, Record, Report};
use crate::peers::Kind;
use crate::workload::{Ids, Shape};

/// A peer's rounds at one place.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// Medians.
    #[serde(flatten)]
    pub figures: Figures,
    /// Its rate as a multiple of (a)'s, the median of the rounds.
    pub to_transaction: Option<f64>,
    /// Of (g)'s: at as many connections, or else at the most.
    pub to_bare: Option<f64>,
    /// Of (h)'s.
    pub to_floor: Option<f64>,
}

/// What Holdfast promises, and what it came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Goal {
    /// What is compared with what.
    pub what: &'static str,
    /// At least, as a share.
    pub aim: Option<f64>,
    /// What it came to: the median of the rounds' shares. `None` if it was not measured.
    pub share: Option<f64>,
}

impl Report {
    /// Every peer at every place, sorted.
    pub fn summary(&self) -> Vec<Summary> {
        let mut places: BTreeMap<Place, Vec<&Record>> = BTreeMap::new();
        for run in &self.runs {
            places.entry(run.place).or_default().push(run);
        }
        places
            .into_iter()
            .map(|(place, runs)| Summary {
                place,
                figures: medians(&runs),
                to_transaction: self.ratio(&runs, Kind::Transaction, None),
                to_bare: self.ratio(&runs, Kind::Bare, self.comparable(place)),
                to_floor: self.ratio(&runs, Kind::Floor, None),
            })
            .collect()
    }

    /// The promises.
    pub fn goals(&self) -> Vec<Goal> {
        let goal = |what, aim, one: (Kind, usize), other: (Kind, usize)| Goal {
            what,
            aim,
            share: self.share(one, other, |figures| figures.per_second),
        };
        let most = crate::peers::CALLERS;
        vec![
            goal("(e) in process of (h) the floor", Some(0.80), (Kind::InProcess, most), (Kind::Floor, 1)),
            goal(
                "(f) over HTTP of (g), 256 connections",
                Some(0.60),
                (Kind::OverHttp, 256),
                (Kind::Bare, 256),
            ),
            goal("(f) over HTTP of (g), 64 connections", Some(0.35), (Kind::OverHttp, 64), (Kind::Bare, 64)),
            goal(
                "sold out over HTTP of (g), 256 connections",
                Some(0.90),
                (Kind::SoldOut, 256),
                (Kind::Bare, 256),
            ),
            goal("`reserve/batch` of (e)", Some(0.40), (Kind::ReserveBatch, 8), (Kind::InProcess, most)),
            goal("commit of (e)", Some(0.60), (Kind::Commit, most), (Kind::InProcess, most)),
            goal("release of (e)", Some(0.60), (Kind::Release, most), (Kind::InProcess, most)),
            Goal {
                what: "p50 of a bare `INSERT` of p50 of (f), one connection",
                aim: None,
                share: self.share((Kind::Insert, 1), (Kind::OverHttp, 1), |figures| figures.p50_us),
            },
        ]
    }

    /// The median share of one in another, on one hot product with time-ordered ids.
    fn share(
        &self,
        one: (Kind, usize),
        other: (Kind, usize),
        figure: impl Fn(&Figures) -> f64,
    ) -> Option<f64> {
        let place =
            |(peer, connections)| Place { workload: Shape::Hot, ids: Ids::TimeOrdered, peer, connections };
        let (one, other) = (place(one), place(other));
        let shares = self.runs.iter().filter(|run| run.place == one).filter_map(|run| {
            let other = self.runs.iter().find(|run_| run_.place == other && run_.round == run.round)?;
            Some(figure(&run.figures) / figure(&other.figures))
        });
        median(shares.collect())
    }

    /// The median over rounds of these runs' rates by those of another peer in the same round.
    fn ratio(&self, runs: &[&Record], other: Kind, connections: Option<usize>) -> Option<f64> {
        let ratios = runs.iter().filter_map(|run| {
            let is_other = |candidate: &&Record| {
                let (here, there) = (run.place, candidate.place);
                there.peer == other
                    && (there.workload, there.ids, candidate.round) == (here.workload, here.ids, run.round)
                    && connections.is_none_or(|connections| there.connections == connections)
            };
            let other = self.runs.iter().find(is_other)?;
            Some(run.figures.per_second / other.figures.per_second)
        });
        median(ratios.collect())
    }

    /// At how many connections the bare handler is to be compared: over HTTP at as many, else at its most.
    fn comparable(&self, place: Place) -> Option<usize> {
        if matches!(place.peer, Kind::OverHttp | Kind::SoldOut | Kind::Bare) {
            return Some(place.connections);
        }
        let there = self.runs.iter().map(|run| run.place).filter(|there| {
            there.peer == Kind::Bare && (there.workload, there.ids) == (place.workload, place.ids)
        });
        there.map(|there| there.connections).max()
    }
}

fn medians(runs: &[&Record]) -> Figures {
    Figures::medians(&runs.iter().map(|run| &run.figures).collect::<Vec<_>>())
}

impl Figures {
    /// Each figure's median. What one of them lacks, all lack.
    pub(crate) fn medians(all: &[&Self]) -> Self {
        let of = |figure: fn(&Self) -> f64| {
            median(all.iter().map(|figures| figure(figures)).collect()).unwrap_or(f64::NAN)
        };
        let of_some = |figure: fn(&Self) -> Option<f64>| {
            all.iter().map(|figures| figure(figures)).collect::<Option<Vec<f64>>>().and_then(median)
        };
        Self {
            per_second: of(|figures| figures.per_second),
            p50_us: of(|figures| figures.p50_us),
            p99_us: of(|figures| figures.p99_us),
            p999_us: of(|figures| figures.p999_us),
            cpu_seconds_per_10000: of_some(|figures| figures.cpu_seconds_per_10000),
            program_cpu_seconds_per_10000: of_some(|figures| figures.program_cpu_seconds_per_10000),
            reservations_per_batch: of_some(|figures| figures.reservations_per_batch),
        }
    }
}

/// The middle, or the mean of the two in the middle; nothing of nothing.
pub(crate) fn median(mut figures: Vec<f64>) -> Option<f64> {
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    let upper = *figures.get(middle)?;
    if figures.len() % 2 == 1 {
        return Some(upper);
    }
    Some(f64::midpoint(figures[middle - 1], upper))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{record, report};
    use super::*;

    #[test]
    fn the_median_is_the_middle_of_an_odd_number_and_between_the_two_of_an_even_one() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(Vec::new()), None);
    }

    #[test]
    fn ratios_are_taken_within_a_round_and_then_the_median_of_them() {
        // The machine is twice as fast in the second round, and the ratio stays.
        let runs = vec![
            record(Kind::Transaction, 32, 1, 1_000.0),
            record(Kind::Floor, 1, 1, 200_000.0),
            record(Kind::InProcess, 2_500, 1, 150_000.0),
            record(Kind::Transaction, 32, 2, 2_000.0),
            record(Kind::Floor, 1, 2, 400_000.0),
            record(Kind::InProcess, 2_500, 2, 300_000.0),
        ];
        let summary = report(runs).summary();
        let engine = summary.iter().find(|summary| summary.place.peer == Kind::InProcess).unwrap();
        assert_eq!(engine.to_transaction, Some(150.0));
        assert_eq!(engine.to_floor, Some(0.75));
        assert_eq!(engine.to_bare, None);
        assert!((engine.figures.per_second - 225_000.0).abs() < 1e-6);
    }

    #[test]
    fn http_is_compared_at_as_many_connections_and_others_with_the_most() {
        let runs = vec![
            record(Kind::Bare, 64, 1, 50_000.0),
            record(Kind::Bare, 256, 1, 100_000.0),
            record(Kind::OverHttp, 64, 1, 25_000.0),
            record(Kind::OverHttp, 256, 1, 40_000.0),
            record(Kind::RedisLua, 32, 1, 20_000.0),
        ];
        let summary = report(runs).summary();
        let to_bare = |peer, connections| {
            let is_it =
                |summary: &&Summary| (summary.place.peer, summary.place.connections) == (peer, connections);
            summary.iter().find(is_it).unwrap().to_bare
        };
        assert_eq!(to_bare(Kind::OverHttp, 64), Some(0.5));
        assert_eq!(to_bare(Kind::OverHttp, 256), Some(0.4));
        assert_eq!(to_bare(Kind::RedisLua, 32), Some(0.2));
    }

    #[test]
    fn goals_tell_what_was_measured_and_nothing_of_what_was_not() {
        let runs = vec![
            record(Kind::InProcess, 2_500, 1, 100_000.0),
            record(Kind::Commit, 2_500, 1, 50_000.0),
            record(Kind::Insert, 1, 1, 1_000.0),
            record(Kind::OverHttp, 1, 1, 500.0),
        ];
        let goals = report(runs).goals();
        let share = |what: &str| goals.iter().find(|goal| goal.what.starts_with(what)).unwrap().share;
        assert_eq!(share("commit of (e)"), Some(0.5));
        assert_eq!(share("release of (e)"), None);
        // Of latencies, not of rates: 1,000 µs by 2,000 µs.
        assert_eq!(share("p50 of a bare"), Some(0.5));
    }
}
