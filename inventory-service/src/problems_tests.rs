use inventory_core::clock::Timestamp;
use inventory_core::quantity::Quantity;
use serde_json::{Value, json};
use service_kit::json::Wire;

use super::*;
use crate::wire::requests::CommitWire;

const P: ProductId = ProductId::new(7);

fn order() -> OrderId {
    OrderId::new(Uuid::nil())
}

fn quantity(number: i64) -> Quantity {
    Quantity::new(number).unwrap()
}

fn read(problem: Problem) -> (u16, &'static str, Value) {
    let (status, code) = (problem.status().as_u16(), problem.code());
    (status, code, serde_json::to_value(problem.into_body(None)).unwrap())
}

/// Status and code of each, as the contract has them.
fn assert_table(table: impl IntoIterator<Item = (Problem, u16, &'static str)>) {
    for (problem, status, code) in table {
        let (actual_status, actual_code, body) = read(problem);
        assert_eq!((actual_status, actual_code), (status, code), "{body}");
        assert_eq!(body["type"], format!("urn:holdfast:problem:{code}"));
    }
}

fn quantity_differs() -> Difference {
    Difference::Quantity { product: P, had: 2, asked: 3 }
}

#[test]
fn failures_are_503_with_retry_after_but_for_a_refused_change_which_is_a_500_that_tells_nothing() {
    let unavailable = Failure::Unavailable { reason: "password=secret".to_owned() };
    let refused = Failure::Refused { reason: "password=secret".to_owned() };
    for told in [failure(unavailable.clone()), failure(refused.clone())] {
        assert!(!read(told).2.to_string().contains("secret"));
    }
    assert_table([
        (failure(Failure::Overloaded), 503, "overloaded"),
        (failure(unavailable), 503, "unavailable"),
        (failure(Failure::OutcomeUnknown), 503, "outcome_unknown"),
        (failure(Failure::Stopped), 503, "unavailable"),
        (failure(refused), 500, "internal_error"),
    ]);
}

#[test]
fn reserve_commit_release_and_extend_read_as_the_contract_says() {
    let o = order();
    let conflict = || ReserveError::Conflict { order: o, difference: quantity_differs() };
    assert_table([
        (reserve(conflict()), 422, "order_conflict"),
        (reserve(ReserveError::AlreadyReleased(o)), 409, "already_released"),
        (reserve(ReserveError::Expired(o)), 410, "reservation_expired"),
        (reserve(ReserveError::ProductNotFound(vec![P])), 404, "product_not_found"),
        (reserve(ReserveError::CustomerRequired { product: P, limit: quantity(2) }), 422, "invalid_request"),
        (reserve(ReserveError::InsufficientStock(vec![])), 409, "insufficient_stock"),
        (reserve(Failure::Overloaded.into()), 503, "overloaded"),
        (commit(CommitError::NotFound(o), None), 404, "reservation_not_found"),
        (
            commit(CommitError::Conflict { order: o, difference: quantity_differs() }, None),
            422,
            "order_conflict",
        ),
        (commit(CommitError::MoreThanHeld { product: P, held: 1 }, None), 422, "invalid_request"),
        (commit(CommitError::AlreadyReleased(o), None), 409, "already_released"),
        (commit(CommitError::Expired(o), None), 410, "reservation_expired"),
        (commit(Failure::OutcomeUnknown.into(), None), 503, "outcome_unknown"),
        (release(ReleaseError::NotFound(o), None), 404, "reservation_not_found"),
        (release(ReleaseError::MoreThanHeld { product: P, held: 1 }, None), 422, "invalid_request"),
        (release(ReleaseError::AlreadyCommitted(o), None), 409, "already_committed"),
        (release(ReleaseError::AlreadyReleased(o), None), 409, "already_released"),
        (release(ReleaseError::Expired(o), None), 410, "reservation_expired"),
        (release(Failure::Stopped.into(), None), 503, "unavailable"),
        (extend(ExtendError::NotFound(o), Duration::ZERO), 404, "reservation_not_found"),
        (
            extend(ExtendError::TtlTooLong { expires_at_max: Timestamp::EPOCH }, Duration::ZERO),
            422,
            "ttl_too_long",
        ),
        (extend(ExtendError::AlreadyCommitted(o), Duration::ZERO), 409, "already_committed"),
        (extend(ExtendError::AlreadyReleased(o), Duration::ZERO), 409, "already_released"),
        (extend(ExtendError::Expired(o), Duration::ZERO), 410, "reservation_expired"),
        (extend(Failure::Overloaded.into(), Duration::ZERO), 503, "overloaded"),
    ]);
}

#[test]
fn administration_reads_as_the_contract_says() {
    let below = AdjustError::BelowHeld { product: P, on_hand: Units::stored(9), held: Units::stored(6) };
    let differs =
        AdjustError::Conflict { adjustment: "a-1".to_owned(), difference: "delta 1, not 2".to_owned() };
    assert!(adjust(differs.clone(), &[]).detail().contains("delta 1, not 2"));
    assert!(adjust(below.clone(), &[]).detail().contains("at most 3"));
    assert_table([
        (adjust(AdjustError::ProductNotFound(P), &[]), 404, "product_not_found"),
        (adjust(differs, &[]), 422, "adjustment_conflict"),
        (adjust(below, &[]), 409, "below_held"),
        (adjust(AdjustError::TooMuch(P), &[]), 422, "invalid_request"),
        (adjust(Failure::Overloaded.into(), &[]), 503, "overloaded"),
        (set(SetError::Stale { product: P, admin_version: Some(4) }, &[]), 412, "stale"),
        (set(SetError::Stale { product: P, admin_version: None }, &[]), 412, "stale"),
        (set(SetError::BelowHeld { product: P, held: Units::stored(6) }, &[]), 409, "below_held"),
        (set(Failure::Overloaded.into(), &[]), 503, "overloaded"),
    ]);
}

#[test]
fn every_short_line_is_told_and_an_unknown_expiry_is_left_out() {
    let short = |product, expiry| Shortage {
        product: ProductId::new(product),
        requested: quantity(3),
        available: Units::stored(1),
        earliest_expiry_at: expiry,
    };
    let shortages = vec![short(7, None), short(8, Some(Timestamp::EPOCH))];
    let (_, _, body) = read(reserve(ReserveError::InsufficientStock(shortages)));
    assert_eq!(
        body["items"],
        json!([
            {"productId": 7, "requested": 3, "available": 1},
            {"productId": 8, "requested": 3, "available": 1, "earliestExpiryAt": "1970-01-01T00:00:00.000000Z"},
        ])
    );
}

#[test]
fn a_customer_limit_tells_the_limit_what_is_taken_and_what_is_left() {
    let error =
        |taken| ReserveError::CustomerLimit { product: P, limit: quantity(5), taken: Units::stored(taken) };
    let (status, code, body) = read(reserve(error(2)));
    assert_eq!((status, code), (409, "customer_limit"));
    assert_eq!((&body["productId"], &body["limit"], &body["taken"]), (&json!(7), &json!(5), &json!(2)));
    assert!(body["detail"].as_str().unwrap().contains("at most 3"));
    // The limit was lowered since.
    assert!(reserve(error(9)).detail().contains("at most 0"));
}

#[test]
fn an_order_conflict_names_the_difference() {
    let of = |difference| reserve(ReserveError::Conflict { order: order(), difference }).detail().to_owned();
    assert!(of(quantity_differs()).contains("it has 2 of product 7, and this request asks for 3"));
    assert!(of(Difference::Quantity { product: P, had: 2, asked: 0 }).contains("leaves out"));
    assert!(of(Difference::Quantity { product: P, had: 0, asked: 2 }).contains("nothing of product 7"));
    let customers = Difference::Customer { had: Some("a".to_owned()), asked: None };
    assert!(of(customers).contains("names customer a, and this request names no customer"));
}

#[test]
fn more_than_held_names_the_entry_at_fault() {
    let wire: CommitWire = serde_json::from_value(json!({"orderId": Uuid::nil(),
        "items": [{"productId": 9, "quantity": 1}, {"productId": 7, "quantity": 5}]}))
    .unwrap();
    let items = wire.parse().unwrap().items;
    let (_, _, body) = read(commit(CommitError::MoreThanHeld { product: P, held: 2 }, items.as_ref()));
    assert_eq!(body["errors"][0]["field"], "items[1].quantity");
    assert!(body["errors"][0]["message"].as_str().unwrap().contains("the 2 held"));
}

#[test]
fn a_missing_customer_is_an_error_of_its_field() {
    let (_, _, body) = read(reserve(ReserveError::CustomerRequired { product: P, limit: quantity(2) }));
    assert_eq!(body["errors"][0]["field"], "customerId");
}

#[test]
fn at_most_twenty_blocking_holds_are_listed() {
    let hold =
        HoldOn { order: order(), quantity: quantity(1), expires_at: Timestamp::from_micros(1_000_000) };
    let error = SetError::BelowHeld { product: P, held: Units::stored(30) };
    let (_, _, body) = read(set(error, &[hold; 30]));
    assert_eq!(body["holds"].as_array().unwrap().len(), BLOCKING_HOLDS_MAX);
    assert_eq!(
        body["holds"][0],
        json!({"orderId": Uuid::nil(), "quantity": 1, "expiresAt": "1970-01-01T00:00:01.000000Z"})
    );
}
