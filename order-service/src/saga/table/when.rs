//! In which states of a phase something is so, in as few words as say it exactly.

use crate::saga::Saga;

/// A side of a state: its name, and its value in words.
type Side = (&'static str, fn(&Saga) -> String);

/// What a state is told apart by.
const SIDES: [Side; 5] = [
    ("stock", |saga| format!("{:?}", saga.stock)),
    ("payment", |saga| format!("{:?}", saga.payment)),
    ("status", |saga| format!("{:?}", saga.status)),
    ("outstanding", |saga| {
        let actions: Vec<String> = saga.outstanding.iter().map(|action| format!("{action:?}")).collect();
        if actions.is_empty() { "nothing".to_owned() } else { actions.join(" + ") }
    }),
    ("mode", |saga| format!("{:?}", saga.mode)),
];

/// The states that differ in what the table shows.
pub(super) fn key(saga: &Saga) -> Vec<String> {
    SIDES.iter().map(|(_, side)| side(saga)).collect()
}

/// Words for `some` among `all`: the fewest sides whose values single them out. `None` if no one sentence does.
pub(super) fn when(some: &[Vec<String>], all: &[Vec<String>]) -> Option<String> {
    let mut choices: Vec<u32> = (0..1 << SIDES.len()).collect();
    choices.sort_by_key(|choice| choice.count_ones());
    choices.into_iter().find_map(|choice| {
        let sides: Vec<usize> = (0..SIDES.len()).filter(|side| choice >> side & 1 == 1).collect();
        let values: Vec<Vec<&str>> = sides.iter().map(|side| distinct(some, *side)).collect();
        let is_meant = |state: &&Vec<String>| {
            sides.iter().zip(&values).all(|(side, values)| values.contains(&state[*side].as_str()))
        };
        (all.iter().filter(is_meant).count() == some.len()).then(|| words(&sides, &values))
    })
}

fn distinct(states: &[Vec<String>], side: usize) -> Vec<&str> {
    let mut values: Vec<&str> = states.iter().map(|state| state[side].as_str()).collect();
    values.sort_unstable();
    values.dedup();
    values
}

fn words(sides: &[usize], values: &[Vec<&str>]) -> String {
    if sides.is_empty() {
        return "always".to_owned();
    }
    let parts =
        sides.iter().zip(values).map(|(side, values)| format!("{} {}", SIDES[*side].0, values.join(" or ")));
    parts.collect::<Vec<_>>().join("; ")
}
