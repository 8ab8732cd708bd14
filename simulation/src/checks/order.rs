//! The ledger-order checker (crate `ledger-check`), which has a model of its own: serial order, real time, lives, answers, sold-outs.

use inventory_core::clock::Timestamp;
use inventory_core::command::{Command, Commit, Extend, Release, Reserve};
use inventory_core::store::Sharing;
use ledger_check::history::{Answer, Answered};
use ledger_check::{Options, Record};
use tokio::time::Instant;

use super::{Evidence, Findings, SWEEP_BOUND, UNSETTLED_MAX};
use crate::history::{Asked, Heard, Op};
use crate::processes::{HOLD_TTL, HOLD_TTL_MAX};

/// Looks at everything, unless a failover took something back: the checker knows one timeline.
pub(super) fn check(evidence: &Evidence, at_rest: Timestamp, sharing: Sharing, findings: &mut Findings) {
    if !evidence.log.failovers.is_empty() {
        return;
    }
    let Some(beginning) = evidence.ops.iter().map(|op| op.begun).min() else { return };
    let records = (0..).zip(&evidence.ops).filter_map(|(number, op)| record(beginning, number, op));
    let default = Options::default();
    let options = Options {
        staleness: match sharing {
            Sharing::Shared => default.staleness,
            Sharing::Exclusive => UNSETTLED_MAX,
        },
        at_rest: Some(at_rest),
        sweep_bound: SWEEP_BOUND,
        ..default
    };
    let verdict = ledger_check::check(evidence.copy.journal.clone(), records, &options);
    findings.extend(verdict.violations.iter().map(|violation| format!("order: {violation}")));
}

fn record(beginning: Instant, number: u64, op: &Op) -> Option<Record> {
    let micros = |at: Instant| i64::try_from((at - beginning).as_micros()).unwrap_or(i64::MAX);
    let answer = answer(&op.heard);
    Some(Record {
        client: format!("caller {}", op.caller),
        sequence: number,
        asked: ledger_check::history::Asked::of(&command(&op.asked))?,
        invoked_at: micros(op.begun),
        answered: answer.map(|answer| Answered { at: micros(op.ended), answer }),
    })
}

fn answer(heard: &Heard) -> Option<Answer> {
    match heard {
        Heard::Nothing => None,
        Heard::Reserve(said) => Some(said.into()),
        Heard::Commit(said) => Some(said.into()),
        Heard::Release(said) => Some(said.into()),
        Heard::Extend(said) => Some(said.into()),
        Heard::Adjust(said) => Some(said.into()),
        Heard::Set(said) => Some(said.into()),
    }
}

/// The command that an engine makes of what was asked.
fn command(asked: &Asked) -> Command {
    match asked.clone() {
        Asked::Reserve(request) => Command::Reserve(Reserve {
            order: request.order,
            lines: request.lines,
            customer: request.customer,
            ttl: request.ttl.unwrap_or(HOLD_TTL),
            ttl_max: HOLD_TTL_MAX,
        }),
        Asked::Commit(order, items) => Command::Commit(Commit { order, items, delivery: None }),
        Asked::Release(order, items, delivery) => {
            Command::Release(Release { order, items, reason: None, delivery })
        }
        Asked::Extend(order, ttl) => Command::Extend(Extend { order, ttl }),
        Asked::Adjust(adjust) => Command::Adjust(adjust),
        Asked::Set(set) => Command::Set(set),
    }
}
