//! The ledger as the database has it, read past everything that does harm.

use std::collections::HashMap;

use anyhow::{Context as _, Result};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::clients::record::Standing;

const RESERVATIONS: &str = "SELECT order_id, status, products, quantities, COALESCE(remaining, quantities) FROM inventory_service_schema.reservations";
const PRODUCTS: &str = "SELECT product_id, on_hand, held FROM inventory_service_schema.inventory";
const ADJUSTMENTS: &str = "SELECT adjustment_id, product_id, delta FROM inventory_service_schema.adjustments";
const ORDERS: &str = "SELECT order_id FROM order_service_schema.orders";

/// A row of [`RESERVATIONS`].
type Row = (Uuid, i16, Vec<i64>, Vec<i32>, Vec<i32>);

/// One reservation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Reservation {
    pub(crate) standing: Standing,
    /// What was asked for, sorted.
    pub(crate) lines: Vec<(i64, i32)>,
    /// What is left of it.
    pub(crate) left: Vec<(i64, i32)>,
}

/// Everything that checks need of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) reservations: HashMap<Uuid, Reservation>,
    /// On hand and held, by product.
    pub(crate) products: HashMap<i64, (i64, i64)>,
    /// Product and change, by key.
    pub(crate) adjustments: HashMap<String, (i64, i64)>,
    /// What the order service placed.
    pub(crate) orders: Vec<Uuid>,
}

impl Ledger {
    /// Reads it. Nothing may be under way.
    pub(crate) async fn read(sql: &mut PgConnection) -> Result<Self> {
        let mut ledger = Self::default();
        let rows: Vec<Row> = sqlx::query_as(RESERVATIONS).fetch_all(&mut *sql).await?;
        for (order, code, products, quantities, left) in rows {
            let standing =
                Standing::of_code(code).with_context(|| format!("order {order} has the status {code}"))?;
            let sorted = |units: Vec<i32>| {
                let mut lines: Vec<(i64, i32)> = products.iter().copied().zip(units).collect();
                lines.sort_unstable();
                lines
            };
            ledger
                .reservations
                .insert(order, Reservation { standing, lines: sorted(quantities), left: sorted(left) });
        }
        let rows: Vec<(i64, i64, i64)> = sqlx::query_as(PRODUCTS).fetch_all(&mut *sql).await?;
        ledger.products =
            rows.into_iter().map(|(product, on_hand, held)| (product, (on_hand, held))).collect();
        let rows: Vec<(String, i64, i64)> = sqlx::query_as(ADJUSTMENTS).fetch_all(&mut *sql).await?;
        ledger.adjustments = rows.into_iter().map(|(key, product, delta)| (key, (product, delta))).collect();
        ledger.orders = sqlx::query_scalar(ORDERS).fetch_all(&mut *sql).await?;
        Ok(ledger)
    }

    /// Where an order stands.
    pub(crate) fn standing(&self, order: Uuid) -> Standing {
        self.reservations.get(&order).map_or(Standing::Absent, |reservation| reservation.standing)
    }
}
