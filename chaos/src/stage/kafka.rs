//! The broker: Apache Kafka in a process of its own, or librdkafka's mock cluster in this one.

use anyhow::{Context as _, Result};
use service_kit::events::kafka::mock::MockKafka;
use test_support::kafka::{self, Broker};

/// Which broker a run has.
#[derive(Debug)]
pub(crate) enum Kafka {
    /// In this process.
    Mock(MockKafka),
    /// In one of its own.
    Real(Broker),
}

impl Kafka {
    /// Starts one. A real one unless `mock`, or `KAFKA=mock` is set, which is said.
    pub(crate) async fn start(mock: bool) -> Result<Self> {
        let real = if mock { None } else { kafka::own("sagas while a broker stops and starts").await };
        Ok(match real {
            Some(broker) => Self::Real(broker),
            None => Self::Mock(MockKafka::start().context("starting the mock cluster")?),
        })
    }

    /// The bootstrap address.
    pub(crate) fn brokers(&self) -> String {
        match self {
            Self::Mock(mock) => mock.brokers().to_owned(),
            Self::Real(broker) => broker.address(),
        }
    }

    /// As reports call it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Mock(_) => "librdkafka's mock cluster",
            Self::Real(_) => "Apache Kafka",
        }
    }

    /// Whether it is a process that can be killed.
    pub(crate) fn is_real(&self) -> bool {
        matches!(self, Self::Real(_))
    }

    /// Stops in order; the mock cluster hangs up.
    pub(crate) async fn stop(&mut self) -> Result<()> {
        match self {
            Self::Mock(mock) => mock.down().context("stopping the mock cluster"),
            Self::Real(broker) => broker.stop().await,
        }
    }

    /// `kill -9` of a real one.
    pub(crate) async fn kill9(&mut self) -> Result<()> {
        match self {
            Self::Mock(mock) => mock.down().context("stopping the mock cluster"),
            Self::Real(broker) => broker.kill9().await,
        }
    }

    /// Starts it again, with the records it had.
    pub(crate) async fn start_again(&mut self) -> Result<()> {
        match self {
            Self::Mock(mock) => mock.up().context("starting the mock cluster"),
            Self::Real(broker) => broker.start_again().await,
        }
    }
}
