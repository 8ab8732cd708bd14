//! The saga as a finite automaton: `step` asked once for every saga that can be reached and everything that it can hear.

use std::collections::HashMap;

use order_service::saga::{Action, Cell, Effect, EventKind, Input, Mode, Saga, Step, begin, check, step};

use super::bits::{Bits, Element as _};
use super::said::{Fact, KINDS, Said};
use super::state::Past;

/// The saga's rules: the real ones, or broken on purpose.
pub(super) type Rules = dyn Fn(&Saga, &Input) -> Step;

/// A saga, by number.
pub(super) type SagaId = u16;

/// What follows when a saga hears something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Consequence {
    pub(super) to: SagaId,
    pub(super) starts: Bits<Action>,
    pub(super) publishes: Bits<Past>,
    pub(super) alarms: bool,
}

/// All sagas of one mode under some rules, and what each makes of everything.
#[derive(Debug)]
pub(super) struct Automaton {
    sagas: Vec<Saga>,
    are_sound: Vec<bool>,
    outstanding: Vec<Bits<Action>>,
    cells: Vec<[Consequence; KINDS]>,
    /// What may still make a difference to this saga, or to one that it may become.
    alive: Vec<Bits<Fact>>,
    /// What the first step begins.
    pub(super) first: Consequence,
}

impl Automaton {
    pub(super) fn of(rules: &Rules, mode: Mode) -> Self {
        let mut known = Known::default();
        let begun = begin(mode);
        let first = known.consequence(begun);
        let mut cells = Vec::new();
        while let Some(saga) = known.sagas.get(cells.len()).cloned() {
            let row: Vec<Consequence> =
                Said::all().map(|said| known.consequence(rules(&saga, &said.input(&saga)))).collect();
            cells.push(row.try_into().expect("one for each kind"));
        }
        let sagas = known.sagas;
        let are_sound = sagas.iter().map(|saga| check(saga).is_ok()).collect();
        let outstanding = sagas.iter().map(|saga| saga.outstanding.iter().copied().collect()).collect();
        let alive = alive(&cells);
        Self { sagas, are_sound, outstanding, cells, alive, first }
    }

    pub(super) fn saga(&self, id: SagaId) -> &Saga {
        &self.sagas[usize::from(id)]
    }

    /// Whether it keeps its own rules.
    pub(super) fn is_sound(&self, id: SagaId) -> bool {
        self.are_sound[usize::from(id)]
    }

    pub(super) fn outstanding(&self, id: SagaId) -> Bits<Action> {
        self.outstanding[usize::from(id)]
    }

    pub(super) fn hear(&self, id: SagaId, said: Said) -> Consequence {
        self.cells[usize::from(id)][said.place()]
    }

    pub(super) fn alive(&self, id: SagaId) -> Bits<Fact> {
        self.alive[usize::from(id)]
    }

    pub(super) fn len(&self) -> usize {
        self.sagas.len()
    }
}

#[derive(Default)]
struct Known {
    sagas: Vec<Saga>,
    ids: HashMap<Saga, SagaId>,
}

impl Known {
    fn consequence(&mut self, step: Step) -> Consequence {
        let starts = step.effects.iter().filter_map(|effect| match effect {
            Effect::Start(action) => Some(*action),
            Effect::Publish(_) | Effect::Finish { .. } | Effect::StartPaymentTimer | Effect::Alarm(_) => None,
        });
        let publishes = step.effects.iter().filter_map(|effect| match effect {
            Effect::Publish(EventKind::Confirmed) => Some(Past::Confirmed),
            Effect::Publish(EventKind::Failed | EventKind::Cancelled) => Some(Past::Ended),
            Effect::Publish(EventKind::Shipped { .. }) => Some(Past::Shipped),
            Effect::Publish(EventKind::Created)
            | Effect::Start(_)
            | Effect::Finish { .. }
            | Effect::StartPaymentTimer
            | Effect::Alarm(_) => None,
        });
        let (starts, publishes) = (starts.collect(), publishes.collect());
        Consequence { to: self.id(step.saga), starts, publishes, alarms: step.cell == Cell::Alarm }
    }

    fn id(&mut self, saga: Saga) -> SagaId {
        let saga = plain(saga);
        let next = SagaId::try_from(self.sagas.len()).expect("sagas are few");
        *self.ids.entry(saga).or_insert_with_key(|saga| {
            self.sagas.push(saga.clone());
            next
        })
    }
}

/// The saga without what no decision depends on.
fn plain(saga: Saga) -> Saga {
    Saga {
        version: 1,
        payment_timer: saga.payment_timer.map(|_| 1),
        reason: saga.reason.map(|_| "why".to_owned()),
        ..saga
    }
}

/// Who hears something that changes nothing, neither now nor later, need not hear it: that keeps the state space small and hides nothing.
fn alive(cells: &[[Consequence; KINDS]]) -> Vec<Bits<Fact>> {
    let is_heard = |from: usize, fact: &Fact| {
        let Consequence { to, starts, publishes, alarms } = cells[from][fact.place()];
        usize::from(to) != from || !starts.is_empty() || !publishes.is_empty() || alarms
    };
    let mut alive: Vec<Bits<Fact>> = (0..cells.len())
        .map(|from| Fact::ALL.iter().copied().filter(|fact| is_heard(from, fact)).collect())
        .collect();
    loop {
        let before = alive.clone();
        for (from, row) in cells.iter().enumerate() {
            alive[from] = row.iter().fold(alive[from], |all, cell| all.or(before[usize::from(cell.to)]));
        }
        if alive == before {
            return alive;
        }
    }
}

#[test]
fn what_is_forgotten_changes_nothing_now_or_later() {
    for mode in [Mode::Orchestration, Mode::Choreography] {
        let automaton = Automaton::of(&step, mode);
        for (row, alive) in automaton.cells.iter().zip(&automaton.alive) {
            for cell in row {
                assert_eq!(automaton.alive(cell.to).or(*alive), *alive);
            }
        }
        for id in 0..SagaId::try_from(automaton.len()).unwrap() {
            for fact in Fact::ALL.iter().filter(|fact| !automaton.alive(id).has(**fact)) {
                let heard = automaton.hear(id, Said::Fact(*fact));
                let nothing =
                    Consequence { to: id, starts: Bits::NONE, publishes: Bits::NONE, alarms: false };
                assert_eq!(heard, nothing, "{:?} × {fact:?}", automaton.saga(id));
            }
        }
    }
}
