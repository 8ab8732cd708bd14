//! What may be configured, and what librdkafka is told.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;

use super::super::transport::TransportError;

/// How to speak to Kafka. The defaults are for services on a cluster nearby. Connections are plain text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KafkaOptions {
    /// Bootstrap servers: `host:port,host:port`.
    pub brokers: String,
    /// The name by which brokers' logs and quotas know this process.
    pub client_id: String,
    /// Partitions of a topic that is made: how many members of a group can share it.
    pub partitions: i32,
    /// Replicas of a topic that is made; by the brokers' default if `None`.
    pub replication: Option<i32>,
    /// How long a record may be on its way before publishing it has failed for now.
    pub delivery_timeout: Duration,
    /// Records that may wait for delivery; publishing stops at a full queue.
    pub queue_max: u32,
    /// How long the group waits for a member that is gone without a word. Brokers take 6 s as the least unless told otherwise.
    pub session_timeout: Duration,
    /// How long the caller may take to finish what it has of partitions that go to another member.
    pub finish_within: Duration,
}

impl KafkaOptions {
    /// The defaults, for these bootstrap servers.
    pub fn new(brokers: impl Into<String>, client_id: impl Into<String>) -> Self {
        Self {
            brokers: brokers.into(),
            client_id: client_id.into(),
            partitions: 6,
            replication: None,
            delivery_timeout: Duration::from_secs(10),
            queue_max: 100_000,
            session_timeout: Duration::from_secs(6),
            finish_within: Duration::from_secs(5),
        }
    }

    pub(super) fn check(&self) -> Result<(), TransportError> {
        let wrong = |message: &str| Err(TransportError { message: message.to_owned(), is_transient: false });
        if self.brokers.trim().is_empty() {
            return wrong("no Kafka brokers are named: set KAFKA_BROKERS to host:port,host:port");
        }
        if self.partitions < 1 || self.replication.is_some_and(|replicas| replicas < 1) {
            return wrong("a Kafka topic needs at least one partition and one replica");
        }
        Ok(())
    }

    fn base(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", &self.client_id)
            .set("socket.keepalive.enable", "true")
            // Idle connections that a broker closes are no news.
            .set("log.connection.close", "false")
            // Brokers that come back are noticed soon.
            .set("reconnect.backoff.max.ms", "1000")
            .set("topic.metadata.refresh.interval.ms", "5000")
            .set_log_level(RDKafkaLogLevel::Info);
        config
    }

    pub(super) fn admin(&self) -> ClientConfig {
        self.base()
    }

    pub(super) fn producer(&self) -> ClientConfig {
        let mut config = self.base();
        config
            .set("acks", "all")
            .set("enable.idempotence", "true")
            .set("message.timeout.ms", millis(self.delivery_timeout))
            .set("queue.buffering.max.messages", self.queue_max.to_string())
            // Records of a call are queued at once; waiting longer for more of them only delays.
            .set("linger.ms", "1")
            // Where Java's producers put a key, too: tools and change-data-capture agree with us.
            .set("partitioner", "murmur2_random");
        config
    }

    /// For reading places of its own choice: it has to name a group, and never joins it.
    pub(super) fn reader(&self) -> ClientConfig {
        let mut config = self.base();
        config
            .set("group.id", &self.client_id)
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("enable.partition.eof", "true")
            .set("auto.offset.reset", "earliest");
        config
    }

    pub(super) fn consumer(&self, group: &str) -> ClientConfig {
        // The poller polls all the time; only while partitions are given up it waits for the caller.
        let poll_within = self.session_timeout.max(self.finish_within * 3);
        let mut config = self.base();
        config
            .set("group.id", group)
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", "earliest")
            .set("partition.assignment.strategy", "cooperative-sticky")
            .set("session.timeout.ms", millis(self.session_timeout))
            .set("heartbeat.interval.ms", millis(self.session_timeout / 4))
            .set("max.poll.interval.ms", millis(poll_within))
            .set("queued.max.messages.kbytes", "16384");
        config
    }
}

fn millis(duration: Duration) -> String {
    duration.as_millis().to_string()
}

#[cfg(test)]
mod tests {
    use super::KafkaOptions;

    #[test]
    fn options_that_cannot_work_are_refused_by_name() {
        let good = KafkaOptions::new("127.0.0.1:9092", "test");
        assert!(good.check().is_ok());
        let refused = |options: KafkaOptions| options.check().unwrap_err().message;
        assert!(refused(KafkaOptions::new(" ", "test")).contains("KAFKA_BROKERS"));
        assert!(refused(KafkaOptions { partitions: 0, ..good.clone() }).contains("partition"));
        assert!(refused(KafkaOptions { replication: Some(0), ..good }).contains("replica"));
    }
}
