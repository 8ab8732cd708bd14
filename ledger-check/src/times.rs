//! Real time against the serial order: what was over before something else was asked for must not come after it.

use crate::cases::Case;
use crate::causes::{Cause, Span};
use crate::findings::{Findings, name_of};
use crate::history::Record;
use crate::journal::{BatchAt, Journal};
use crate::serial::Serial;
use crate::violation::Violation;

/// When each batch was committed, by the histories' clock, as far as its own commands and all batches before and after it say.
#[derive(Debug)]
pub(crate) struct Times {
    spans: Vec<Span>,
    proves_from: i64,
}

impl Times {
    pub(crate) fn of(&self, batch: BatchAt) -> Span {
        self.spans[batch]
    }

    /// Whether what was asked then must be in the journal if it was done: a batch that pruning has not come to was done before.
    pub(crate) fn proves(&self, invoked_at: i64) -> bool {
        invoked_at >= self.proves_from
    }
}

/// `own`: what each batch's commands say by themselves; `cases` add the order of the commands on one order.
pub(crate) fn spread(
    journal: &Journal,
    serial: &Serial,
    mut own: Vec<Span>,
    cases: &[(Case, Vec<Cause>)],
    records: &[Record],
    findings: &mut Findings,
) -> Times {
    for (case, causes) in cases {
        for (did, cause) in case.dids.iter().zip(causes) {
            own[did.batch].not_before(cause.span.from, cause.span.from_by);
            own[did.batch].not_after(cause.span.until, cause.span.until_by);
        }
    }
    let edges = edges(serial, cases);
    let mut spans = own.clone();
    // In serial order of where they start: what comes before a batch is known before the batch passes it on.
    for (from, to) in &edges {
        let Span { from: earliest, from_by, .. } = spans[*from];
        spans[*to].not_before(earliest, from_by);
    }
    check(journal, serial, &own, &spans, records, findings);
    let mut backwards = edges;
    backwards.sort_unstable_by_key(|(_, to)| std::cmp::Reverse(serial.place[*to]));
    for (from, to) in &backwards {
        let Span { until, until_by, .. } = spans[*to];
        spans[*from].not_after(until, until_by);
    }
    let kept = (0..spans.len()).filter(|batch| !journal.is_checkpoint(*batch));
    let proves_from = match journal.is_pruned() {
        true => kept.map(|batch| spans[batch].until).min().unwrap_or(i64::MAX),
        false => i64::MIN,
    };
    Times { spans, proves_from }
}

/// Neighbours in products' chains and in orders' lives, by the place of the earlier one. Those that a cycle or a broken clock turned round
/// are left out.
fn edges(serial: &Serial, cases: &[(Case, Vec<Cause>)]) -> Vec<(BatchAt, BatchAt)> {
    let of_orders =
        cases.iter().flat_map(|(case, _)| case.dids.windows(2).map(|pair| (pair[0].batch, pair[1].batch)));
    let mut edges: Vec<(BatchAt, BatchAt)> = serial
        .edges
        .iter()
        .map(|edge| (edge.from, edge.to))
        .chain(of_orders)
        .filter(|(from, to)| serial.place[*from] < serial.place[*to])
        .collect();
    edges.sort_unstable_by_key(|(from, to)| (serial.place[*from], serial.place[*to]));
    edges.dedup();
    edges
}

fn check(
    journal: &Journal,
    serial: &Serial,
    own: &[Span],
    spans: &[Span],
    records: &[Record],
    findings: &mut Findings,
) {
    for batch in &serial.order {
        let (known, asked) = (&own[*batch], &spans[*batch]);
        if let (true, Some(answered), Some(invoked)) =
            (known.until < asked.from, known.until_by, asked.from_by)
        {
            findings.add(Violation::TimeOrder {
                batch: journal.id(*batch),
                answered: name_of(&records[answered]),
                answered_at: known.until,
                invoked: name_of(&records[invoked]),
                invoked_at: asked.from,
            });
        }
    }
}
