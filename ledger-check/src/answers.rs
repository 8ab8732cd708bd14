//! Every answer against what the order was at some moment between the question and the answer.

use inventory_core::journal::ChangeKind;

use crate::cases::{Case, is_acknowledged, told};
use crate::causes::{Cause, first_difference};
use crate::findings::{Findings, name_of};
use crate::history::{Answer, Asked, Record};
use crate::journal::Journal;
use crate::life::{Life, Standing};
use crate::times::Times;
use crate::violation::Violation;

/// Checks all answers about one order.
pub(crate) fn check(
    journal: &Journal,
    case: &Case,
    life: &Life,
    causes: &[Cause],
    times: &Times,
    records: &[Record],
    findings: &mut Findings,
) {
    let mut anew: Option<usize> = None;
    for at in &case.tries {
        let record = &records[*at];
        let Some(answer) = record.answer() else { continue };
        if !answers(&record.asked, answer) {
            let why = format!("answers a {} with \"{}\"", record.asked.name(), told(record));
            findings.add(Violation::HistoryRecord { operation: name_of(record), why });
            continue;
        }
        if is_acknowledged(record) {
            findings.checked().acknowledged += 1;
        } else if *answer != Answer::OutcomeUnknown {
            findings.checked().refused += 1;
        }
        if life.began_before || (case.dids.is_empty() && !times.proves(record.invoked_at)) {
            if is_acknowledged(record) {
                findings.checked().unprovable += 1;
            }
            continue;
        }
        check_standing(journal, case, life, times, record, findings);
        check_content(journal, case, causes, record, findings);
        if matches!(answer, Answer::Held { replayed: false, .. })
            && let Some(other) = anew.replace(*at)
        {
            let why = format!("was told that it holds anew, and so was {}", name_of(&records[other]));
            let of = format!("order {}", case.order);
            findings.add(Violation::ReplayChanged { operation: name_of(record), of, why });
        }
    }
}

/// Whether a question can be answered so at all.
fn answers(asked: &Asked, answer: &Answer) -> bool {
    match answer {
        Answer::Held { .. } | Answer::Insufficient { .. } => matches!(asked, Asked::Reserve { .. }),
        Answer::Committed { .. } => matches!(asked, Asked::Commit { .. }),
        Answer::Released => matches!(asked, Asked::Release { .. }),
        Answer::Extended { .. } => matches!(asked, Asked::Extend { .. }),
        Answer::Adjusted { .. } => matches!(asked, Asked::Adjust { .. }),
        Answer::Stored { .. } => matches!(asked, Asked::Set { .. }),
        Answer::AlreadyReleased | Answer::AlreadyCommitted | Answer::Expired => asked.order().is_some(),
        Answer::NotFound
        | Answer::Conflict
        | Answer::Refused { .. }
        | Answer::Overloaded
        | Answer::Unavailable
        | Answer::OutcomeUnknown => true,
    }
}

/// Whether an order that stands so is answered so. A hold may be past its time without the journal saying so.
fn allows(standing: Standing, asked: &Asked, answer: &Answer) -> bool {
    use Standing::{Committed, Expired, Held, Lost, Released, Unknown};
    let is = |standings: &[Standing]| standings.contains(&standing);
    match (asked, answer) {
        (_, Answer::Overloaded | Answer::Unavailable | Answer::OutcomeUnknown) => true,
        (_, Answer::Held { .. }) => is(&[Held, Committed]),
        (_, Answer::Insufficient { .. }) => is(&[Unknown]),
        (Asked::Reserve { .. }, Answer::NotFound) => is(&[Unknown]),
        (Asked::Reserve { .. }, Answer::Refused { code }) if code.starts_with("customer_") => is(&[Unknown]),
        (Asked::Reserve { .. }, Answer::Conflict) => !is(&[Unknown]),
        (_, Answer::Committed { .. }) => is(&[Committed]),
        (Asked::Commit { .. }, Answer::Conflict) => is(&[Committed]),
        (Asked::Release { items: None, .. }, Answer::Released) => is(&[Released, Lost]),
        (_, Answer::Released) => is(&[Held, Released]),
        (_, Answer::Extended { .. }) => is(&[Held]),
        // A keyed repeat of a commit that was refused before the order was held is refused again.
        (Asked::Commit { key: Some(_), .. }, Answer::NotFound) => is(&[Unknown, Held]),
        (_, Answer::NotFound) => is(&[Unknown]),
        (_, Answer::AlreadyReleased) => is(&[Released]),
        (_, Answer::AlreadyCommitted) => is(&[Committed]),
        (Asked::Commit { key: None, .. }, Answer::Expired) => is(&[Lost]),
        (_, Answer::Expired) => is(&[Held, Expired, Lost]),
        (_, _) => true,
    }
}

fn check_standing(
    journal: &Journal,
    case: &Case,
    life: &Life,
    times: &Times,
    record: &Record,
    findings: &mut Findings,
) {
    let Some(answer) = record.answer() else { return };
    let (first, last) = window(case, times, record);
    // Turned round: told as a breach of time already.
    let Some(meanwhile) = life.standings.get(first..=last) else { return };
    if meanwhile.iter().any(|standing| allows(*standing, &record.asked, answer)) {
        return;
    }
    let operation = name_of(record);
    let (order, told) = (case.order, told(record));
    let ever = life.standings.iter().any(|standing| allows(*standing, &record.asked, answer));
    let reserve = case.dids.iter().find(|did| did.kind == ChangeKind::Reserve);
    if is_acknowledged(record) && !ever {
        findings.add(Violation::AcknowledgedLost { operation, of: format!("order {order}"), answer: told });
    } else if let (Asked::Reserve { .. }, Some(reserve)) = (&record.asked, reserve)
        && allows(Standing::Unknown, &record.asked, answer)
    {
        let batch = journal.id(reserve.batch);
        findings.add(Violation::ReplayRefused { operation, order, batch, answer: told });
    } else {
        let mut names: Vec<&str> = meanwhile.iter().map(|standing| standing.name()).collect();
        names.dedup();
        findings.add(Violation::Unfounded { operation, order, answer: told, was: names.join(", then ") });
    }
}

/// The standings that the order may have had between the question and the answer: after the first so many commands, to after the
/// last so many. (Times follow the order of an order's commands.)
fn window(case: &Case, times: &Times, record: &Record) -> (usize, usize) {
    let first = case.dids.partition_point(|did| times.of(did.batch).until < record.invoked_at);
    let last = case.dids.partition_point(|did| times.of(did.batch).from <= record.answered_at());
    (first, last)
}

/// The same order with other content is a conflict, and with the same it is none.
fn check_content(journal: &Journal, case: &Case, causes: &[Cause], record: &Record, findings: &mut Findings) {
    let kinds: &[ChangeKind] = match &record.asked {
        Asked::Reserve { .. } => &[ChangeKind::Reserve],
        Asked::Commit { .. } => &[ChangeKind::Commit, ChangeKind::CommitLate],
        _ => return,
    };
    let Some(at) = case.dids.iter().position(|did| kinds.contains(&did.kind)) else { return };
    let (did, of) = (case.dids[at], format!("order {}", case.order));
    let difference = first_difference(journal, did, record);
    let operation = || name_of(record);
    match (record.answer(), difference) {
        (Some(Answer::Held { replayed: true, .. }), Some((product, asked, had))) => {
            let why = format!("was told a replay, but asks for {asked} of product {product}, not {had}");
            findings.add(Violation::ReplayChanged { operation: operation(), of, why });
        }
        (Some(Answer::Held { .. } | Answer::Committed { .. }), Some((product, asked, had)))
            if !causes[at].tries.is_empty() =>
        {
            let why = format!("did {} of product {product}, not {asked}", had);
            let batch = journal.id(did.batch);
            findings.add(Violation::AcknowledgedOtherwise { operation: operation(), of, batch, why });
        }
        (Some(Answer::Conflict), None) if has_same_customer(journal, case, at, record) => {
            let why = "was told a conflict, but asks for just what the order has".to_owned();
            findings.add(Violation::ReplayChanged { operation: operation(), of, why });
        }
        _ => {}
    }
}

fn has_same_customer(journal: &Journal, case: &Case, at: usize, record: &Record) -> bool {
    let Asked::Reserve { customer, .. } = &record.asked else { return true };
    let did = case.dids[at];
    let remark = journal.command(did.batch, did.position).remark.as_deref();
    let had = remark.and_then(|remark| remark.customer.as_ref()).map(|customer| customer.as_str());
    had == customer.as_deref()
}
