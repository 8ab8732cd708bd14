//! Sending records.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::join_all;
use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{FutureProducer, Producer as _};

use super::super::transport::{PublishError, Publisher, Record, TransportError};
use super::context::Logs;
use super::errors::{publish_error, transport_error};
use super::options::KafkaOptions;
use super::record;

pub(super) type Producer = FutureProducer<Logs>;

/// Said by us alone: librdkafka itself says `MessageTimedOut`.
const NO_ANSWER: RDKafkaErrorCode = RDKafkaErrorCode::OperationTimedOut;

/// What became of one record.
type Sent = Result<(), Unsent>;

/// Why it was not sent.
enum Unsent {
    /// An earlier one of its chain was not.
    Behind,
    Failed(KafkaError),
}

/// The records of one topic and key, by their places in the call.
type Chain = Vec<usize>;

/// A producer, and how many were before it.
#[derive(Clone)]
struct Numbered {
    number: u64,
    producer: Producer,
}

/// Of each topic and key, one record is on its way at a time, so that none overtakes an earlier one that fails. Different keys
/// go at once. The idempotent producer keeps its own retries from duplicating or reordering anything.
pub(super) struct KafkaPublisher {
    config: ClientConfig,
    current: Mutex<Numbered>,
    /// Longer than librdkafka may take to say that a record timed out.
    answer_within: Duration,
    /// Held alone by a record that must not share a batch, and together by all others.
    company: tokio::sync::RwLock<()>,
}

impl KafkaPublisher {
    pub(super) fn new(options: &KafkaOptions) -> Result<Self, TransportError> {
        let config = options.producer();
        let producer = create(&config).map_err(|error| transport_error("preparing to publish", &error))?;
        Ok(Self {
            config,
            current: Mutex::new(Numbered { number: 0, producer }),
            answer_within: options.delivery_timeout * 2 + Duration::from_secs(2),
            company: tokio::sync::RwLock::new(()),
        })
    }

    /// Cheap: a handle on the one producer.
    pub(super) fn producer(&self) -> Producer {
        self.current().producer
    }

    fn current(&self) -> Numbered {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn send_chain(&self, records: &[Record], chain: Chain, is_full: &AtomicBool) -> Vec<(usize, Sent)> {
        let mut sent = Vec::with_capacity(chain.len());
        let mut is_blocked = false;
        for at in chain {
            let one = if is_blocked {
                Err(Unsent::Behind)
            } else if is_full.load(Ordering::Relaxed) {
                Err(Unsent::Failed(KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull)))
            } else {
                self.send(&records[at]).await.map_err(Unsent::Failed)
            };
            if let Err(Unsent::Failed(error)) = &one {
                is_full.fetch_or(is(error, RDKafkaErrorCode::QueueFull), Ordering::Relaxed);
            }
            is_blocked |= one.is_err();
            sent.push((at, one));
        }
        sent
    }

    async fn send(&self, record: &Record) -> Result<(), KafkaError> {
        // `send` would wait for a full queue, and let later records overtake meanwhile. The handle goes before the wait: a
        // producer that is replaced must not end here.
        let (number, queued) = {
            let Numbered { number, producer } = self.current();
            (number, producer.send_result(record::outgoing(record)).map_err(|(error, _)| error))
        };
        let result = match queued {
            Ok(delivery) => match tokio::time::timeout(self.answer_within, delivery).await {
                Ok(Ok(delivered)) => delivered.map(drop).map_err(|(error, _)| error),
                // Its producer was replaced beneath it: it may have arrived.
                Ok(Err(_)) => Err(KafkaError::Canceled),
                Err(_) => Err(KafkaError::MessageProduction(NO_ANSWER)),
            },
            Err(error) => Err(error),
        };
        if let Err(error) = &result {
            self.replace_if_spent(number, error);
        }
        result
    }

    /// A broker refuses a batch as a whole for its size, or for one record in it. Each record that was refused so is sent once
    /// more with nothing else on its way: then the answer is its own.
    async fn send_alone(&self, record: &Record) -> Result<(), KafkaError> {
        let _alone = self.company.write().await;
        self.send(record).await
    }

    /// After a fatal error (its sequence broke, say) a producer refuses everything, and one that does not even say that a record
    /// timed out is stuck. Either is replaced, once.
    fn replace_if_spent(&self, number: u64, error: &KafkaError) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let fatal = current.producer.client().fatal_error();
        if current.number != number || (fatal.is_none() && !is(error, NO_ANSWER)) {
            return;
        }
        match create(&self.config) {
            Ok(producer) => {
                tracing::warn!(%error, ?fatal, "Kafka's producer cannot go on; a new one takes over");
                let spent = std::mem::replace(&mut *current, Numbered { number: number + 1, producer });
                // The last handle's end waits for the producer's thread.
                drop(tokio::task::spawn_blocking(move || drop(spent)));
            }
            Err(error) => {
                tracing::error!(%error, "no new Kafka producer could be made; the next failure tries again")
            }
        }
    }
}

#[async_trait]
impl Publisher for KafkaPublisher {
    async fn publish(&self, records: &[Record]) -> Vec<Result<(), PublishError>> {
        let is_full = AtomicBool::new(false);
        let sent: Vec<(usize, Sent)> = {
            let _together = self.company.read().await;
            let chains = chains(records).into_iter().map(|chain| self.send_chain(records, chain, &is_full));
            join_all(chains).await.into_iter().flatten().collect()
        };
        let mut results = vec![Ok(()); records.len()];
        for (at, one) in sent {
            results[at] = match one {
                Ok(()) => Ok(()),
                Err(Unsent::Behind) => Err(PublishError::Behind),
                Err(Unsent::Failed(error)) if is(&error, RDKafkaErrorCode::MessageSizeTooLarge) => {
                    self.send_alone(&records[at]).await.map_err(|error| publish_error(&error))
                }
                Err(Unsent::Failed(error)) => Err(publish_error(&error)),
            };
        }
        results
    }
}

fn is(error: &KafkaError, code: RDKafkaErrorCode) -> bool {
    error.rdkafka_error_code() == Some(code)
}

fn create(config: &ClientConfig) -> Result<Producer, KafkaError> {
    config.create_with_context(Logs)
}

/// In the order in which each topic and key first appears.
fn chains(records: &[Record]) -> Vec<Chain> {
    let mut chains: Vec<Chain> = Vec::new();
    let mut known: HashMap<(&str, &str), usize> = HashMap::new();
    for (at, record) in records.iter().enumerate() {
        let chain = *known.entry((&record.topic, &record.key)).or_insert_with(|| {
            chains.push(Chain::new());
            chains.len() - 1
        });
        chains[chain].push(at);
    }
    chains
}

#[cfg(test)]
mod tests {
    use super::{Record, chains};

    #[test]
    fn a_chain_is_what_shares_topic_and_key_in_its_order() {
        let record = |topic: &str, key: &str| Record {
            topic: topic.to_owned(),
            key: key.to_owned(),
            payload: Vec::new(),
            headers: Vec::new(),
        };
        let records =
            [record("a", "1"), record("b", "1"), record("a", "1"), record("a", "2"), record("a", "1")];
        assert_eq!(chains(&records), [vec![0, 2, 4], vec![1], vec![3]]);
    }
}
