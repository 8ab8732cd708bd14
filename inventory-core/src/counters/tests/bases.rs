use super::*;
use crate::counters::Lowered;

#[test]
fn i3_a_base_that_already_contains_our_batch_is_not_counted_twice() {
    let counters = stocked(&[(1, 10)]);
    let _settled_below = must_take(&counters, &order(&[(1, 4)]));
    counters.observe(product(1), base(6, 2));
    assert_eq!(free(&counters, 1), 2, "too little for a moment, never too much");
    counters.settle(product(1), units(4), None, base(6, 2));
    assert_eq!(free(&counters, 1), 6);
}

#[test]
fn settling_moves_base_and_leaves_what_is_free() {
    let counters = stocked(&[(1, 10)]);
    let _settled_below = must_take(&counters, &order(&[(1, 4)]));
    counters.settle(product(1), units(4), None, base(6, 2));
    assert_eq!((free(&counters, 1), counters.inspect(product(1)).unwrap().base), (6, base(6, 2)));
}

#[test]
fn an_older_or_equal_version_is_ignored_but_its_takes_leave_flight() {
    let counters = stocked(&[(1, 10)]);
    let _settled_below = must_take(&counters, &order(&[(1, 4)]));
    counters.observe(product(1), base(3, 7));
    counters.observe(product(1), base(99, 7));
    counters.settle(product(1), units(4), None, base(50, 6));
    assert_eq!((free(&counters, 1), counters.inspect(product(1)).unwrap().base), (3, base(3, 7)));
}

#[test]
fn a_restock_raises_and_a_neighbour_who_took_may_leave_less_than_nothing() {
    let counters = stocked(&[(1, 10)]);
    let taken = must_take(&counters, &order(&[(1, 8)]));
    counters.observe(product(1), base(5, 2));
    assert_eq!(free(&counters, 1), -3);
    assert_eq!(counters.take(&order(&[(1, 1)])), Take::Contended);
    counters.observe(product(1), base(25, 3));
    assert_eq!(free(&counters, 1), 17);
    counters.give_back(&order(&[(1, 8)]), taken);
    assert_eq!(free(&counters, 1), 25);
}

#[test]
fn a_lowering_counts_at_once_and_is_settled_or_undone() {
    let counters = stocked(&[(1, 10)]);
    let lowered = counters.lower(product(1), units(7));
    assert_eq!(counters.take(&order(&[(1, 4)])), Take::Contended);
    counters.undo(lowered);
    assert_eq!(free(&counters, 1), 10);
    let lowered = counters.lower(product(1), units(7));
    counters.settle(product(1), units(0), Some(lowered), base(3, 2));
    assert_eq!(free(&counters, 1), 3);
}

#[test]
fn i3_a_lowering_of_a_striped_product_is_collected_from_its_stripes() {
    let counters = stocked(&[(1, 64)]);
    stripe(&counters, 1);
    for thread in 0..4 {
        assert!(matches!(counters.take_as(&order(&[(1, 1)]), thread), Take::Taken(_)));
    }
    let lowered = counters.lower(product(1), units(62));
    assert_eq!(free(&counters, 1), -2);
    for thread in 0..4 {
        assert_eq!(counters.take_as(&order(&[(1, 1)]), thread), Take::Contended);
    }
    counters.undo(lowered);
    assert_eq!(free(&counters, 1), 60);
}

#[test]
fn lowering_a_product_that_is_not_loaded_says_that_nothing_was_lowered() {
    let counters = Counters::new();
    let lowered = counters.lower(product(1), units(7));
    assert_eq!(lowered, Lowered { product: product(1), by: Units::ZERO });
    counters.observe(product(1), base(10, 1));
    counters.settle(product(1), units(0), Some(lowered), base(3, 2));
    assert_eq!(free(&counters, 1), 3);
    assert_eq!(counters.lower(product(1), units(-5)).by, Units::ZERO, "a lowering never raises");
}

#[test]
fn a_product_that_our_batch_created_is_loaded_by_settling() {
    let counters = Counters::new();
    counters.settle(product(1), units(0), None, base(12, 1));
    assert_eq!((free(&counters, 1), counters.products_loaded()), (12, 1));
}

#[test]
fn a_new_epoch_wins_with_any_version_and_an_old_one_never() {
    let counters = stocked(&[(1, 10)]);
    counters.observe(product(1), base(10, 900));
    let epoch = counters.begin_epoch();
    assert_eq!((epoch, counters.epoch()), (1, 1));
    let after = Base { epoch, ..base(4, 3) };
    counters.observe(product(1), after);
    counters.observe(product(1), base(99, 901));
    assert_eq!((free(&counters, 1), counters.inspect(product(1)).unwrap().base), (4, after));
}

#[test]
fn i14_a_base_of_an_older_epoch_refuses_nothing() {
    let counters = stocked(&[(1, 0), (2, 5), (3, 5)]);
    let epoch = counters.begin_epoch();
    assert_eq!(counters.take(&order(&[(1, 1), (2, 1), (3, 6)])), Take::Unknown(vec![product(1), product(3)]));
    let _in_flight = must_take(&counters, &order(&[(2, 5)]));
    assert_eq!(counters.take(&order(&[(2, 1)])), Take::Unknown(vec![product(2)]));
    counters.observe(product(2), Base { epoch, ..base(5, 1) });
    assert_eq!(counters.take(&order(&[(2, 1)])), Take::Contended);
    counters.observe(product(1), Base { epoch, ..base(0, 1) });
    assert!(matches!(counters.take(&order(&[(1, 1)])), Take::Short(_)));
}
