//! The counters as their callers see them.

mod against_a_model;
mod bases;
mod takes;
mod under_threads;

use super::{Base, Counters, Take, Taken};
use crate::ids::ProductId;
use crate::lines::{Line, Lines};
use crate::quantity::{Quantity, Units};

fn product(id: i64) -> ProductId {
    ProductId::new(id)
}

fn units(units: i64) -> Units {
    Units::stored(units)
}

fn base(available: i64, version: u64) -> Base {
    Base { available: units(available), version, epoch: 0, limited: false }
}

/// An order of `(product, quantity)` lines.
fn order(lines: &[(i64, i64)]) -> Lines {
    Lines::new(
        lines.iter().map(|(id, n)| Line { product: product(*id), quantity: Quantity::new(*n).unwrap() }),
    )
    .unwrap()
}

/// Counters for four cores with these products at version 1.
fn stocked(products: &[(i64, i64)]) -> Counters {
    let counters = Counters::for_cores(4);
    for (id, available) in products {
        counters.observe(product(*id), base(*available, 1));
    }
    counters
}

fn free(counters: &Counters, id: i64) -> i64 {
    counters.inspect(product(id)).unwrap().free.get()
}

/// Makes a product striped now, as lost races would.
fn stripe(counters: &Counters, id: i64) {
    counters.cell(product(id)).unwrap().stripe(&counters.table);
}

fn must_take(counters: &Counters, lines: &Lines) -> Taken {
    match counters.take(lines) {
        Take::Taken(taken) => taken,
        refused => panic!("expected to take {lines:?}: {refused:?}"),
    }
}
