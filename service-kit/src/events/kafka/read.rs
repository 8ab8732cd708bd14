//! Reading a topic up to its present end, without a group: for operators.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::KafkaOptions;
use super::errors::transport_error;
use super::record;
use crate::events::{Received, TransportError};

/// How long a question to the brokers may take.
const ASK_WITHIN: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(200);
/// Nothing came for so long, and the end is not reached.
const SILENCE_MAX: Duration = Duration::from_secs(20);

/// Records behind `after`, in order per partition. Blocks: run it where that hurts nobody.
pub(super) fn read(
    options: &KafkaOptions,
    topic: &str,
    after: &[(i32, i64)],
) -> Result<Vec<Received>, TransportError> {
    let failed = |error: KafkaError| transport_error(&format!("reading {topic}"), &error);
    // It joins no group: partitions are assigned by hand, and nothing is committed.
    let consumer: BaseConsumer = options.consumer("holdfast-reader").create().map_err(failed)?;
    let mut ends = ends(&consumer, topic, after).map_err(failed)?;
    let mut list = TopicPartitionList::new();
    for (partition, (from, _)) in &ends {
        list.add_partition_offset(topic, *partition, Offset::Offset(*from)).map_err(failed)?;
    }
    consumer.assign(&list).map_err(failed)?;
    let mut received = Vec::new();
    let mut heard = Instant::now();
    while !ends.is_empty() {
        match consumer.poll(POLL) {
            Some(Ok(message)) => {
                heard = Instant::now();
                let record = record::incoming(&message);
                if let Some((_, end)) = ends.get(&record.partition).copied() {
                    if record.offset + 1 >= end {
                        ends.remove(&record.partition);
                    }
                    if record.offset < end {
                        received.push(record);
                    }
                }
            }
            Some(Err(error)) if error.rdkafka_error_code() != Some(RDKafkaErrorCode::PartitionEOF) => {
                return Err(failed(error));
            }
            // Compaction and aborted transactions may have taken the very last places: the position tells.
            Some(Err(_)) | None => drop_reached(&consumer, topic, &mut ends).map_err(failed)?,
        }
        if heard.elapsed() > SILENCE_MAX {
            let message = format!("{topic} could not be read to its end; are all its partitions served?");
            return Err(TransportError { message, is_transient: true });
        }
    }
    received.sort_by_key(|record| (record.partition, record.offset));
    Ok(received)
}

/// By partition that has something to read: from where, and up to which place (exclusive).
fn ends(
    consumer: &BaseConsumer,
    topic: &str,
    after: &[(i32, i64)],
) -> Result<BTreeMap<i32, (i64, i64)>, KafkaError> {
    let metadata = consumer.fetch_metadata(Some(topic), ASK_WITHIN)?;
    let mut ends = BTreeMap::new();
    let partitions =
        metadata.topics().iter().filter(|found| found.name() == topic).flat_map(|found| found.partitions());
    for partition in partitions.map(|partition| partition.id()) {
        let (low, high) = consumer.fetch_watermarks(topic, partition, ASK_WITHIN)?;
        let left_out = after.iter().find(|(named, _)| *named == partition).map_or(low, |(_, last)| last + 1);
        let from = left_out.max(low);
        if from < high {
            ends.insert(partition, (from, high));
        }
    }
    Ok(ends)
}

fn drop_reached(
    consumer: &BaseConsumer,
    topic: &str,
    ends: &mut BTreeMap<i32, (i64, i64)>,
) -> Result<(), KafkaError> {
    let positions = consumer.position()?;
    ends.retain(|partition, (_, end)| {
        let found = positions.find_partition(topic, *partition).map(|place| place.offset());
        !matches!(found, Some(Offset::Offset(next)) if next >= *end)
    });
    Ok(())
}
