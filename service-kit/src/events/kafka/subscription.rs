//! The caller's handle on a poller.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rdkafka::consumer::Consumer;
use tokio::sync::oneshot;

use super::super::transport::{Received, Subscription, TransportError};
use super::errors::transport_error;
use super::options::KafkaOptions;
use super::poller::{self, GroupConsumer, Member};
use super::shared::Shared;

/// How long closing waits for the brokers' answers. Beyond it the group finds out by the session's timeout.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);

/// A member of a group. Dropping it leaves the group, too, without waiting for that.
#[derive(Debug)]
pub(super) struct KafkaSubscription {
    shared: Arc<Shared>,
    /// Resolves when the poller has ended.
    ended: oneshot::Receiver<()>,
    group: String,
}

/// Starts the poller, a thread of its own: librdkafka's calls block.
pub(super) async fn start(
    options: &KafkaOptions,
    group: &str,
    topics: &[&str],
) -> Result<KafkaSubscription, TransportError> {
    let shared = Arc::new(Shared::default());
    let (ready, started) = oneshot::channel();
    let (end, ended) = oneshot::channel();
    let poll = {
        let (options, shared) = (options.clone(), shared.clone());
        let (group, topics) =
            (group.to_owned(), topics.iter().map(|topic| (*topic).to_owned()).collect::<Vec<_>>());
        move || {
            let _end = AtTheEnd { shared: shared.clone(), _end: end };
            match member(&options, &group, &topics, &shared) {
                Ok(consumer) => {
                    // Whoever asked may be gone; then the subscription is closed, too.
                    let _ = ready.send(Ok(()));
                    poller::run(consumer, &shared);
                }
                Err(error) => drop(ready.send(Err(error))),
            }
        }
    };
    let subscription = KafkaSubscription { shared, ended, group: group.to_owned() };
    let thread = std::thread::Builder::new().name(format!("kafka-{group}")).spawn(poll);
    thread.map_err(|error| failed(group, &error.to_string()))?;
    started.await.unwrap_or_else(|_| Err(failed(group, "its thread ended")))?;
    Ok(subscription)
}

fn member(
    options: &KafkaOptions,
    group: &str,
    topics: &[String],
    shared: &Arc<Shared>,
) -> Result<GroupConsumer, TransportError> {
    let doing = format!("joining the Kafka group {group}");
    let member = Member { shared: shared.clone(), finish_within: options.finish_within };
    let consumer: GroupConsumer = options
        .consumer(group)
        .create_with_context(member)
        .map_err(|error| transport_error(&doing, &error))?;
    let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
    consumer.subscribe(&topics).map_err(|error| transport_error(&doing, &error))?;
    Ok(consumer)
}

fn failed(group: &str, why: &str) -> TransportError {
    TransportError { message: format!("the Kafka group {group} was not joined: {why}"), is_transient: true }
}

/// Says that the poller has ended, even if it panicked.
struct AtTheEnd {
    shared: Arc<Shared>,
    /// Its drop is the message.
    _end: oneshot::Sender<()>,
}

impl Drop for AtTheEnd {
    fn drop(&mut self) {
        self.shared.end();
    }
}

#[async_trait]
impl Subscription for KafkaSubscription {
    async fn next(&mut self) -> Result<Vec<Received>, TransportError> {
        self.shared.next().await
    }

    async fn done(&mut self, received: &[Received]) -> Result<(), TransportError> {
        self.shared.done(received);
        Ok(())
    }

    async fn close(mut self: Box<Self>) {
        self.shared.close();
        if tokio::time::timeout(CLOSE_WITHIN, &mut self.ended).await.is_err() {
            tracing::warn!(
                group = self.group,
                "Kafka did not answer a member that leaves; its session will time out"
            );
        }
    }
}

impl Drop for KafkaSubscription {
    fn drop(&mut self) {
        self.shared.close();
    }
}
