//! Real threads against a small ledger that must never go below zero.

use std::sync::Mutex;
use std::thread;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;

const PRODUCTS: i64 = 6;
const STOCK: i64 = 4_000;
const THREADS: u64 = 4;
const ORDERS: usize = 6_000;

/// What a store would keep, one row a product. It checks nothing: memory alone must not admit too much.
struct Rows(Vec<Mutex<Base>>);

impl Rows {
    fn new() -> Self {
        Self((0..PRODUCTS).map(|_| Mutex::new(base(STOCK, 1))).collect())
    }

    /// Commits a change, and says what the row is now.
    fn change(&self, id: i64, by: i64) -> Base {
        let mut row = self.0[usize::try_from(id).unwrap()].lock().unwrap();
        row.available += units(by);
        row.version += 1;
        assert!(row.available >= Units::ZERO, "product {id} was oversold by {by}");
        *row
    }

    fn read(&self, id: i64) -> Base {
        *self.0[usize::try_from(id).unwrap()].lock().unwrap()
    }
}

/// Buys, gives back, settles late, lowers ahead, reads in between: whatever the threads of an engine may do, all at once.
fn trade(counters: &Counters, rows: &Rows, seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let mut unsettled: Vec<(Lines, Taken)> = Vec::new();
    for _ in 0..ORDERS {
        let lines: Vec<_> = (0..random.random_range(1..4))
            .map(|_| (random.random_range(0..PRODUCTS), random.random_range(1..4)))
            .collect();
        let lines = order(&lines);
        match counters.take(&lines) {
            Take::Taken(taken) => unsettled.push((lines, taken)),
            Take::Short(short) => {
                assert!(short.iter().all(|line| line.available < line.requested.units()), "{short:?}");
            }
            Take::Contended => {}
            Take::Unknown(products) => panic!("{products:?} were loaded"),
        }
        if unsettled.len() > 8 {
            let (lines, taken) = unsettled.swap_remove(random.random_range(0..unsettled.len()));
            if random.random_ratio(1, 4) {
                counters.give_back(&lines, taken);
            } else {
                settle(counters, rows, &lines, random.random_ratio(1, 3));
            }
        }
        let id = random.random_range(0..PRODUCTS);
        match random.random_range(0..20) {
            0 => counters.observe(product(id), rows.read(id)),
            1 => {
                let lowered = counters.lower(product(id), units(2));
                counters.undo(lowered);
            }
            _ => {}
        }
    }
    for (lines, _) in unsettled {
        settle(counters, rows, &lines, false);
    }
}

/// Commits an order row by row; `returned`: one unit of each comes back in the same batch.
fn settle(counters: &Counters, rows: &Rows, lines: &Lines, returned: bool) {
    for line in lines.iter() {
        let taken = line.quantity.units();
        let base = rows.change(line.product.get(), i64::from(returned) - taken.get());
        counters.settle(line.product, taken, None, base);
    }
}

fn trade_on_many_threads(striped: bool) {
    let counters = stocked(&[]);
    let rows = Rows::new();
    for id in 0..PRODUCTS {
        counters.observe(product(id), rows.read(id));
        if striped {
            stripe(&counters, id);
        }
    }
    thread::scope(|scope| {
        for seed in 0..THREADS {
            let (counters, rows) = (&counters, &rows);
            scope.spawn(move || trade(counters, rows, seed));
        }
    });
    for id in 0..PRODUCTS {
        let view = counters.inspect(product(id)).unwrap();
        assert_eq!((view.base, view.free), (rows.read(id), rows.read(id).available), "product {id}");
    }
}

#[test]
fn i3_threads_never_admit_more_than_there_is_and_end_where_the_rows_are() {
    trade_on_many_threads(false);
}

#[test]
fn i3_threads_on_stripes_never_admit_more_than_there_is_and_end_where_the_rows_are() {
    trade_on_many_threads(true);
}

#[test]
fn i3_a_flash_sale_admits_exactly_the_stock() {
    for round in 0..20 {
        let counters = stocked(&[(1, 500)]);
        if round % 2 == 1 {
            stripe(&counters, 1);
        }
        let admitted: usize = thread::scope(|scope| {
            let buyer =
                || (0..400).filter(|_| matches!(counters.take(&order(&[(1, 1)])), Take::Taken(_))).count();
            let buyers: Vec<_> = (0..THREADS).map(|_| scope.spawn(buyer)).collect();
            buyers.into_iter().map(|buyer| buyer.join().unwrap()).sum()
        });
        assert_eq!((admitted, free(&counters, 1)), (500, 0));
    }
}

#[test]
fn a_cold_product_is_loaded_once_by_many_threads() {
    let counters = Counters::new();
    thread::scope(|scope| {
        for version in 1..=THREADS {
            let counters = &counters;
            scope.spawn(move || {
                for id in 0..2_000 {
                    counters.observe(product(id), base(i64::try_from(version).unwrap(), version));
                }
            });
        }
    });
    assert_eq!(counters.products_loaded(), 2_000);
    let newest = base(i64::try_from(THREADS).unwrap(), THREADS);
    assert!((0..2_000).all(|id| counters.inspect(product(id)).unwrap().base == newest));
    assert!((0..2_000).all(|id| free(&counters, id) == newest.available.get()));
}
