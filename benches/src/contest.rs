//! The contest: for each workload every peer is tried at several numbers of connections, then all run by turns, round after round.

use std::time::Duration;

use anyhow::{Context as _, Result};
use test_support::redis::Redis;

use crate::arena::Arena;
use crate::drive::{Load, Run};
use crate::measure::measure;
use crate::peers::redis_lua::RedisLua;
use crate::peers::{Answer, CALLERS, Kind};
use crate::report::{Absence, Machine, Place, Report};
use crate::workload::{Ids, Shape, Workload};

/// With the workload of the flash sale: what else was promised.
const BESIDE: [(Kind, usize); 6] = [
    (Kind::Insert, 1),
    (Kind::OverHttp, 1),
    (Kind::SoldOut, 256),
    (Kind::ReserveBatch, 8),
    (Kind::Commit, CALLERS),
    (Kind::Release, CALLERS),
];
/// What is tried when it must be quick.
const QUICK_LEVELS: [usize; 5] = [1, 16, 64, 256, CALLERS];

/// Who runs, on what, for how long.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Workloads, in this order.
    pub shapes: Vec<Shape>,
    /// Kinds of order ids.
    pub ids: Vec<Ids>,
    /// Peers, in this order.
    pub peers: Vec<Kind>,
    /// Whether what stands beside the peers is measured, too.
    pub beside: bool,
    /// Rounds.
    pub rounds: usize,
    /// How long each run counts.
    pub length: Duration,
    /// How long it runs before.
    pub warm_up: Duration,
    /// Fewer numbers of connections.
    pub quick: bool,
}

impl Plan {
    /// Runs it all, and says on standard error how it goes.
    pub async fn run(&self, arena: &Arena) -> Result<Report> {
        let mut report = Report {
            date: arena.today().await?,
            machine: Machine::here(),
            postgres: arena.settings().await?,
            redis: None,
            seconds: self.length.as_secs(),
            rounds: self.rounds,
            levels: Vec::new(),
            runs: Vec::new(),
            absent: Vec::new(),
        };
        if self.peers.contains(&Kind::RedisLua) {
            // Before anything else: a missing server is told at once, not after half an hour.
            let server = Redis::start().await?;
            let version = RedisLua::version(&server.url()).await?;
            report.redis = Some(format!("{version}, appendonly yes, appendfsync always"));
        }
        for shape in &self.shapes {
            let peers = self.peers_of(*shape, &mut report);
            self.try_levels(arena, *shape, &peers, &mut report).await?;
            self.run_rounds(arena, *shape, &peers, &mut report).await?;
        }
        Ok(report)
    }

    fn peers_of(&self, shape: Shape, report: &mut Report) -> Vec<Kind> {
        let mut peers = self.peers.clone();
        peers.retain(|peer| match peer.declines(shape) {
            None => true,
            Some(reason) => {
                let reason = reason.to_owned();
                report.absent.push(Absence { workload: shape, peer: *peer, reason });
                false
            }
        });
        peers
    }

    async fn try_levels(
        &self,
        arena: &Arena,
        shape: Shape,
        peers: &[Kind],
        report: &mut Report,
    ) -> Result<()> {
        // The plot shows one kind of ids.
        let Some(ids) = self.ids.first().copied() else { return Ok(()) };
        let workload = Workload::new(shape, ids)?;
        for peer in peers.iter().copied() {
            let levels = peer.levels().iter().filter(|level| !self.quick || QUICK_LEVELS.contains(level));
            for connections in levels.copied() {
                let place = Place { workload: shape, ids, peer, connections };
                let run = self.measure(arena, place, &workload, 0).await?;
                report.add_level(place, &run);
            }
        }
        Ok(())
    }

    async fn run_rounds(
        &self,
        arena: &Arena,
        shape: Shape,
        peers: &[Kind],
        report: &mut Report,
    ) -> Result<()> {
        let mut workloads = Vec::new();
        for ids in &self.ids {
            workloads.push(Workload::new(shape, *ids)?);
        }
        for round in 1..=self.rounds {
            for workload in &workloads {
                let mut entries = self.entries(workload, peers, report);
                // Nobody is always the first.
                let first = (round - 1) % entries.len().max(1);
                entries.rotate_left(first);
                for place in entries {
                    let run = self.measure(arena, place, workload, round).await?;
                    report.add(place, round, &run);
                }
            }
        }
        Ok(())
    }

    /// Who runs where in each round.
    fn entries(&self, workload: &Workload, peers: &[Kind], report: &Report) -> Vec<Place> {
        let (shape, ids) = (workload.shape, workload.ids);
        let mut entries = Vec::new();
        for peer in peers.iter().copied() {
            let best = report.best_level(shape, peer);
            let levels = peer.rounds_at().map_or_else(|| best.into_iter().collect(), <[usize]>::to_vec);
            entries.extend(levels.into_iter().map(|connections| (peer, connections)));
        }
        if self.beside && shape == Shape::Hot && ids == Ids::TimeOrdered {
            entries.extend(BESIDE);
        }
        let place = |(peer, connections)| Place { workload: shape, ids, peer, connections };
        entries.into_iter().map(place).collect()
    }

    async fn measure(&self, arena: &Arena, place: Place, workload: &Workload, round: usize) -> Result<Run> {
        let Place { workload: shape, ids, peer, connections } = place;
        let expect = if peer == Kind::SoldOut { Answer::Refused } else { Answer::Held };
        // Every peer is asked for the same in the same round.
        let seed = round as u64;
        let load = Load { connections, warm_up: self.warm_up, length: self.length, seed, expect };
        let what = || format!("{shape:?}, {ids:?}, {}, {connections} connections", peer.title());
        let run = measure(arena, peer, workload, &load).await.with_context(what)?;
        let stage = if round == 0 { "try".to_owned() } else { format!("round {round}") };
        eprintln!(
            "{stage}: {}: {:.0}/s, p50 {} µs, p99 {} µs",
            what(),
            run.per_second(),
            run.quantile_us(0.5),
            run.quantile_us(0.99)
        );
        Ok(run)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::{record, report};

    fn plan() -> Plan {
        Plan {
            shapes: vec![Shape::Hot],
            ids: vec![Ids::TimeOrdered],
            peers: Kind::ALL.to_vec(),
            beside: true,
            rounds: 1,
            length: Duration::from_secs(1),
            warm_up: Duration::ZERO,
            quick: true,
        }
    }

    fn entries(shape: Shape, ids: Ids) -> Vec<(Kind, usize)> {
        let tried =
            report(vec![record(Kind::Transaction, 8, 1, 900.0), record(Kind::Transaction, 32, 1, 950.0)]);
        let workload = Workload::new(shape, ids).unwrap();
        let entries = plan().entries(&workload, &[Kind::Transaction, Kind::OverHttp, Kind::Bare], &tried);
        entries.into_iter().map(|place| (place.peer, place.connections)).collect()
    }

    #[test]
    fn peers_run_at_their_best_and_http_where_it_can_be_compared() {
        let peers = [
            (Kind::Transaction, 32),
            (Kind::OverHttp, 64),
            (Kind::OverHttp, 256),
            (Kind::Bare, 64),
            (Kind::Bare, 256),
        ];
        assert_eq!(entries(Shape::Hot, Ids::Random), peers);
        assert_eq!(entries(Shape::Hot, Ids::TimeOrdered), [&peers[..], &BESIDE[..]].concat());
    }

    #[test]
    fn whoever_declines_a_workload_is_told_with_the_reason() {
        let mut report = report(Vec::new());
        report.absent.clear();
        let peers = plan().peers_of(Shape::Baskets, &mut report);
        assert_eq!(peers.len(), 7);
        assert_eq!(report.absent.len(), 1);
        assert_eq!(report.absent[0].peer, Kind::RowPerUnit);
        assert!(report.absent[0].reason.contains("32,175"));
    }
}
