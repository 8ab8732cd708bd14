//! Products and adjustments.

use sqlx::PgConnection;

use crate::clock::Timestamp;
use crate::store::postgres::errors::classify;
use crate::store::postgres::rows::version;
use crate::store::{Adjustment, Effects, ProductEffect, StoreError};

/// What administration changes, on top.
const SETTINGS: &str = "UPDATE inventory i SET admin_version = e.admin_version, low_stock_threshold = e.threshold, \
     per_customer_limit = e.customer_limit, limited_since = e.limited_since, name = e.name \
     FROM (SELECT unnest($1::bigint[]) AS id, unnest($2::bigint[]) AS admin_version, \
     unnest($3::bigint[]) AS threshold, unnest($4::integer[]) AS customer_limit, \
     unnest($5::timestamptz[]) AS limited_since, unnest($6::text[]) AS name) e WHERE i.product_id = e.id";
const CREATE: &str = "INSERT INTO inventory (product_id, on_hand, held, version, admin_version, low_stock_threshold, \
     per_customer_limit, limited_since, name, alert_state, last_batch) \
     SELECT unnest($1::bigint[]), unnest($2::bigint[]), unnest($3::bigint[]), unnest($4::bigint[]), \
     unnest($5::bigint[]), unnest($6::bigint[]), unnest($7::integer[]), unnest($8::timestamptz[]), \
     unnest($9::text[]), unnest($10::smallint[]), $11";
const ADJUSTED: &str = "INSERT INTO adjustments (adjustment_id, product_id, delta, reason, reference, at, version) \
     SELECT unnest($1::text[]), unnest($2::bigint[]), unnest($3::bigint[]), unnest($4::text[]), \
     unnest($5::text[]), unnest($6::timestamptz[]), unnest($7::bigint[])";

/// What every batch changes, as columns; `versions` are those before it.
#[derive(Default)]
pub(super) struct StockColumns {
    pub(super) ids: Vec<i64>,
    pub(super) versions: Vec<i64>,
    pub(super) on_hands: Vec<i64>,
    pub(super) helds: Vec<i64>,
    pub(super) alerts: Vec<i16>,
}

impl StockColumns {
    pub(super) fn of<'e>(effects: impl Iterator<Item = &'e ProductEffect>) -> Self {
        let mut columns = Self::default();
        for effect in effects {
            columns.ids.push(effect.after.id.get());
            columns.versions.push(version(effect.version_before.unwrap_or(0)));
            columns.on_hands.push(effect.after.on_hand.get());
            columns.helds.push(effect.after.held.get());
            columns.alerts.push(effect.after.alert.code().into());
        }
        columns
    }
}

/// What administration changes, as columns.
#[derive(Default)]
struct SettingsColumns<'e> {
    admin_versions: Vec<i64>,
    thresholds: Vec<Option<i64>>,
    limits: Vec<Option<i32>>,
    limited_since: Vec<Option<Timestamp>>,
    names: Vec<Option<&'e str>>,
}

impl<'e> SettingsColumns<'e> {
    fn of(effects: &[&'e ProductEffect]) -> Self {
        let mut columns = Self::default();
        for ProductEffect { after, .. } in effects {
            columns.admin_versions.push(version(after.admin_version));
            columns.thresholds.push(after.low_stock_threshold.map(|units| units.get()));
            columns.limits.push(after.per_customer_limit.map(|limit| limit.to_i32()));
            columns.limited_since.push(after.limited_since);
            columns.names.push(after.name.as_ref().map(|name| name.as_str()));
        }
        columns
    }
}

/// Writes what batches of administration change of products, beside their stock.
pub(super) async fn persist(conn: &mut PgConnection, effects: &Effects) -> Result<(), StoreError> {
    let (changed, created): (Vec<&ProductEffect>, Vec<&ProductEffect>) =
        effects.products.iter().partition(|effect| effect.version_before.is_some());
    let administered: Vec<&ProductEffect> = changed.into_iter().filter(|effect| !effect.stock_only).collect();
    if !administered.is_empty() {
        settings(conn, &administered).await?;
    }
    if !created.is_empty() {
        create(conn, effects, &created).await?;
    }
    Ok(())
}

async fn settings(conn: &mut PgConnection, administered: &[&ProductEffect]) -> Result<(), StoreError> {
    let ids: Vec<i64> = administered.iter().map(|effect| effect.after.id.get()).collect();
    let settings = SettingsColumns::of(administered);
    sqlx::query(SETTINGS)
        .bind(ids)
        .bind(settings.admin_versions)
        .bind(settings.thresholds)
        .bind(settings.limits)
        .bind(settings.limited_since)
        .bind(settings.names)
        .execute(conn)
        .await
        .map(drop)
        .map_err(classify)
}

/// A product that appeared meanwhile is a conflict.
async fn create(
    conn: &mut PgConnection,
    effects: &Effects,
    created: &[&ProductEffect],
) -> Result<(), StoreError> {
    let stock = StockColumns::of(created.iter().copied());
    let versions: Vec<i64> = created.iter().map(|effect| version(effect.after.version)).collect();
    let settings = SettingsColumns::of(created);
    sqlx::query(CREATE)
        .bind(stock.ids)
        .bind(stock.on_hands)
        .bind(stock.helds)
        .bind(versions)
        .bind(settings.admin_versions)
        .bind(settings.thresholds)
        .bind(settings.limits)
        .bind(settings.limited_since)
        .bind(settings.names)
        .bind(stock.alerts)
        .bind(effects.journal.batch.get())
        .execute(conn)
        .await
        .map(drop)
        .map_err(classify)
}

/// Records keyed adjustments; a key that was used meanwhile is a conflict.
pub(super) async fn adjusted(conn: &mut PgConnection, adjustments: &[Adjustment]) -> Result<(), StoreError> {
    let ids: Vec<&str> = adjustments.iter().map(|adjustment| adjustment.id.as_str()).collect();
    let products: Vec<i64> = adjustments.iter().map(|adjustment| adjustment.product.get()).collect();
    let deltas: Vec<i64> = adjustments.iter().map(|adjustment| adjustment.delta.get()).collect();
    let reasons: Vec<&str> = adjustments.iter().map(|adjustment| adjustment.reason.as_str()).collect();
    let references: Vec<Option<&str>> = adjustments
        .iter()
        .map(|adjustment| adjustment.reference.as_ref().map(|note| note.as_str()))
        .collect();
    let times: Vec<Timestamp> = adjustments.iter().map(|adjustment| adjustment.at).collect();
    let versions: Vec<i64> = adjustments.iter().map(|adjustment| version(adjustment.version)).collect();
    sqlx::query(ADJUSTED)
        .bind(ids)
        .bind(products)
        .bind(deltas)
        .bind(reasons)
        .bind(references)
        .bind(times)
        .bind(versions)
        .execute(conn)
        .await
        .map(drop)
        .map_err(classify)
}
