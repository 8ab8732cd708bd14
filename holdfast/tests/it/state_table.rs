//! What an order's state answers: every cell of the table of the contract, and what it leaves behind.

use std::sync::atomic::{AtomicI64, Ordering};

use futures::future::join_all;
use uuid::Uuid;

use crate::answers::Answer;
use crate::shop::{Shop, new_order, on_every_store};

/// A column of the table. A hold past its time answers the same before and after the sweeper came by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Unknown,
    Held,
    Committed,
    Released,
    Overdue,
    Swept,
    Lost,
}

const STATES: [State; 7] = [
    State::Unknown,
    State::Held,
    State::Committed,
    State::Released,
    State::Overdue,
    State::Swept,
    State::Lost,
];

/// What a cell must answer, and the status that the order must have after it (none: still unknown).
struct Cell {
    status: u16,
    code: &'static str,
    after: Option<&'static str>,
}

const fn cell(status: u16, code: &'static str, after: Option<&'static str>) -> Cell {
    Cell { status, code, after }
}

/// What every order of these tests asks for; each has a product of its own.
const QUANTITY: u32 = 2;

async fn order_in(shop: &Shop, state: State, product: i64) -> Uuid {
    shop.stock(product, 10).await;
    let lines = [(product, QUANTITY)];
    match state {
        State::Unknown => new_order(),
        State::Held => shop.hold(&lines).await,
        State::Committed => {
            let order = shop.hold(&lines).await;
            shop.commit(order).await.is(200);
            order
        }
        State::Released => {
            let order = shop.hold(&lines).await;
            shop.release(order).await.is(200);
            order
        }
        State::Overdue => shop.overdue_hold(&lines).await,
        State::Swept => shop.swept_hold(&lines).await,
        State::Lost => shop.lost_order(&lines).await,
    }
}

/// Brings an order into each state, applies `operation` to it and compares. The states are tried at the same time.
async fn check_row(
    shop: &Shop,
    operation: impl AsyncFn(&Shop, Uuid, i64) -> Answer,
    expected: impl Fn(State) -> Cell,
) {
    static PRODUCT: AtomicI64 = AtomicI64::new(1);
    let columns = STATES.map(|state| {
        let (operation, expected) = (&operation, &expected);
        let product = PRODUCT.fetch_add(1, Ordering::Relaxed);
        async move {
            let order = order_in(shop, state, product).await;
            let answer = operation(shop, order, product).await;
            let cell = expected(state);
            assert_eq!(
                (answer.status, answer.code().as_str()),
                (cell.status, cell.code),
                "{state:?}: {answer:#?}"
            );
            match cell.code {
                "" => drop(answer.is(cell.status)),
                code => drop(answer.is_problem(cell.status, code)),
            }
            match cell.after {
                Some(after) => assert_eq!(shop.status(order).await, after, "after {state:?}"),
                None => drop(shop.reservation(order).await.is_problem(404, "reservation_not_found")),
            }
        }
    });
    join_all(columns).await;
    shop.audit_is_ok().await;
}

#[tokio::test]
async fn i4_reserve_with_the_same_lines_answers_by_state() {
    on_every_store(async |shop: Shop| {
        let reserve = async |shop: &Shop, order, product| shop.reserve(order, &[(product, QUANTITY)]).await;
        check_row(&shop, reserve, |state| match state {
            State::Unknown => cell(201, "", Some("HELD")),
            State::Held => cell(200, "", Some("HELD")),
            State::Committed => cell(200, "", Some("COMMITTED")),
            State::Released => cell(409, "already_released", Some("RELEASED")),
            State::Overdue | State::Swept => cell(410, "reservation_expired", Some("EXPIRED")),
            State::Lost => cell(410, "reservation_expired", Some("LOST")),
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn i4_commit_answers_by_state() {
    on_every_store(async |shop: Shop| {
        let commit = async |shop: &Shop, order, _| shop.commit(order).await;
        check_row(&shop, commit, |state| match state {
            State::Unknown => cell(404, "reservation_not_found", None),
            State::Held | State::Committed | State::Overdue | State::Swept => {
                cell(200, "", Some("COMMITTED"))
            }
            State::Released => cell(409, "already_released", Some("RELEASED")),
            State::Lost => cell(410, "reservation_expired", Some("LOST")),
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn i4_release_answers_by_state() {
    on_every_store(async |shop: Shop| {
        let release = async |shop: &Shop, order, _| shop.release(order).await;
        check_row(&shop, release, |state| match state {
            State::Committed => cell(409, "already_committed", Some("COMMITTED")),
            State::Lost => cell(200, "", Some("LOST")),
            State::Unknown | State::Held | State::Released | State::Overdue | State::Swept => {
                cell(200, "", Some("RELEASED"))
            }
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn i4_release_with_items_answers_by_state() {
    on_every_store(async |shop: Shop| {
        let release_one =
            async |shop: &Shop, order, product| shop.release_items(order, &[(product, 1)]).await;
        check_row(&shop, release_one, |state| match state {
            State::Unknown => cell(404, "reservation_not_found", None),
            State::Held => cell(200, "", Some("HELD")),
            State::Committed => cell(409, "already_committed", Some("COMMITTED")),
            State::Released => cell(409, "already_released", Some("RELEASED")),
            State::Overdue | State::Swept => cell(410, "reservation_expired", Some("EXPIRED")),
            State::Lost => cell(410, "reservation_expired", Some("LOST")),
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn i4_extend_answers_by_state() {
    on_every_store(async |shop: Shop| {
        let extend = async |shop: &Shop, order, _| shop.extend(order, 60).await;
        check_row(&shop, extend, |state| match state {
            State::Unknown => cell(404, "reservation_not_found", None),
            State::Held => cell(200, "", Some("HELD")),
            State::Committed => cell(409, "already_committed", Some("COMMITTED")),
            State::Released => cell(409, "already_released", Some("RELEASED")),
            State::Overdue | State::Swept => cell(410, "reservation_expired", Some("EXPIRED")),
            State::Lost => cell(410, "reservation_expired", Some("LOST")),
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_replayed_reserve_says_so_and_shows_the_order_as_it_is() {
    on_every_store(async |shop: Shop| {
        shop.stock(1, 10).await;
        let order = new_order();
        let first = shop.reserve(order, &[(1, 2)]).await.is(201);
        assert_eq!((&first["replayed"], &first["status"]), (&false.into(), &"HELD".into()));
        let second = shop.reserve(order, &[(1, 2)]).await.is(200);
        assert_eq!((&second["replayed"], &second["status"]), (&true.into(), &"HELD".into()));
        assert_eq!(second["expiresAt"], first["expiresAt"]);
        shop.commit(order).await.is(200);
        let third = shop.reserve(order, &[(1, 2)]).await.is(200);
        assert_eq!((&third["replayed"], &third["status"]), (&true.into(), &"COMMITTED".into()));
        assert_eq!(shop.counts(1).await, (8, 0, 8));
    })
    .await;
}

#[tokio::test]
async fn a_late_commit_takes_the_stock_again_and_says_late() {
    on_every_store(async |shop: Shop| {
        shop.stock(1, 10).await;
        let order = shop.swept_hold(&[(1, 3)]).await;
        assert_eq!(shop.counts(1).await, (10, 0, 10));
        let late = shop.commit(order).await.is(200);
        assert_eq!((&late["late"], &late["status"]), (&true.into(), &"COMMITTED".into()));
        assert_eq!(shop.counts(1).await, (7, 0, 7));
        assert_eq!(shop.commit(order).await.is(200), late, "the same body again");
        assert_eq!(shop.counts(1).await, (7, 0, 7));
    })
    .await;
}

#[tokio::test]
async fn a_lost_order_stays_lost_when_stock_comes_back() {
    on_every_store(async |shop: Shop| {
        shop.stock(1, 10).await;
        let order = shop.lost_order(&[(1, 3)]).await;
        shop.stock(1, 10).await;
        shop.commit(order).await.is_problem(410, "reservation_expired");
        assert_eq!(shop.status(order).await, "LOST");
        assert_eq!(shop.counts(1).await, (10, 0, 10));
    })
    .await;
}
