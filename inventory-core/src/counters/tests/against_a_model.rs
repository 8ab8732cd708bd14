//! Random histories against the three numbers that a counter stands for.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::counters::{Lowered, ShortLine};

const PRODUCTS: i64 = 4;

#[derive(Clone, Debug)]
enum Step {
    /// A read told a base, by `lag` versions older or newer than the newest, in this epoch or the one before.
    Observe {
        id: i64,
        available: i64,
        lag: i64,
        old_epoch: bool,
    },
    Take {
        lines: Vec<(i64, i64)>,
        thread: usize,
    },
    GiveBack {
        which: usize,
    },
    Settle {
        which: usize,
        returned: i64,
        stale: bool,
    },
    Lower {
        id: i64,
        by: i64,
    },
    Undo {
        which: usize,
    },
    SettleLowered {
        which: usize,
        stale: bool,
    },
    Stripe {
        id: i64,
    },
    BeginEpoch,
}

fn step() -> impl Strategy<Value = Step> {
    let id = 0..PRODUCTS;
    let lines = prop::collection::vec((0..PRODUCTS, 1..6_i64), 1..4);
    prop_oneof![
        4 => (id.clone(), -2..20_i64, -2..3_i64, prop::bool::weighted(0.2))
            .prop_map(|(id, available, lag, old_epoch)| Step::Observe { id, available, lag, old_epoch }),
        10 => (lines, 0..8_usize).prop_map(|(lines, thread)| Step::Take { lines, thread }),
        2 => any::<usize>().prop_map(|which| Step::GiveBack { which }),
        4 => (any::<usize>(), 0..4_i64, any::<bool>())
            .prop_map(|(which, returned, stale)| Step::Settle { which, returned, stale }),
        2 => (id.clone(), 0..9_i64).prop_map(|(id, by)| Step::Lower { id, by }),
        1 => any::<usize>().prop_map(|which| Step::Undo { which }),
        1 => (any::<usize>(), any::<bool>()).prop_map(|(which, stale)| Step::SettleLowered { which, stale }),
        1 => id.prop_map(|id| Step::Stripe { id }),
        1 => Just(Step::BeginEpoch),
    ]
}

/// What one product should be.
#[derive(Clone, Copy, Debug)]
struct Expected {
    base: Base,
    in_flight: i64,
    lowered: i64,
}

impl Expected {
    fn free(&self) -> i64 {
        self.base.available.get() - self.in_flight - self.lowered
    }

    fn learn(&mut self, base: Base) {
        let newer = if base.epoch == self.base.epoch {
            base.version > self.base.version
        } else {
            base.epoch > self.base.epoch
        };
        if newer {
            self.base = base;
        }
    }
}

#[derive(Default)]
struct World {
    expected: BTreeMap<i64, Expected>,
    taken: Vec<(Lines, Taken)>,
    lowered: Vec<Lowered>,
    epoch: u32,
}

impl World {
    /// The answer that a take must get.
    fn answer(&self, lines: &Lines) -> Take {
        let mut unknown = Vec::new();
        let mut short = Vec::new();
        let mut outdated = Vec::new();
        let mut refused = false;
        for line in lines.iter() {
            let Some(expected) = self.expected.get(&line.product.get()) else {
                unknown.push(line.product);
                continue;
            };
            let is_short = expected.base.available < line.quantity.units();
            let is_refused = expected.free() < line.quantity.units().get() && !refused;
            refused |= is_refused;
            if expected.base.epoch < self.epoch && (is_short || is_refused) {
                outdated.push(line.product);
            } else if is_short {
                short.push(ShortLine {
                    product: line.product,
                    requested: line.quantity,
                    available: expected.base.available,
                    limited: expected.base.limited,
                });
            }
        }
        match (unknown.is_empty(), refused, outdated.is_empty(), short.is_empty()) {
            (false, ..) => Take::Unknown(unknown),
            (true, false, ..) => Take::Taken(Taken(())),
            (true, true, false, _) => Take::Unknown(outdated),
            (true, true, true, false) => Take::Short(short),
            (true, true, true, true) => Take::Contended,
        }
    }

    /// A base next to what is known of a product.
    fn next(&self, id: i64, available: i64, lag: i64) -> Base {
        let version = self.expected.get(&id).map_or(5, |expected| expected.base.version);
        Base {
            epoch: self.epoch,
            limited: available % 2 == 0,
            ..base(available, version.saturating_add_signed(lag))
        }
    }

    fn learn(&mut self, id: i64, base: Base) {
        let fresh = Expected { base, in_flight: 0, lowered: 0 };
        self.expected.entry(id).or_insert(fresh).learn(base);
    }

    fn apply(&mut self, counters: &Counters, step: Step) {
        match step {
            Step::Observe { id, available, lag, old_epoch } => {
                let mut base = self.next(id, available, lag);
                base.epoch = base.epoch.saturating_sub(u32::from(old_epoch));
                self.learn(id, base);
                counters.observe(product(id), base);
            }
            Step::Take { lines, thread } => self.take(counters, &order(&lines), thread),
            Step::GiveBack { which } => {
                if let Some((lines, taken)) = pick(&mut self.taken, which) {
                    self.leave_flight(&lines);
                    counters.give_back(&lines, taken);
                }
            }
            Step::Settle { which, returned, stale } => self.settle(counters, which, returned, stale),
            Step::Lower { id, by } => {
                let lowered = counters.lower(product(id), units(by));
                match self.expected.get_mut(&id) {
                    Some(expected) => expected.lowered += by,
                    None => assert_eq!(lowered.by, Units::ZERO),
                }
                self.lowered.push(lowered);
            }
            Step::Undo { which } => {
                if let Some(lowered) = pick(&mut self.lowered, which) {
                    self.unlower(&lowered);
                    counters.undo(lowered);
                }
            }
            Step::SettleLowered { which, stale } => {
                if let Some(lowered) = pick(&mut self.lowered, which) {
                    let id = lowered.product.get();
                    let known = self.expected.get(&id).map_or(0, |expected| expected.base.available.get());
                    let base = self.next(id, known - lowered.by.get(), if stale { -1 } else { 1 });
                    self.unlower(&lowered);
                    self.learn(id, base);
                    counters.settle(lowered.product, Units::ZERO, Some(lowered), base);
                }
            }
            Step::Stripe { id } => {
                if self.expected.contains_key(&id) {
                    stripe(counters, id);
                }
            }
            Step::BeginEpoch => self.epoch = counters.begin_epoch(),
        }
    }

    fn take(&mut self, counters: &Counters, lines: &Lines, thread: usize) {
        let answer = counters.take_as(lines, thread);
        assert_eq!(answer, self.answer(lines), "{lines:?} of {:?}", self.expected);
        let Take::Taken(taken) = answer else { return };
        for line in lines.iter() {
            let expected = self.expected.get_mut(&line.product.get()).unwrap();
            expected.in_flight += line.quantity.units().get();
            assert!(
                expected.in_flight + expected.lowered <= expected.base.available.get(),
                "admitted beyond base"
            );
        }
        self.taken.push((lines.clone(), taken));
    }

    fn settle(&mut self, counters: &Counters, which: usize, returned: i64, stale: bool) {
        let Some((lines, _settled)) = pick(&mut self.taken, which) else { return };
        self.leave_flight(&lines);
        for line in lines.iter() {
            let (id, taken) = (line.product.get(), line.quantity.units());
            let available = self.expected[&id].base.available.get() - taken.get() + returned;
            let base = self.next(id, available, if stale { 0 } else { 1 });
            self.learn(id, base);
            counters.settle(line.product, taken, None, base);
        }
    }

    fn leave_flight(&mut self, lines: &Lines) {
        for line in lines.iter() {
            self.expected.get_mut(&line.product.get()).unwrap().in_flight -= line.quantity.units().get();
        }
    }

    fn unlower(&mut self, lowered: &Lowered) {
        if let Some(expected) = self.expected.get_mut(&lowered.product.get()) {
            expected.lowered -= lowered.by.get();
        }
    }

    fn check(&self, counters: &Counters) {
        for (id, expected) in &self.expected {
            let view = counters.inspect(product(*id)).unwrap();
            assert_eq!((view.base, view.free.get()), (expected.base, expected.free()), "product {id}");
        }
        assert_eq!(counters.products_loaded(), self.expected.len() as u64);
    }
}

fn pick<T>(from: &mut Vec<T>, which: usize) -> Option<T> {
    if from.is_empty() { None } else { Some(from.swap_remove(which % from.len())) }
}

proptest! {
    #[test]
    fn i3_any_history_leaves_free_at_base_minus_in_flight_and_answers_exactly(
        steps in prop::collection::vec(step(), 1..120),
    ) {
        let counters = Counters::for_cores(4);
        let mut world = World::default();
        for step in steps {
            world.apply(&counters, step);
            world.check(&counters);
        }
        // Quiescence: all that is in flight or lowered ends somehow.
        while !world.taken.is_empty() {
            world.apply(&counters, Step::GiveBack { which: 0 });
            world.apply(&counters, Step::Settle { which: 0, returned: 0, stale: false });
        }
        while !world.lowered.is_empty() {
            world.apply(&counters, Step::Undo { which: 0 });
        }
        world.check(&counters);
        for (id, expected) in &world.expected {
            prop_assert_eq!(free(&counters, *id), expected.base.available.get());
        }
    }
}
