use std::time::Duration;

use anyhow::Result;
use benches::arena::Arena;
use benches::drive::Load;
use benches::measure::measure;
use benches::peers::conditional_update::ConditionalUpdate;
use benches::peers::row_per_unit::RowPerUnit;
use benches::peers::transaction::Transaction;
use benches::peers::{Answer, Client, Kind, Peer};
use benches::workload::{Ids, Request, Shape, Workload};
use inventory_core::ids::{OrderId, ProductId};
use inventory_core::lines::{Line, Lines};
use inventory_core::quantity::Quantity;
use test_support::postgres::database;
use tokio::task::JoinSet;
use uuid::Uuid;

const CALLERS: usize = 8;
const REQUESTS: usize = 50;

/// Callers at once, so many requests each; the units that they were told they hold.
async fn ask<P: Peer>(peer: &P, workload: &Workload) -> Result<i64> {
    let mut callers = JoinSet::new();
    for number in 0..CALLERS {
        let mut client = peer.connect().await?;
        let mut walker = workload.walker(42, number, CALLERS)?;
        callers.spawn(async move {
            let mut units = 0;
            for _ in 0..REQUESTS {
                let request = walker.next_request();
                let asked_for = request.units();
                assert_eq!(client.reserve(request).await?, Answer::Held);
                units += asked_for;
            }
            anyhow::Ok(units)
        });
    }
    let mut units = 0;
    while let Some(told) = callers.join_next().await {
        units += told??;
    }
    Ok(units)
}

async fn orders(url: &str) -> Result<i64> {
    use sqlx::Connection as _;
    let mut conn = sqlx::PgConnection::connect(url).await?;
    Ok(sqlx::query_scalar("SELECT count(*) FROM peer.reservations").fetch_one(&mut conn).await?)
}

async fn holds_what_it_answers(kind: Kind, shape: Shape, ids: Ids) -> Result<()> {
    let workload = Workload::new(shape, ids)?;
    let url = database().await.url;
    let (units, taken) = match kind {
        Kind::Transaction => {
            let peer = Transaction::prepare(&url, &workload).await?;
            (ask(&peer, &workload).await?, peer.taken().await?)
        }
        Kind::ConditionalUpdate => {
            let peer = ConditionalUpdate::prepare(&url, &workload).await?;
            (ask(&peer, &workload).await?, peer.taken().await?)
        }
        _ => {
            let peer = RowPerUnit::prepare(&url, &workload, 1_000).await?;
            (ask(&peer, &workload).await?, peer.taken().await?)
        }
    };
    assert_eq!(taken, Some(units), "{kind:?} {shape:?}");
    assert_eq!(orders(&url).await?, i64::try_from(CALLERS * REQUESTS)?, "{kind:?} {shape:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_peer_in_sql_holds_what_it_answers() -> Result<()> {
    for kind in [Kind::Transaction, Kind::ConditionalUpdate, Kind::RowPerUnit] {
        for shape in [Shape::Hot, Shape::Spread, Shape::Zipf, Shape::Baskets] {
            if kind.declines(shape).is_none() {
                holds_what_it_answers(kind, shape, Ids::TimeOrdered).await?;
            }
        }
        holds_what_it_answers(kind, Shape::Hot, Ids::Random).await?;
    }
    Ok(())
}

fn order(lines: &[(i64, i64)]) -> Result<Request> {
    let lines = lines.iter().map(|&(product, quantity)| {
        Ok(Line { product: ProductId::new(product), quantity: Quantity::new(quantity)? })
    });
    let lines = Lines::new(lines.collect::<Result<Vec<_>>>()?)?;
    Ok(Request { order: OrderId::new(Uuid::new_v4()), lines })
}

/// Of product 1 there are two units, of product 2 there is one.
async fn make_scarce(url: &str) -> Result<()> {
    use sqlx::Connection as _;
    let mut conn = sqlx::PgConnection::connect(url).await?;
    let scarce = "UPDATE peer.inventory SET on_hand = held + 3 - product_id WHERE product_id IN (1, 2)";
    sqlx::query(scarce).execute(&mut conn).await?;
    Ok(())
}

async fn refuses_what_is_short<P: Peer>(peer: &P) -> Result<()> {
    let mut client = peer.connect().await?;
    let asked = [
        (order(&[(1, 3)])?, Answer::Refused),
        (order(&[(1, 1), (2, 2)])?, Answer::Refused),
        (order(&[(1, 1), (2, 1)])?, Answer::Held),
        (order(&[(1, 1), (2, 1), (3, 5)])?, Answer::Refused),
        (order(&[(2, 1)])?, Answer::Refused),
        (order(&[(1, 1)])?, Answer::Held),
        (order(&[(1, 1)])?, Answer::Refused),
        (order(&[(1_000_000, 1)])?, Answer::Refused),
    ];
    for (request, answer) in asked {
        assert_eq!(client.reserve(request.clone()).await?, answer, "{request:?}");
    }
    assert_eq!(peer.taken().await?, Some(3));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_peers_hold_all_lines_or_none_and_never_more_than_there_is() -> Result<()> {
    let workload = Workload::new(Shape::Spread, Ids::Random)?;
    let url = database().await.url;
    let peer = Transaction::prepare(&url, &workload).await?;
    make_scarce(&url).await?;
    refuses_what_is_short(&peer).await?;

    let url = database().await.url;
    let peer = ConditionalUpdate::prepare(&url, &workload).await?;
    make_scarce(&url).await?;
    refuses_what_is_short(&peer).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_units_of_a_product_with_rows_go_to_as_many_orders() -> Result<()> {
    let workload = Workload::new(Shape::Hot, Ids::Random)?;
    let url = database().await.url;
    let peer = RowPerUnit::prepare(&url, &workload, 3).await?;
    let mut client = peer.connect().await?;
    // All or nothing: of three units four are not to be had, and the three stay free.
    assert_eq!(client.reserve(order(&[(1, 4)])?).await?, Answer::Refused);
    assert_eq!(client.reserve(order(&[(1, 2)])?).await?, Answer::Held);
    assert_eq!(client.reserve(order(&[(1, 2)])?).await?, Answer::Refused);
    assert_eq!(client.reserve(order(&[(1, 1)])?).await?, Answer::Held);
    assert_eq!(client.reserve(order(&[(1, 1)])?).await?, Answer::Refused);
    assert_eq!(peer.taken().await?, Some(3));
    Ok(())
}

/// Each run checks itself that the database holds what the answers said.
#[tokio::test(flavor = "multi_thread")]
async fn runs_of_this_engine_and_what_stands_beside_it_agree_with_their_database() -> Result<()> {
    let arena = Arena::open(None).await?;
    let load = Load {
        connections: 8,
        warm_up: Duration::from_millis(50),
        length: Duration::from_millis(300),
        seed: 42,
        expect: Answer::Held,
    };
    let baskets = Workload::new(Shape::Baskets, Ids::Random)?;
    measure(&arena, Kind::OverHttp, &baskets, &load).await?;
    // A batch is whole whatever the clock says.
    assert!(measure(&arena, Kind::Floor, &baskets, &load).await?.answers >= 1_000);
    let hot = Workload::new(Shape::Hot, Ids::TimeOrdered)?;
    for kind in [Kind::InProcess, Kind::Bare, Kind::Insert, Kind::ReserveBatch, Kind::Commit, Kind::Release] {
        measure(&arena, kind, &hot, &load).await?;
    }
    let sold_out = measure(&arena, Kind::SoldOut, &hot, &Load { expect: Answer::Refused, ..load }).await?;
    assert_eq!(sold_out.units, 0);
    let wrong = measure(&arena, Kind::SoldOut, &hot, &load).await;
    assert!(wrong.unwrap_err().to_string().contains("only worth something if all are Held"));
    Ok(())
}
