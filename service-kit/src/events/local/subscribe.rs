//! A group's view of some topics.

use std::collections::HashMap;

use async_trait::async_trait;
use sqlx::Row as _;
use tokio::sync::watch;

use super::{LocalLog, read, unusable};
use crate::events::{Received, Subscription, TransportError};

/// A group is known from its first subscription on: what it has not done is not pruned.
const JOIN: &str = "INSERT INTO group_offsets (consumer, topic, done) \
     SELECT $1, value, 0 FROM json_each($2) WHERE true ON CONFLICT DO NOTHING";
const PLACES: &str = "SELECT topic, done FROM group_offsets WHERE consumer = $1 \
     AND topic IN (SELECT value FROM json_each($2))";
/// Never backwards: a member that was slow to go may still report.
const DONE: &str = "INSERT INTO group_offsets (consumer, topic, done) \
     SELECT $1, value ->> 0, value ->> 1 FROM json_each($2) WHERE true \
     ON CONFLICT (consumer, topic) DO UPDATE SET done = max(done, excluded.done)";

pub(super) struct LocalSubscription {
    log: LocalLog,
    group: String,
    places: Vec<(String, i64)>,
    published: watch::Receiver<u64>,
}

pub(super) async fn start(
    log: LocalLog,
    group: &str,
    topics: &[&str],
) -> Result<LocalSubscription, TransportError> {
    let names = serde_json::json!(topics).to_string();
    let writer = log.inner.writer.pool();
    sqlx::query(JOIN)
        .bind(group)
        .bind(names.as_str())
        .execute(writer)
        .await
        .map_err(|error| unusable(&error))?;
    let rows = sqlx::query(PLACES)
        .bind(group)
        .bind(names)
        .fetch_all(writer)
        .await
        .map_err(|error| unusable(&error))?;
    let places = rows
        .iter()
        .map(|row| Ok((row.try_get("topic")?, row.try_get("done")?)))
        .collect::<Result<_, sqlx::Error>>()
        .map_err(|error| unusable(&error))?;
    let published = log.inner.published.subscribe();
    Ok(LocalSubscription { log, group: group.to_owned(), places, published })
}

#[async_trait]
impl Subscription for LocalSubscription {
    async fn next(&mut self) -> Result<Vec<Received>, TransportError> {
        loop {
            // Seen before the look: what is published meanwhile wakes the next one.
            self.published.mark_unchanged();
            let received = read::next(&self.log.inner, &self.places).await?;
            if !received.is_empty() {
                // Nothing is awaited from here on: a caller that goes away earlier has taken nothing.
                self.go_on_after(&received);
                return Ok(received);
            }
            // The sender lives as long as `log`; either way it is time to look again.
            let _ = tokio::time::timeout(self.log.inner.options.poll_every, self.published.changed()).await;
        }
    }

    async fn done(&mut self, received: &[Received]) -> Result<(), TransportError> {
        let mut done: HashMap<&str, i64> = HashMap::new();
        for received in received {
            let place = done.entry(received.record.topic.as_str()).or_default();
            *place = received.offset.max(*place);
        }
        let done: Vec<_> = done.into_iter().collect();
        sqlx::query(DONE)
            .bind(self.group.as_str())
            .bind(serde_json::json!(done).to_string())
            .execute(self.log.inner.writer.pool())
            .await
            .map_err(|error| unusable(&error))?;
        Ok(())
    }

    async fn close(self: Box<Self>) {}
}

impl LocalSubscription {
    fn go_on_after(&mut self, received: &[Received]) {
        for received in received {
            if let Some((_, place)) =
                self.places.iter_mut().find(|(topic, _)| *topic == received.record.topic)
            {
                *place = received.offset.max(*place);
            }
        }
    }
}
