//! I13: every saga has ended one way, and every order that was acknowledged is there.

use std::collections::HashMap;

use anyhow::Result;
use sqlx::PgConnection;
use uuid::Uuid;

use super::Check;
use crate::clients::Remembered;

const UNDER_WAY: &str = "SELECT order_id, status::text, payment_status, saga_phase FROM order_service_schema.orders \
    WHERE status::text IN ('PENDING', 'AWAITING_PAYMENT') OR payment_status = 'REFUNDING'";
const CALLS: &str =
    "SELECT order_id, action, attempts, COALESCE(last_error, '') FROM order_service_schema.saga_actions";
const COUNT: &str = "SELECT count(*) FROM order_service_schema.orders";
const PLACED: &str = "SELECT o.order_id, o.user_id, array_agg(i.product_id ORDER BY i.product_id), \
    array_agg(i.quantity ORDER BY i.product_id) FROM order_service_schema.orders o \
    JOIN order_service_schema.order_items i USING (order_id) GROUP BY o.order_id, o.user_id";

/// What is still under way, and calls that nobody made.
pub(crate) async fn ended(sql: &mut PgConnection) -> Result<Check> {
    let count: i64 = sqlx::query_scalar(COUNT).fetch_one(&mut *sql).await?;
    let mut findings = under_way(sql).await?;
    let calls: Vec<(Uuid, String, i64, String)> = sqlx::query_as(CALLS).fetch_all(&mut *sql).await?;
    findings.extend(calls.iter().map(|(order, action, tries, why)| {
        format!("order {order}: {action} was tried {tries} times ({why})")
    }));
    Ok(Check::new("every saga has ended, and nothing is stuck", usize::try_from(count)?, findings))
}

/// Orders that have not ended.
pub(crate) async fn under_way(sql: &mut PgConnection) -> Result<Vec<String>> {
    let open: Vec<(Uuid, String, String, String)> = sqlx::query_as(UNDER_WAY).fetch_all(sql).await?;
    let tell = |(order, status, money, phase): &(Uuid, String, String, String)| {
        format!("order {order} is still {status}, {money}, {phase}")
    };
    Ok(open.iter().map(tell).collect())
}

/// Every 202 stands for an order of that buyer with those lines.
pub(crate) async fn placements(sql: &mut PgConnection, remembered: &Remembered) -> Result<Check> {
    let rows: Vec<(Uuid, String, Vec<i64>, Vec<i32>)> = sqlx::query_as(PLACED).fetch_all(sql).await?;
    let placed: HashMap<Uuid, (String, Vec<(i64, i32)>)> = rows
        .into_iter()
        .map(|(order, user, products, units)| (order, (user, products.into_iter().zip(units).collect())))
        .collect();
    let mut findings = Vec::new();
    let mut looked_at = 0;
    for placement in &remembered.placements {
        let Some(order) = placement.order else { continue };
        looked_at += 1;
        match placed.get(&order) {
            Some((user, lines)) if *user == placement.user && *lines == placement.lines => {}
            found => findings.push(format!("{placement:?} was acknowledged, and the orders have {found:?}")),
        }
        if placement.is_refused {
            findings.push(format!("{placement:?} was acknowledged and then refused"));
        }
    }
    Ok(Check::new("every order that was acknowledged is there as it was placed", looked_at, findings))
}
