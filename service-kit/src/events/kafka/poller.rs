//! The thread that owns a consumer: polls whatever the caller does, pauses while the queue is full, commits what is done.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::context::Logs;
use super::errors::transport_error;
use super::ledger::Place;
use super::record;
use super::shared::Shared;

/// How long one poll waits for a record: what is done is committed, and a close is seen, within it.
const POLL: Duration = Duration::from_millis(100);
/// The same while paused: the caller's taking is seen within it.
const POLL_PAUSED: Duration = Duration::from_millis(5);
/// Commits are gathered for so long.
const COMMIT_PERIOD: Duration = Duration::from_millis(200);

pub(super) type GroupConsumer = BaseConsumer<Member>;

/// What librdkafka calls back.
pub(super) struct Member {
    pub(super) shared: Arc<Shared>,
    pub(super) finish_within: Duration,
}

/// Runs until the subscription is closed or cannot go on; then commits and leaves the group.
pub(super) fn run(consumer: GroupConsumer, shared: &Shared) {
    let mut is_paused = false;
    let mut last_commit = Instant::now();
    while !shared.is_closing() {
        match consumer.poll(if is_paused { POLL_PAUSED } else { POLL }) {
            Some(Ok(message)) => shared.push(record::incoming(&message)),
            Some(Err(error)) if !goes_on(&error, shared) => break,
            Some(Err(_)) | None => {}
        }
        is_paused = regulate(&consumer, shared, is_paused);
        if last_commit.elapsed() >= COMMIT_PERIOD {
            last_commit = Instant::now();
            commit(&consumer, &shared.take_uncommitted(), CommitMode::Async);
        }
    }
    commit(&consumer, &shared.take_uncommitted(), CommitMode::Sync);
    // Leaves the group; polls and discards meanwhile, which takes time.
    drop(consumer);
}

/// Pauses while the queue is full, and what comes while it is; goes on when it is drained. Answers whether it is paused now.
fn regulate(consumer: &GroupConsumer, shared: &Shared, is_paused: bool) -> bool {
    let has_new = shared.take_new();
    let wants_pause = shared.is_full() || (is_paused && !shared.is_drained());
    let changed = match (wants_pause, is_paused) {
        (true, _) if !is_paused || has_new => consumer.assignment().and_then(|all| consumer.pause(&all)),
        (false, true) => consumer.assignment().and_then(|all| consumer.resume(&all)),
        _ => return is_paused,
    };
    match changed {
        Ok(()) => wants_pause,
        Err(error) => {
            tracing::warn!(%error, wants_pause, "Kafka partitions were not paused, or did not go on; trying again");
            is_paused
        }
    }
}

/// Most errors pass by themselves. Those that need somebody are the caller's; after a fatal one nothing comes any more.
fn goes_on(error: &KafkaError, shared: &Shared) -> bool {
    let is_fatal = matches!(error, KafkaError::MessageConsumptionFatal(_));
    let failure = transport_error("reading from Kafka", error);
    if failure.is_transient {
        tracing::debug!(%error, "reading from Kafka goes on");
    } else {
        shared.fail(failure);
    }
    !is_fatal
}

fn commit(consumer: &GroupConsumer, done: &[(Place, i64)], mode: CommitMode) {
    if done.is_empty() {
        return;
    }
    let mut list = TopicPartitionList::with_capacity(done.len());
    for ((topic, partition), offset) in done {
        if let Err(error) = list.add_partition_offset(topic, *partition, Offset::Offset(*offset)) {
            tracing::warn!(%error, topic, partition, "an offset was not noted");
        }
    }
    if let Err(error) = consumer.commit(&list, mode) {
        not_committed(&consumer.context().shared, &error, &list);
    }
}

/// It is tried again. Until then a crash means that more is delivered twice, no more than that.
fn not_committed(shared: &Shared, error: &KafkaError, list: &TopicPartitionList) {
    tracing::debug!(%error, "what is done was not committed to Kafka; trying again");
    shared.uncommitted(&places(list));
}

fn places(list: &TopicPartitionList) -> Vec<Place> {
    list.elements().iter().map(|element| (element.topic().to_owned(), element.partition())).collect()
}

impl ClientContext for Member {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        Logs.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        Logs.error(error, reason);
    }
}

impl ConsumerContext for Member {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Assign(list) => {
                tracing::info!(partitions = ?places(list), "Kafka partitions came");
                self.shared.assign(places(list));
            }
            Rebalance::Revoke(list) => {
                // A pause outlives the assignment: the partition would be paused when it comes back.
                if let Err(error) = consumer.resume(list) {
                    tracing::warn!(%error, "Kafka partitions that go were left paused");
                }
                self.give_up(consumer, &places(list));
            }
            Rebalance::Error(error) => tracing::warn!(%error, "rebalancing the Kafka group failed"),
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, offsets: &TopicPartitionList) {
        match result {
            Err(error) if error.rdkafka_error_code() != Some(RDKafkaErrorCode::NoOffset) => {
                not_committed(&self.shared, &error, offsets);
            }
            _ => {}
        }
    }
}

impl Member {
    fn give_up(&self, consumer: &BaseConsumer<Self>, partitions: &[Place]) {
        // Lost partitions are somebody else's already: there is nothing to wait for, and a commit would be refused.
        let is_lost = consumer.assignment_lost();
        let within = if is_lost { Duration::ZERO } else { self.finish_within };
        let (done, is_finished) = self.shared.revoke(partitions, within);
        tracing::info!(?partitions, is_lost, is_finished, "Kafka partitions go");
        if !is_lost {
            commit(consumer, &done, CommitMode::Sync);
        }
    }
}
