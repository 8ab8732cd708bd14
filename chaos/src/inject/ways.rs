//! Harm on the way to Postgres, by the proxies. Counted by what they say has struck.

use std::time::{Duration, Instant};

use anyhow::Result;
use test_support::postgres::proxy::{CommitHarm, Harm, Proxy, Reach};

use crate::draw::Draw;
use crate::kind::Kind;

/// What the ledger's own connections call themselves.
const LEDGER: &str = "holdfast inventory";
/// How long armed harm may wait for its COMMIT.
const COMMIT_WITHIN: Duration = Duration::from_secs(8);
const LOOK_PERIOD: Duration = Duration::from_millis(20);

/// Does it on one of the ways; how many messages, connections or COMMITs it struck. Messages that were slowed count as one.
pub(crate) async fn strike(kind: Kind, ways: &[Proxy; 2], draw: &mut Draw) -> Result<u64> {
    // Inventory has most of the traffic and gets most of the harm.
    let way = &ways[usize::from(draw.one_of(4) == 0)];
    let counted = |harm| way.count(harm);
    match kind {
        Kind::SlowWay => {
            let before = counted(Harm::Slowed);
            way.slow(Reach::All, draw.time(5, 120));
            tokio::time::sleep(draw.time(800, 3_000)).await;
            way.clear();
            Ok(u64::from(counted(Harm::Slowed) > before))
        }
        Kind::CutConnection | Kind::CutWay => {
            let before = counted(Harm::Cut);
            way.cut(reach(kind == Kind::CutWay, way, draw));
            settle(|| counted(Harm::Cut) > before).await;
            Ok(counted(Harm::Cut) - before)
        }
        Kind::SilentConnection | Kind::SilentWay => {
            let before = counted(Harm::Silenced);
            way.silence(reach(kind == Kind::SilentWay, way, draw));
            tokio::time::sleep(draw.time(1_000, 6_000)).await;
            way.clear();
            Ok(counted(Harm::Silenced) - before)
        }
        Kind::DropCommit => commit(way, draw, Harm::CommitDropped, CommitHarm::Drop).await,
        Kind::DropReply => commit(way, draw, Harm::ReplyDropped, CommitHarm::DropReply).await,
        _ => {
            let held = CommitHarm::HoldFor(draw.time(500, 4_000));
            let struck = commit(way, draw, Harm::CommitHeld, held).await?;
            settle(|| counted(Harm::CommitForwarded) >= counted(Harm::CommitHeld)).await;
            Ok(struck)
        }
    }
}

fn reach(is_whole: bool, way: &Proxy, draw: &mut Draw) -> Reach {
    let connections = way.connections();
    match connections.get(draw.one_of(connections.len())) {
        Some((id, _)) if !is_whole => Reach::One(*id),
        Some(_) | None => Reach::All,
    }
}

/// Mostly the ledger's own batches; sometimes whatever commits next, such as a relay.
async fn commit(way: &Proxy, draw: &mut Draw, harm: Harm, what: CommitHarm) -> Result<u64> {
    let has_ledger = way.connections().iter().any(|(_, application)| application == LEDGER);
    let reach = if has_ledger && draw.one_of(5) > 0 { Reach::Application(LEDGER) } else { Reach::All };
    let before = way.count(harm);
    // Several in a row: what is tried again is struck again.
    for _ in 0..=draw.one_of(3) {
        way.at_next_commit(reach, what);
    }
    settle(|| way.count(harm) > before).await;
    tokio::time::sleep(draw.time(100, 800)).await;
    way.clear();
    Ok(way.count(harm) - before)
}

async fn settle(is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + COMMIT_WITHIN;
    while !is_so() && Instant::now() < deadline {
        tokio::time::sleep(LOOK_PERIOD).await;
    }
}
