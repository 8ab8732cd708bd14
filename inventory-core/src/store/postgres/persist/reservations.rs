//! Reservations of every kind: created in any state, and changed.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::guard;
use crate::reservation::{Reservation, Status};
use crate::store::StoreError;
use crate::store::postgres::errors::classify;

/// `$1` to `$8` one element an order; `$9` and `$10` where its lines begin and end in `$11` to `$13`; `$14` whether it has
/// remaining quantities of its own.
const CREATE: &str = "INSERT INTO reservations (order_id, status, late, customer_id, created_at, expires_at, \
     expires_at_max, ended_at, products, quantities, remaining) \
     SELECT o, s, l, c, t1, t2, t3, t4, ($11::bigint[])[a:b], ($12::integer[])[a:b], \
     CASE WHEN r THEN ($13::integer[])[a:b] END \
     FROM (SELECT unnest($1::uuid[]) AS o, unnest($2::smallint[]) AS s, unnest($3::boolean[]) AS l, \
     unnest($4::text[]) AS c, unnest($5::timestamptz[]) AS t1, unnest($6::timestamptz[]) AS t2, \
     unnest($7::timestamptz[]) AS t3, unnest($8::timestamptz[]) AS t4, unnest($9::integer[]) AS a, \
     unnest($10::integer[]) AS b, unnest($14::boolean[]) AS r) e";
/// What can change; the state it had guards.
const CHANGE: &str = "UPDATE reservations r SET status = e.s, late = e.l, expires_at = e.t2, ended_at = e.t4, \
     remaining = CASE WHEN e.r THEN ($9::integer[])[e.a:e.b] END \
     FROM (SELECT unnest($1::uuid[]) AS o, unnest($2::smallint[]) AS was, unnest($3::smallint[]) AS s, \
     unnest($4::boolean[]) AS l, unnest($5::timestamptz[]) AS t2, unnest($6::timestamptz[]) AS t4, \
     unnest($7::integer[]) AS a, unnest($8::integer[]) AS b, unnest($10::boolean[]) AS r) e \
     WHERE r.order_id = e.o AND r.status = e.was";

/// Reservations as columns.
#[derive(Default)]
struct Columns<'e> {
    orders: Vec<Uuid>,
    statuses: Vec<i16>,
    late: Vec<bool>,
    customers: Vec<Option<&'e str>>,
    created: Vec<DateTime<Utc>>,
    expires: Vec<DateTime<Utc>>,
    expires_max: Vec<DateTime<Utc>>,
    ended: Vec<Option<DateTime<Utc>>>,
    first_line: Vec<i32>,
    last_line: Vec<i32>,
    products: Vec<i64>,
    quantities: Vec<i32>,
    remaining: Vec<i32>,
    partial: Vec<bool>,
}

impl<'e> Columns<'e> {
    fn of(reservations: impl Iterator<Item = &'e Reservation>) -> Self {
        let mut columns = Self::default();
        for reservation in reservations {
            columns.push(reservation);
        }
        columns
    }

    fn push(&mut self, reservation: &'e Reservation) {
        self.orders.push(reservation.order.get());
        self.statuses.push(reservation.status.code().into());
        self.late.push(reservation.late);
        self.customers.push(reservation.customer.as_ref().map(|customer| customer.as_str()));
        self.created.push(reservation.created_at.to_datetime());
        self.expires.push(reservation.expires_at.to_datetime());
        self.expires_max.push(reservation.expires_at_max.to_datetime());
        self.ended.push(reservation.ended_at.map(|at| at.to_datetime()));
        self.first_line.push(count(self.products.len() + 1));
        for line in reservation.requested.iter() {
            let left = reservation.lines.quantity_of(line.product).map_or(0, |quantity| quantity.to_i32());
            self.products.push(line.product.get());
            self.quantities.push(line.quantity.to_i32());
            self.remaining.push(left);
        }
        self.last_line.push(count(self.products.len()));
        self.partial.push(reservation.lines != reservation.requested);
    }
}

/// Fits: a batch has at most `BATCH_COMMANDS_MAX × LINES_MAX` lines.
fn count(lines: usize) -> i32 {
    i32::try_from(lines).unwrap_or(i32::MAX)
}

/// Inserts; an order that appeared meanwhile is a conflict.
pub(super) async fn create(conn: &mut PgConnection, created: &[Reservation]) -> Result<(), StoreError> {
    let columns = Columns::of(created.iter());
    sqlx::query(CREATE)
        .bind(columns.orders)
        .bind(columns.statuses)
        .bind(columns.late)
        .bind(columns.customers)
        .bind(columns.created)
        .bind(columns.expires)
        .bind(columns.expires_max)
        .bind(columns.ended)
        .bind(columns.first_line)
        .bind(columns.last_line)
        .bind(columns.products)
        .bind(columns.quantities)
        .bind(columns.remaining)
        .bind(columns.partial)
        .execute(conn)
        .await
        .map(drop)
        .map_err(classify)
}

/// Updates; a reservation in another state than the decision saw is a conflict.
pub(super) async fn change(
    conn: &mut PgConnection,
    changed: &[(Status, Reservation)],
) -> Result<(), StoreError> {
    let columns = Columns::of(changed.iter().map(|(_, reservation)| reservation));
    let was: Vec<i16> = changed.iter().map(|(status, _)| status.code().into()).collect();
    let met = sqlx::query(CHANGE)
        .bind(columns.orders)
        .bind(was)
        .bind(columns.statuses)
        .bind(columns.late)
        .bind(columns.expires)
        .bind(columns.ended)
        .bind(columns.first_line)
        .bind(columns.last_line)
        .bind(columns.remaining)
        .bind(columns.partial)
        .execute(conn)
        .await
        .map_err(classify)?;
    guard("reservations", changed.len(), met.rows_affected())
}
