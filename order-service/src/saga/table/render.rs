//! The table as Markdown.

use std::slice;

use super::when::{key, when};
use super::{reachable, samples};
use crate::saga::{Effect, EventKind, Phase, Saga, Step, step};

const HEAD: &str = "\
# The order saga, cell by cell

Rendered from the code by `cargo run -p order-service --example saga_table > docs/SAGA.md`; a test compares. Every state that can
be reached was given every input, and what `step` answered stands here: no cell is missing, and none is a wildcard.

Verdicts: **Apply** moves the order on · **Duplicate** was known, or no longer matters: nothing changes · **Compensate** undoes ·
**Defer** is noted, and what is still outstanding decides · **Alarm** should not be: an operator should look · **Refuse** is a wish that is
not allowed now (409 `invalid_state`) · **Newer** (not shown) meets a saga that a newer definition wrote: nothing changes in any cell, and the
input must be given to newer code.
";

const PHASES: [(Phase, &str); 8] = [
    (Phase::Reserving, "PENDING: the stock's answer is awaited"),
    (Phase::Paying, "AWAITING_PAYMENT: the stock is held, the money's answer is awaited"),
    (Phase::Committing, "AWAITING_PAYMENT: paid, the commit's answer is awaited"),
    (Phase::Confirmed, "CONFIRMED: paid and committed"),
    (Phase::Shipped, "SHIPPED"),
    (Phase::Delivered, "DELIVERED"),
    (Phase::Compensating, "CANCELLED or PAYMENT_FAILED: undoing is under way"),
    (Phase::Ended, "CANCELLED or PAYMENT_FAILED: all is undone, or left to people"),
];

/// One cell, or several that are the same.
#[derive(PartialEq)]
struct Answer {
    verdict: String,
    does: String,
    because: &'static str,
}

/// The whole document.
pub fn render_table() -> String {
    let sagas = reachable();
    let mut text = HEAD.to_owned();
    for (phase, title) in PHASES {
        let sagas: Vec<&Saga> = sagas.iter().filter(|saga| saga.phase == phase).collect();
        let mut states: Vec<Vec<String>> = sagas.iter().map(|saga| key(saga)).collect();
        states.sort();
        states.dedup();
        text += &format!("\n## {phase:?}\n\n{title}. States: {}.\n\n", states.len());
        text += "| input | when | verdict | what it does | because |\n| --- | --- | --- | --- | --- |\n";
        for (input, cells) in cells(&sagas) {
            text += &rows(&input, &cells);
        }
    }
    text
}

type Cells = Vec<(Vec<String>, Answer)>;

/// For each input, in the samples' order: every state and its answer.
fn cells(sagas: &[&Saga]) -> Vec<(String, Cells)> {
    let mut inputs: Vec<(String, Cells)> = Vec::new();
    for saga in sagas {
        for (name, input) in samples(saga) {
            let cell = (key(saga), answer(saga, &step(saga, &input)));
            match inputs.iter_mut().find(|(known, _)| *known == name) {
                Some((_, cells)) if cells.contains(&cell) => {}
                Some((_, cells)) => cells.push(cell),
                None => inputs.push((name, vec![cell])),
            }
        }
    }
    inputs
}

fn rows(input: &str, cells: &Cells) -> String {
    let all: Vec<Vec<String>> = cells.iter().map(|(state, _)| state.clone()).collect();
    let mut text = String::new();
    let mut told: Vec<&Answer> = Vec::new();
    for (_, answer) in cells {
        if told.contains(&answer) {
            continue;
        }
        told.push(answer);
        let some: Vec<Vec<String>> =
            cells.iter().filter(|(_, other)| other == answer).map(|(state, _)| state.clone()).collect();
        match when(&some, &all) {
            Some(when) => text += &row(input, &when, answer),
            None => {
                for state in some {
                    let when = when(slice::from_ref(&state), &all).unwrap_or_else(|| state.join("; "));
                    text += &row(input, &when, answer);
                }
            }
        }
    }
    text
}

fn row(input: &str, when: &str, answer: &Answer) -> String {
    let Answer { verdict, does, because } = answer;
    format!("| {input} | {when} | {verdict} | {does} | {because} |\n")
}

fn answer(before: &Saga, step: &Step) -> Answer {
    let mut parts: Vec<String> = Vec::new();
    let after = &step.saga;
    if after.phase != before.phase {
        parts.push(format!("→ {:?}", after.phase));
    }
    if after.status != before.status {
        parts.push(format!("status {:?}", after.status));
    }
    if after.stock != before.stock {
        parts.push(format!("stock {:?}", after.stock));
    }
    if after.payment != before.payment {
        parts.push(format!("payment {:?}", after.payment));
    }
    parts.extend(step.effects.iter().map(effect));
    let does = if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") };
    Answer { verdict: format!("{:?}", step.cell), does, because: step.because }
}

fn effect(effect: &Effect) -> String {
    match effect {
        Effect::Publish(EventKind::Created) => "tells `order.created`".to_owned(),
        Effect::Publish(EventKind::Confirmed) => "tells `order.confirmed`".to_owned(),
        Effect::Publish(EventKind::Failed) => "tells `order.failed`".to_owned(),
        Effect::Publish(EventKind::Cancelled) => "tells `order.cancelled`".to_owned(),
        Effect::Publish(EventKind::Shipped { .. }) => "tells `order.shipped`".to_owned(),
        Effect::Start(action) => format!("starts {action:?}"),
        Effect::Finish { action, succeeded: true, .. } => format!("completes {action:?}"),
        Effect::Finish { action, succeeded: false, .. } => format!("drops {action:?}"),
        Effect::StartPaymentTimer => "sets the deadline".to_owned(),
        Effect::Alarm(_) => "alarms".to_owned(),
    }
}
