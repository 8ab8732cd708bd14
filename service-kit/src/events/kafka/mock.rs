//! A Kafka in this process, for tests: librdkafka's mock cluster. It listens on ports of its own, so that other processes can use
//! it, too. It keeps records of a partition only up to 5 MiB, compacts nothing, knows no admin API (a topic is made with four
//! partitions when it is asked for), and takes three seconds for a group's first join.

use std::sync::mpsc;

use rdkafka::error::KafkaResult;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::RDKafkaApiKey;

pub use rdkafka::types::RDKafkaRespErr as Refusal;

type Cluster = MockCluster<'static, DefaultProducerContext>;
type Order = Box<dyn FnOnce(&Cluster) + Send>;

/// A running mock cluster of one broker. It ends when this value is dropped.
#[derive(Debug)]
pub struct MockKafka {
    brokers: String,
    /// To the thread that owns the cluster, which cannot be moved.
    orders: mpsc::Sender<Order>,
}

impl MockKafka {
    /// Starts one.
    pub fn start() -> KafkaResult<Self> {
        let (orders, received) = mpsc::channel::<Order>();
        let (started, address) = mpsc::channel();
        std::thread::spawn(move || {
            let cluster = match MockCluster::new(1) {
                Ok(cluster) => cluster,
                Err(error) => return drop(started.send(Err(error))),
            };
            // Nobody waits any more: then no orders come either, and this ends.
            let _ = started.send(Ok(cluster.bootstrap_servers()));
            for order in received {
                order(&cluster);
            }
        });
        let brokers = address.recv().unwrap_or(Err(rdkafka::error::KafkaError::Canceled))?;
        Ok(Self { brokers, orders })
    }

    /// The bootstrap address.
    pub fn brokers(&self) -> &str {
        &self.brokers
    }

    /// Makes a topic with so many partitions.
    pub fn create_topic(&self, topic: &str, partitions: i32) -> KafkaResult<()> {
        let topic = topic.to_owned();
        self.order(move |cluster| cluster.create_topic(&topic, partitions, 1))
    }

    /// The next requests to write records are refused with these, one after the other.
    pub fn refuse_produce(&self, refusals: &[Refusal]) -> KafkaResult<()> {
        let refusals = refusals.to_vec();
        self.order(move |cluster| {
            cluster.request_errors(RDKafkaApiKey::Produce, &refusals);
            Ok(())
        })
    }

    /// Hangs up, and accepts no connections.
    pub fn down(&self) -> KafkaResult<()> {
        self.order(|cluster| cluster.broker_down(-1))
    }

    /// Accepts connections again.
    pub fn up(&self) -> KafkaResult<()> {
        self.order(|cluster| cluster.broker_up(-1))
    }

    fn order(&self, order: impl FnOnce(&Cluster) -> KafkaResult<()> + Send + 'static) -> KafkaResult<()> {
        let (answer, answered) = mpsc::channel();
        // Without the thread there is no answer, which is answer enough.
        let _ = self.orders.send(Box::new(move |cluster| drop(answer.send(order(cluster)))));
        answered.recv().unwrap_or(Err(rdkafka::error::KafkaError::Canceled))
    }
}
