//! What customers hold and have bought of limited products. Written under the products' locks.

use sqlx::PgConnection;

use crate::store::postgres::errors::classify;
use crate::store::{Effects, StoreError};

const FORGET: &str = "DELETE FROM customer_product c USING (SELECT unnest($1::text[]) AS customer, \
     unnest($2::bigint[]) AS product) e WHERE c.customer_id = e.customer AND c.product_id = e.product";
const SET: &str = "INSERT INTO customer_product (customer_id, product_id, units) \
     SELECT unnest($1::text[]), unnest($2::bigint[]), unnest($3::bigint[]) \
     ON CONFLICT (customer_id, product_id) DO UPDATE SET units = excluded.units";

/// Writes the effects on customers.
pub(super) async fn persist(conn: &mut PgConnection, effects: &Effects) -> Result<(), StoreError> {
    let (mut gone, mut kept) = (Columns::default(), Columns::default());
    for (customer, product, units) in &effects.customer_units {
        let columns = if units.get() == 0 { &mut gone } else { &mut kept };
        columns.customers.push(customer.as_str());
        columns.products.push(product.get());
        columns.units.push(units.get());
    }
    if !gone.customers.is_empty() {
        sqlx::query(FORGET)
            .bind(gone.customers)
            .bind(gone.products)
            .execute(&mut *conn)
            .await
            .map_err(classify)?;
    }
    if !kept.customers.is_empty() {
        sqlx::query(SET)
            .bind(kept.customers)
            .bind(kept.products)
            .bind(kept.units)
            .execute(conn)
            .await
            .map_err(classify)?;
    }
    Ok(())
}

#[derive(Default)]
struct Columns<'e> {
    customers: Vec<&'e str>,
    products: Vec<i64>,
    units: Vec<i64>,
}
