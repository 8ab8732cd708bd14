//! How the server reads the streams, over a connection with the store's settings.

use sqlx::{AssertSqlSafe, Executor as _, Row as _};

use super::sql::{self, Cursor};
use super::{PIECE_ROWS_MAX, PostgresSnapshot};
use crate::ids::ProductId;
use crate::store::audit_rows::Piece;
use crate::store::postgres::{PostgresOptions, PostgresStore, connect};

/// Many holds in few batches, of products of which most have no limit; none has, as far as the statistics know.
const LEDGER: [&str; 4] = [
    "INSERT INTO inventory (product_id, on_hand, held, version, admin_version, last_batch) \
     SELECT product, 1000, 1, 1, 1, gen_random_uuid() FROM generate_series(1, 2000) AS product",
    "INSERT INTO reservations (order_id, status, customer_id, created_at, expires_at, expires_at_max, products, quantities) \
     SELECT gen_random_uuid(), 1, 'c' || product, now(), now(), now(), ARRAY[product], '{1}' \
     FROM generate_series(1, 2000) AS product",
    "INSERT INTO journal (batch_id, at, kinds, orders, line_command, line_product, line_units, products, versions, \
         on_hands, helds, previous, remark_command, remark_adjustment, remark_reason, remark_reference, remark_customer, \
         remark_consumer, remark_message) \
     SELECT gen_random_uuid(), now(), array_agg(1), array_agg(gen_random_uuid()), array_agg(n), array_agg(n), \
         array_agg(n), array_agg(n), array_agg(n), array_agg(n), array_agg(n), array_agg(gen_random_uuid()), '{1}', \
         '{NULL}', '{NULL}', '{NULL}', '{c1}', '{NULL}', '{NULL}' \
     FROM generate_series(1, 50) AS batch, generate_series(1, 200) AS n GROUP BY batch",
    "ANALYZE inventory, reservations, journal",
];

fn streams() -> [(Piece, Vec<Cursor>); 5] {
    let (nil, max) = (uuid::Uuid::nil(), uuid::Uuid::max());
    [
        (
            Piece::Products { from: ProductId::new(i64::MIN), through: ProductId::new(i64::MAX) },
            vec![
                sql::PRODUCTS,
                sql::HELD,
                sql::VERSIONS,
                sql::EFFECTS,
                sql::CUSTOMER_UNITS,
                sql::CUSTOMER_LINES,
            ],
        ),
        (Piece::Orders { from: nil, through: max }, vec![sql::RESERVATIONS, sql::COMMAND_LINES]),
        (Piece::Batches { from: nil, through: max }, vec![sql::BATCHES, sql::FENCES, sql::EVENTS]),
        (Piece::Adjustments { from: String::new(), before: None }, vec![sql::ADJUSTMENTS, sql::ADJUSTS]),
        (Piece::Deliveries { from: String::new(), before: None }, vec![sql::INBOX, sql::DELIVERIES]),
    ]
}

/// The plan of every stream, as lines.
async fn plans(view: &mut PostgresSnapshot) -> Vec<Vec<String>> {
    let mut plans = Vec::new();
    for (piece, cursors) in streams() {
        view.end().await.unwrap();
        view.begin().await.unwrap();
        for cursor in cursors {
            let explain = AssertSqlSafe(format!("EXPLAIN (VERBOSE, COSTS OFF) {}", cursor.declare));
            let query = super::bind(sqlx::query(explain).persistent(false), &piece);
            let lines = query.fetch_all(&mut view.connection).await.unwrap();
            plans.push(lines.iter().map(|line| line.get(0)).collect());
        }
        view.piece = Some(piece);
    }
    view.end().await.unwrap();
    plans
}

/// A nested loop that compares each row of one side with each of the other; one that runs a row's own arrays through has no filter.
fn compares_each_with_each(plan: &[String]) -> bool {
    plan.windows(4).any(|lines| {
        let after = lines[1..].iter().take_while(|line| !line.contains("->"));
        lines[0].contains("Nested Loop")
            && after.clone().any(|line| line.trim_start().starts_with("Join Filter"))
    })
}

fn joins_by_key(plan: &[String]) -> usize {
    let is_join =
        |line: &&String| line.contains(" Join") && (line.contains("Hash ") || line.contains("Merge "));
    plan.iter().filter(is_join).count()
}

#[tokio::test]
async fn no_stream_of_the_audit_compares_each_row_with_each_and_arrays_are_joined_by_key() {
    let url = test_support::postgres::database().await.url;
    PostgresStore::migrate(&url).await.unwrap();
    let options = connect::options(&url, &PostgresOptions::default()).unwrap();
    let mut writer = connect::open(&options).await.unwrap();
    for is_full in [false, true] {
        if is_full {
            for statement in LEDGER {
                writer.execute(statement).await.unwrap();
            }
        }
        let connection = connect::open(&options).await.unwrap();
        let mut view = PostgresSnapshot::new(connection, PIECE_ROWS_MAX);
        let plans = plans(&mut view).await;
        assert_eq!(plans.len(), 15);
        for plan in &plans {
            assert!(!compares_each_with_each(plan), "{}", plan.join("\n"));
        }
        // Effects join twice, command lines twice, adjusting commands three times, customers' lines once.
        let joins: Vec<usize> =
            plans.iter().map(|plan| joins_by_key(plan)).filter(|&joins| joins > 0).collect();
        assert_eq!(joins, [2, 1, 2, 3], "{plans:#?}");
    }
}
