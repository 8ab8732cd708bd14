//! Waiting for rest: nothing under way, nothing unsent or unheard, no hold beyond its time. What does not come to rest is a finding of the checks.

use std::time::{Duration, Instant};

use anyhow::Result;
use event_contracts::topics;
use sqlx::PgConnection;

use super::{events, sagas};

/// How long it may take once everything is healed: what waits longest is the time to pay, a payment's retries, a session of a group.
const REST_WITHIN: Duration = Duration::from_secs(180);
const LOOK_PERIOD: Duration = Duration::from_millis(500);

/// Holds that run out during a run. Those that must not last for a day.
const FLEETING: &str = "SELECT count(*) FROM inventory_service_schema.reservations r \
    WHERE r.status = 1 AND r.expires_at < clock_timestamp() + interval '6 hours'";
/// Money that orders were not told of yet: the event is on its topic, and who reads it comes back slowly after a stop of Kafka. An order that
/// has ended waits for nothing, and yet gives the money back when it hears.
const UNHEARD: &str = "SELECT count(*) FROM payment_service_schema.payments p WHERE p.status = 'SUCCESSFUL' AND NOT EXISTS \
    (SELECT FROM order_service_schema.payments_seen s WHERE s.payment_id = p.payment_id AND s.outcome = $1)";
const CALLS: &str = "SELECT count(*) FROM order_service_schema.saga_actions";

/// Waits, within bounds. How long it took.
pub(crate) async fn come_to_rest(sql: &mut PgConnection) -> Result<Duration> {
    let started = Instant::now();
    while started.elapsed() < REST_WITHIN && !is_at_rest(sql).await? {
        tokio::time::sleep(LOOK_PERIOD).await;
    }
    Ok(started.elapsed())
}

async fn is_at_rest(sql: &mut PgConnection) -> Result<bool> {
    let fleeting: i64 = sqlx::query_scalar(FLEETING).fetch_one(&mut *sql).await?;
    let calls: i64 = sqlx::query_scalar(CALLS).fetch_one(&mut *sql).await?;
    let unheard: i64 =
        sqlx::query_scalar(UNHEARD).bind(topics::PAYMENT_SUCCESSFUL).fetch_one(&mut *sql).await?;
    let is_settled = fleeting == 0 && unheard == 0 && calls == 0 && sagas::under_way(sql).await?.is_empty();
    Ok(is_settled && events::unsent(sql).await?.iter().all(|(_, count)| *count == 0))
}
