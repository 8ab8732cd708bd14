//! A topic as it stands now, read without joining a group: for operators.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::Message as _;
use rdkafka::metadata::MetadataPartition;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::context::Logs;
use super::errors::transport_error;
use super::options::KafkaOptions;
use super::record;
use crate::events::{Received, TransportError};

/// How long a question to the brokers may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Without anything new for so long it is given up.
const PATIENCE: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(100);

type Client = BaseConsumer<Logs>;

/// By partition that has something to read: where to begin, and the first place that is not read.
type Ends = HashMap<i32, (i64, i64)>;

/// Reads one topic after the other by one client, which is made when it is first needed.
#[derive(Clone, Default)]
pub(super) struct Reader {
    client: Arc<Mutex<Option<Client>>>,
}

impl Reader {
    /// Everything from after these places up to each partition's end at this moment. A topic that is not there is empty.
    pub(super) async fn whole(
        &self,
        options: &KafkaOptions,
        topic: &str,
        after: &[(i32, i64)],
    ) -> Result<Vec<Received>, TransportError> {
        let doing = format!("reading {topic}");
        let (client, options) = (self.client.clone(), options.clone());
        let (topic, after) = (topic.to_owned(), after.to_vec());
        // The client's calls block.
        let reading = tokio::task::spawn_blocking(move || {
            let mut client = client.lock();
            let client = match &mut *client {
                Some(client) => client,
                none => none.insert(options.reader().create_with_context(Logs)?),
            };
            let ends = ends(client, &topic, &after)?;
            let received = until(client, &topic, ends);
            client.unassign()?;
            received
        });
        match reading.await {
            Ok(Ok(Some(received))) => Ok(received),
            Ok(Ok(None)) => {
                let message = format!(
                    "{doing}: its end did not come within {PATIENCE:?}; are all its partitions served? Try it again"
                );
                Err(TransportError { message, is_transient: true })
            }
            Ok(Err(error)) => Err(transport_error(&doing, &error)),
            Err(error) => {
                Err(TransportError { message: format!("{doing} did not end: {error}"), is_transient: true })
            }
        }
    }
}

fn ends(client: &Client, topic: &str, after: &[(i32, i64)]) -> KafkaResult<Ends> {
    let metadata = client.fetch_metadata(Some(topic), ANSWER_WITHIN)?;
    let Some(found) = metadata.topics().iter().find(|found| found.name() == topic) else {
        return Ok(Ends::new());
    };
    match found.error().map(RDKafkaErrorCode::from) {
        None => {}
        Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => {
            return Ok(Ends::new());
        }
        Some(code) => return Err(KafkaError::MetadataFetch(code)),
    }
    let mut ends = Ends::new();
    for partition in found.partitions().iter().map(MetadataPartition::id) {
        let (low, high) = client.fetch_watermarks(topic, partition, ANSWER_WITHIN)?;
        let after = after.iter().find(|(known, _)| *known == partition).map(|(_, offset)| offset + 1);
        let start = after.unwrap_or(0).max(low);
        if start < high {
            ends.insert(partition, (start, high));
        }
    }
    Ok(ends)
}

/// Reads each partition up to its end, in order per partition; `None` if that does not come.
fn until(client: &Client, topic: &str, mut ends: Ends) -> KafkaResult<Option<Vec<Received>>> {
    let mut places = TopicPartitionList::with_capacity(ends.len());
    for (partition, (start, _)) in &ends {
        places.add_partition_offset(topic, *partition, Offset::Offset(*start))?;
    }
    client.assign(&places)?;
    let mut all = Vec::new();
    let mut last_news = Instant::now();
    while !ends.is_empty() {
        match client.poll(POLL) {
            Some(Ok(message)) => {
                last_news = Instant::now();
                let (partition, offset) = (message.partition(), message.offset());
                // What came after we asked is left out.
                if let Some((_, end)) = ends.get(&partition).copied() {
                    if offset < end {
                        all.push(record::incoming(&message));
                    }
                    if offset + 1 >= end {
                        ends.remove(&partition);
                    }
                }
            }
            // The last places of a partition may hold no records: compaction took them. Of what was assigned before nothing
            // comes any more: librdkafka drops what belongs to an earlier assignment.
            Some(Err(KafkaError::PartitionEOF(partition))) => drop(ends.remove(&partition)),
            Some(Err(error)) if !transport_error("", &error).is_transient => return Err(error),
            Some(Err(_)) | None if last_news.elapsed() > PATIENCE => return Ok(None),
            Some(Err(_)) | None => {}
        }
    }
    all.sort_unstable_by_key(|received: &Received| (received.partition, received.offset));
    Ok(Some(all))
}
