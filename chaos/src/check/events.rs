//! I11: every committed change is told at least once, each key's events in their order, and nothing else is told.

use std::collections::{HashMap, HashSet};

use anyhow::{Context as _, Result};
use event_contracts::topics;
use serde_json::Value;
use service_kit::events::kafka::{KafkaOptions, KafkaTransport};
use service_kit::events::{Received, Transport as _};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Check, Ledger, Scene};
use crate::clients::record::Standing;

/// Whose outboxes there are.
const SCHEMAS: [&str; 3] = ["inventory_service_schema", "order_service_schema", "payment_service_schema"];
/// What is read back. Levels are compacted, and say what is, not what happened.
const TOPICS: [&str; 10] = [
    topics::ORDER_CREATED,
    topics::ORDER_CONFIRMED,
    topics::ORDER_FAILED,
    topics::ORDER_CANCELLED,
    topics::PAYMENT_SUCCESSFUL,
    topics::PAYMENT_FAILED,
    topics::PAYMENT_REFUNDED,
    topics::STOCK_DEPLETED,
    topics::RESERVATION_EXPIRED,
    topics::COMMIT_FAILED,
];
/// What the order service noted as written, in the transaction that made it true.
const TOLD_BY_ORDERS: &str = "SELECT event_id::uuid, step_name FROM order_service_schema.saga_state_log WHERE kind = 'EVENT' AND event_id IS NOT NULL";
const PAYMENTS: &str = "SELECT order_id, status FROM payment_service_schema.payments";

/// By topic and key, in order.
type Log<'a> = HashMap<&'a str, HashMap<String, Vec<Event>>>;

/// One event as it stands on a topic.
struct Event {
    id: String,
    version: u64,
    payload: Vec<u8>,
}

/// How many rows wait, outbox by outbox.
pub(crate) async fn unsent(sql: &mut PgConnection) -> Result<Vec<(&'static str, i64)>> {
    let mut counts = Vec::new();
    for schema in SCHEMAS {
        let count = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {schema}.outbox"));
        counts.push((schema, sqlx::query_scalar(count).fetch_one(&mut *sql).await?));
    }
    Ok(counts)
}

/// Nothing waits.
pub(crate) async fn outboxes(sql: &mut PgConnection) -> Result<Check> {
    let counts = unsent(sql).await?;
    let waiting = counts.iter().filter(|(_, count)| *count > 0);
    let findings = waiting.map(|(schema, count)| format!("{count} rows wait in {schema}.outbox")).collect();
    Ok(Check::new("the outboxes are empty", counts.len(), findings))
}

/// Reads every topic back.
pub(crate) async fn on_the_topics(
    sql: &mut PgConnection,
    scene: &Scene<'_>,
    ledger: &Ledger,
) -> Result<Vec<Check>> {
    let transport = KafkaTransport::new(KafkaOptions::new(scene.stage.machines.kafka.brokers(), "chaos"))?;
    let mut log = Log::new();
    let mut begins_at_first = true;
    for topic in TOPICS {
        let received = transport.read(topic, &[]).await.with_context(|| format!("reading {topic}"))?;
        begins_at_first &= is_whole(&received);
        for one in received {
            let event = event(&one)?;
            log.entry(topic).or_default().entry(one.record.key).or_default().push(event);
        }
    }
    let mut checks = vec![in_order(&log)];
    if begins_at_first {
        checks.push(complete(sql, &log, ledger).await?);
    } else {
        eprintln!("   the broker has let old records go: that every change was told is NOT shown");
    }
    Ok(checks)
}

/// Whether nothing of it was let go.
fn is_whole(received: &[Received]) -> bool {
    let mut first: HashMap<i32, i64> = HashMap::new();
    for one in received {
        let lowest = first.entry(one.partition).or_insert(i64::MAX);
        *lowest = one.offset.min(*lowest);
    }
    first.values().all(|offset| *offset == 0)
}

fn event(received: &Received) -> Result<Event> {
    let envelope: Value = serde_json::from_slice(&received.record.payload)?;
    Ok(Event {
        id: envelope["eventId"].as_str().context("an event without an id")?.to_owned(),
        version: envelope["aggregateVersion"].as_u64().unwrap_or_default(),
        payload: received.record.payload.clone(),
    })
}

/// By first occurrence versions rise; a repeat is the same event.
fn in_order(log: &Log<'_>) -> Check {
    let (mut findings, mut looked_at) = (Vec::new(), 0);
    for (topic, keys) in log {
        for (key, events) in keys {
            let (mut seen, mut last): (HashMap<&str, &[u8]>, u64) = (HashMap::new(), 0);
            for event in events {
                looked_at += 1;
                match seen.insert(&event.id, &event.payload) {
                    Some(before) if before != event.payload => {
                        findings
                            .push(format!("{topic} {key}: event {} was told twice, differently", event.id));
                    }
                    Some(_) => {}
                    None if event.version < last => {
                        findings.push(format!("{topic} {key}: version {} after {last}", event.version));
                    }
                    None => last = event.version,
                }
            }
        }
    }
    Check::new("each key's events are told in order", looked_at, findings)
}

/// What must have been told, against what was.
async fn complete(sql: &mut PgConnection, log: &Log<'_>, ledger: &Ledger) -> Result<Check> {
    let mut findings = Vec::new();
    let mut looked_at = 0;
    let noted: Vec<(Uuid, String)> = sqlx::query_as(TOLD_BY_ORDERS).fetch_all(&mut *sql).await?;
    for topic in
        [topics::ORDER_CREATED, topics::ORDER_CONFIRMED, topics::ORDER_FAILED, topics::ORDER_CANCELLED]
    {
        let meant: HashSet<String> =
            noted.iter().filter(|(_, step)| step == topic).map(|(id, _)| id.to_string()).collect();
        looked_at += meant.len();
        let told = events_of(log, topic).map(|event| event.id.as_str()).collect();
        differences(topic, &meant, &told, &mut findings);
    }
    let payments: Vec<(Uuid, String)> = sqlx::query_as(PAYMENTS).fetch_all(&mut *sql).await?;
    let paid = |statuses: &[&str]| -> HashSet<String> {
        let of = payments.iter().filter(|(_, status)| statuses.contains(&status.as_str()));
        of.map(|(order, _)| order.to_string()).collect()
    };
    let standing = |standing: Standing| -> HashSet<String> {
        let of = ledger.reservations.iter().filter(|(_, reservation)| reservation.standing == standing);
        of.map(|(order, _)| order.to_string()).collect()
    };
    let mut expired = standing(Standing::Expired);
    let told: HashSet<&str> = keys_of(log, topics::RESERVATION_EXPIRED).collect();
    // An expired hold may have been bought late, lost or released since: what was told of those is no finding.
    expired.extend(
        told.iter()
            .filter(|key| key.parse().is_ok_and(|order| ledger.standing(order) != Standing::Held))
            .map(|key| (*key).to_owned()),
    );
    for (topic, happened) in [
        (topics::PAYMENT_SUCCESSFUL, paid(&["SUCCESSFUL", "REFUNDING", "REFUNDED"])),
        (topics::PAYMENT_FAILED, paid(&["FAILED"])),
        (topics::PAYMENT_REFUNDED, paid(&["REFUNDED"])),
        (topics::RESERVATION_EXPIRED, expired),
        (topics::COMMIT_FAILED, standing(Standing::Lost)),
    ] {
        looked_at += happened.len();
        differences(topic, &happened, &keys_of(log, topic).collect(), &mut findings);
    }
    Ok(Check::new("every change was told, and nothing else", looked_at, findings))
}

fn events_of<'a>(log: &'a Log<'_>, topic: &str) -> impl Iterator<Item = &'a Event> {
    log.get(topic).into_iter().flat_map(|keys| keys.values().flatten())
}

fn keys_of<'a>(log: &'a Log<'_>, topic: &str) -> impl Iterator<Item = &'a str> {
    log.get(topic).into_iter().flat_map(HashMap::keys).map(String::as_str)
}

fn differences(topic: &str, happened: &HashSet<String>, told: &HashSet<&str>, findings: &mut Vec<String>) {
    let untold = happened.iter().filter(|one| !told.contains(one.as_str()));
    findings.extend(untold.map(|one| format!("{topic} {one} was never told")));
    let invented = told.iter().filter(|one| !happened.contains(**one));
    findings.extend(invented.map(|one| format!("{topic} {one} was told, and never happened")));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(events: &[(&str, u64, &str)]) -> Log<'static> {
        let event = |(id, version, payload): &(&str, u64, &str)| Event {
            id: (*id).to_owned(),
            version: *version,
            payload: payload.as_bytes().to_vec(),
        };
        HashMap::from([("t", HashMap::from([("k".to_owned(), events.iter().map(event).collect())]))])
    }

    #[test]
    fn repeats_are_allowed_and_overtaking_is_not() {
        assert!(
            in_order(&log(&[("a", 1, "x"), ("b", 2, "y"), ("a", 1, "x"), ("b", 2, "y"), ("c", 3, "z")]))
                .is_kept()
        );
        assert!(!in_order(&log(&[("b", 2, "y"), ("a", 1, "x")])).is_kept());
    }

    #[test]
    fn one_id_with_two_contents_is_found() {
        assert!(!in_order(&log(&[("a", 1, "x"), ("a", 1, "y")])).is_kept());
    }
}
