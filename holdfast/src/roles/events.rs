//! How the parts hear of each other: over Kafka, or in this process over a durable log under the data folder.

use std::sync::Arc;

use anyhow::Context;
use event_contracts::catalogue::{EVENTS, EventType};
use service_kit::events::kafka::{KafkaOptions, KafkaTransport};
use service_kit::events::{
    Cleanup, Consumer, ConsumerOptions, LocalLog, LocalOptions, Relay, RelayOptions, RelayWake, Retention,
    RetentionOptions, TopicSpec, Transport,
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Shape;
use super::part::Part;
use crate::config::Settings;
use crate::data_dir::DataDir;

/// The transport of this process, if it has one.
pub(super) struct Events {
    transport: Option<Arc<dyn Transport>>,
    log: Option<LocalLog>,
}

impl Events {
    /// Connects to the brokers, or opens the log, and makes the topics that are missing.
    pub(super) async fn open(
        settings: &Settings,
        shape: Shape,
        folder: Option<&DataDir>,
    ) -> anyhow::Result<Self> {
        if shape.is_silent() {
            return Ok(Self { transport: None, log: None });
        }
        let (transport, log): (Arc<dyn Transport>, _) = match (&settings.kafka_brokers, folder) {
            (Some(brokers), _) => {
                let kafka = KafkaTransport::new(KafkaOptions::new(brokers, "holdfast"))?;
                (Arc::new(kafka), None)
            }
            (None, Some(folder)) => {
                let log = LocalLog::open(folder.path(), LocalOptions::default()).await?;
                (Arc::new(log.clone()), Some(log))
            }
            (None, None) => anyhow::bail!("no folder was claimed for the log of events"),
        };
        transport.ensure_topics(&all_topics()).await.context(
            "the topics of events cannot be made; are KAFKA_BROKERS right, and may this client make topics?",
        )?;
        Ok(Self { transport: Some(transport), log })
    }

    /// Starts what sends and what hears for a part. `stop` ends hearing; `stop_sending`, later, ends sending.
    pub(super) fn attach(
        &self,
        part: &mut Part,
        tasks: &TaskTracker,
        stop: &CancellationToken,
        stop_sending: &CancellationToken,
    ) {
        let (Some(transport), Some(database)) = (&self.transport, &part.outbox) else { return };
        let relay =
            Relay::new(database.clone(), transport.publisher(), RelayOptions::default(), Some(&part.metrics));
        if let Some(written) = part.wake.take() {
            tasks.spawn(pass_on(written, relay.handle(), stop_sending.clone()));
        }
        tasks.spawn(relay.run(stop_sending.clone()));
        if let Some(handler) = part.handler.take() {
            let consumer = Consumer::new(
                transport.clone(),
                handler,
                database.clone(),
                ConsumerOptions::default(),
                Some(&part.metrics),
            );
            tasks.spawn(consumer.run(stop.clone()));
        }
    }

    /// Starts what removes old deliveries and old records, on a calendar.
    pub(super) fn prune(&self, parts: &[Part], tasks: &TaskTracker, stop: &CancellationToken) {
        let forgets: Vec<_> = parts.iter().flat_map(|part| part.forgets.iter().cloned()).collect();
        if !forgets.is_empty() || self.log.is_some() {
            let retention = Retention::new(forgets, self.log.clone(), RetentionOptions::default());
            tasks.spawn(retention.run(stop.clone()));
        }
    }

    /// After everything that sends and hears has ended.
    pub(super) async fn close(self) {
        if let Some(log) = self.log {
            log.close().await;
        }
    }
}

/// Wakes the relay after each commit that wrote events.
async fn pass_on(written: Arc<Notify>, relay: RelayWake, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = written.notified() => relay.wake(),
        }
    }
}

fn all_topics() -> Vec<TopicSpec> {
    let keep = RetentionOptions::default().topics;
    let topic = |event: &EventType| {
        let (cleanup, keep) =
            if event.is_compacted { (Cleanup::Compact, None) } else { (Cleanup::Delete, Some(keep)) };
        TopicSpec { name: event.topic.to_owned(), cleanup, keep }
    };
    EVENTS.iter().map(topic).collect()
}
