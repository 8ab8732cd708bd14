//! The rules that every scenario is under, whatever generates it. Pure.

use crate::outcome::{Figure, Load, Told, count};

/// How many of 100 answers may be "not now" where the service is not meant to be overloaded.
const SHED_PERCENT_MAX: f64 = 1.0;

/// Units of a scenario's products, summed, as the service tells them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Shelf {
    pub(crate) on_hand: i64,
    pub(crate) held: i64,
}

/// What must be there, if buyers were told the truth and the stock was `stock`.
pub(crate) fn expected(stock: i64, told: &Told) -> Shelf {
    let units = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    Shelf {
        on_hand: stock - units(told.committed),
        held: units(told.reserved) - units(told.committed) - units(told.released),
    }
}

/// Whether what is there is what buyers were told, give or take what nobody was told.
pub(crate) fn agrees(shelf: Shelf, expected: Shelf, unknown: u64) -> bool {
    shelf.on_hand.abs_diff(expected.on_hand) <= unknown && shelf.held.abs_diff(expected.held) <= unknown
}

/// The books: what buyers were told against what is there.
pub(crate) fn books(shelf: Shelf, stock: i64, told: &Told) -> Figure {
    let expected = expected(stock, told);
    let slack = if told.unknown > 0 { format!(", {} units unknown", told.unknown) } else { String::new() };
    Figure::rule(
        agrees(shelf, expected, told.unknown),
        format!(
            "told and kept: {} held, {} sold; {} and {} are expected of the answers{slack}",
            shelf.held,
            stock - shelf.on_hand,
            expected.held,
            stock - expected.on_hand,
        ),
    )
}

/// What every generator's answers must be.
pub(crate) fn answers(load: &Load, is_overload: bool) -> Vec<Figure> {
    let mut figures: Vec<Figure> =
        load.faults.iter().map(|(what, times)| Figure::rule(false, format!("{times} × {what}"))).collect();
    if load.requests == load.refusals.values().sum::<u64>() {
        figures.push(Figure::rule(false, "nothing was accepted: the scenario shows nothing"));
    }
    let percent = 100.0 * count(load.shed) / count(load.requests.max(1));
    if !is_overload && load.shed > 0 {
        let is_met = percent <= SHED_PERCENT_MAX;
        figures.push(Figure::rule(
            is_met,
            format!("{percent:.2} % were asked to come back later, at most {SHED_PERCENT_MAX} % may"),
        ));
    }
    figures
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLD: Told = Told { reserved: 10, committed: 4, released: 1, unknown: 0 };

    #[test]
    fn one_unit_too_many_is_seen_in_either_column() {
        assert!(books(Shelf { on_hand: 96, held: 5 }, 100, &TOLD).is_met);
        assert!(!books(Shelf { on_hand: 95, held: 5 }, 100, &TOLD).is_met);
        assert!(!books(Shelf { on_hand: 96, held: 6 }, 100, &TOLD).is_met);
    }

    #[test]
    fn what_nobody_was_told_is_allowed_for_and_no_more() {
        let told = Told { unknown: 2, ..TOLD };
        assert!(books(Shelf { on_hand: 96, held: 7 }, 100, &told).is_met);
        assert!(!books(Shelf { on_hand: 96, held: 8 }, 100, &told).is_met);
    }

    #[test]
    fn faults_fail_and_so_does_a_run_of_refusals_alone() {
        let mut load = Load { requests: 10, ..Load::default() };
        assert!(answers(&load, false).is_empty());
        load.refusals.insert("insufficient_stock".into(), 10);
        assert_eq!(answers(&load, false).len(), 1);
        load.requests = 11;
        load.faults.insert("unexpected answer 500".into(), 1);
        assert!(answers(&load, false).iter().all(|figure| !figure.is_met));
    }

    #[test]
    fn coming_back_later_is_rare_unless_overload_is_the_point() {
        let load = Load { requests: 100, shed: 2, ..Load::default() };
        assert!(answers(&load, false).iter().any(|figure| !figure.is_met));
        assert!(answers(&load, true).is_empty());
    }
}
