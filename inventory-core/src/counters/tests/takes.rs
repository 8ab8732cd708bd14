use super::*;
use crate::counters::ShortLine;
use crate::counters::stripes::StripeTable;
use crate::counters::take::take_all;

fn short(id: i64, requested: i64, available: i64) -> ShortLine {
    ShortLine {
        product: product(id),
        requested: Quantity::new(requested).unwrap(),
        available: units(available),
        limited: false,
    }
}

#[test]
fn products_that_are_not_loaded_are_all_named_and_nothing_is_taken() {
    let counters = stocked(&[(2, 5)]);
    let answer = counters.take(&order(&[(1, 1), (2, 1), (3, 1)]));
    assert_eq!(answer, Take::Unknown(vec![product(1), product(3)]));
    assert_eq!(free(&counters, 2), 5);
    assert_eq!(counters.inspect(product(1)), None);
}

#[test]
fn an_order_without_lines_takes_nothing() {
    assert!(matches!(Counters::new().take(&Lines::none()), Take::Taken(_)));
}

#[test]
fn i3_what_is_in_flight_contends_and_what_the_base_lacks_is_short() {
    let counters = stocked(&[(1, 3)]);
    let taken = must_take(&counters, &order(&[(1, 2)]));
    assert_eq!(counters.take(&order(&[(1, 2)])), Take::Contended);
    assert_eq!(counters.take(&order(&[(1, 4)])), Take::Short(vec![short(1, 4, 3)]));
    counters.give_back(&order(&[(1, 2)]), taken);
    assert_eq!(free(&counters, 1), 3);
}

#[test]
fn every_line_that_the_base_lacks_is_named_and_only_those() {
    let counters = stocked(&[(1, 5), (2, 0), (3, 1), (4, 5)]);
    let _in_flight = must_take(&counters, &order(&[(4, 5)]));
    let answer = counters.take(&order(&[(1, 1), (2, 1), (3, 2), (4, 1)]));
    assert_eq!(answer, Take::Short(vec![short(2, 1, 0), short(3, 2, 1)]));
    assert_eq!((free(&counters, 1), free(&counters, 3)), (5, 1));
}

#[test]
fn a_line_in_flight_does_not_hide_that_a_later_one_is_short() {
    let counters = stocked(&[(1, 1), (2, 0)]);
    let _in_flight = must_take(&counters, &order(&[(1, 1)]));
    assert_eq!(counters.take(&order(&[(1, 1), (2, 1)])), Take::Short(vec![short(2, 1, 0)]));
}

#[test]
fn i10_a_cart_that_cannot_have_all_takes_nothing() {
    let counters = stocked(&[(1, 2), (2, 2)]);
    let _in_flight = must_take(&counters, &order(&[(2, 1)]));
    assert_eq!(counters.take(&order(&[(1, 1), (2, 2)])), Take::Contended);
    assert_eq!((free(&counters, 1), free(&counters, 2)), (2, 1));
    assert_eq!(counters.yields(), 0, "it looked before it took");
}

#[test]
fn a_short_line_says_whether_the_product_is_limited() {
    let counters = Counters::new();
    counters.observe(product(1), Base { limited: true, ..base(0, 1) });
    let expected = ShortLine { limited: true, ..short(1, 1, 0) };
    assert_eq!(counters.take(&order(&[(1, 1)])), Take::Short(vec![expected]));
}

#[test]
fn i3_stripes_hold_what_the_centre_held_and_every_thread_can_have_it_all() {
    let counters = stocked(&[(1, 100)]);
    stripe(&counters, 1);
    assert_eq!((counters.products_striped(), counters.inspect(product(1)).unwrap().stripes), (1, 4));
    let one = order(&[(1, 1)]);
    for thread in 0..40 {
        assert!(matches!(counters.take_as(&one, thread), Take::Taken(_)));
    }
    assert_eq!(free(&counters, 1), 60);
    assert!(matches!(counters.take_as(&order(&[(1, 61)]), 2), Take::Contended));
    assert!(matches!(counters.take_as(&order(&[(1, 60)]), 2), Take::Taken(_)));
    assert_eq!(counters.take_as(&one, 3), Take::Contended);
    assert_eq!(free(&counters, 1), 0);
}

#[test]
fn one_core_never_stripes() {
    let counters = Counters::for_cores(1);
    counters.observe(product(1), base(9, 1));
    stripe(&counters, 1);
    assert_eq!((counters.products_striped(), counters.inspect(product(1)).unwrap().stripes), (0, 0));
}

#[test]
fn i18_nonsense_from_a_store_does_not_overflow() {
    let counters = stocked(&[(1, i64::MAX), (2, i64::MIN)]);
    let most = Quantity::new(i64::from(i32::MAX)).unwrap();
    let order = Lines::one(product(1), most);
    let taken = must_take(&counters, &order);
    counters.observe(product(2), base(i64::MAX, 2));
    counters.observe(product(1), base(i64::MIN, 2));
    assert!(matches!(counters.take(&order), Take::Short(_)));
    let lowered = counters.lower(product(1), units(i64::MAX));
    assert!(free(&counters, 1) < 0 && free(&counters, 2) > 0);
    counters.undo(lowered);
    counters.give_back(&order, taken);
    counters.observe(product(1), base(7, 3));
    counters.observe(product(2), base(8, 3));
    assert_eq!((free(&counters, 1), free(&counters, 2)), (7, 8));
}

#[test]
fn i10_a_cart_that_loses_a_race_gives_back_and_is_counted() {
    let counters = stocked(&[(1, 1)]);
    let cell = counters.cell(product(1)).unwrap();
    // The same unit twice: both looks find it, the second take does not.
    let wanted = [(cell, Quantity::ONE), (cell, Quantity::ONE)];
    let refused = take_all(&wanted, &counters.table, 0, &counters.yields).unwrap_err();
    assert_eq!((refused.line, refused.base), (1, base(1, 1)));
    assert_eq!((free(&counters, 1), counters.yields()), (1, 1));
}

#[test]
fn lost_races_stripe_a_product_and_a_few_do_not() {
    let counters = stocked(&[(1, 9)]);
    let cell = counters.cell(product(1)).unwrap();
    cell.note_losses(63, &counters.table);
    assert_eq!(counters.products_striped(), 0);
    cell.note_losses(1, &counters.table);
    cell.note_losses(99, &counters.table);
    assert_eq!(counters.products_striped(), 1);
}

#[test]
fn a_full_table_of_stripes_leaves_products_plain() {
    let counters = Counters { table: StripeTable::new(4, 1), ..stocked(&[(1, 9), (2, 9)]) };
    stripe(&counters, 1);
    stripe(&counters, 2);
    assert_eq!(counters.products_striped(), 1);
    assert_eq!(counters.inspect(product(2)).unwrap().stripes, 0);
    let _taken = must_take(&counters, &order(&[(1, 9), (2, 9)]));
}
