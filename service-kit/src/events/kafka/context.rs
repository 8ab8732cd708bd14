//! librdkafka's words, as logs.

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel as Level;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// Passes logs and errors on to `tracing`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Logs;

impl ClientContext for Logs {
    fn log(&self, level: Level, facility: &str, message: &str) {
        match level {
            // Connections break and come back; what fails because of it is reported by whoever asked for it.
            Level::Emerg | Level::Alert | Level::Critical => {
                tracing::error!(facility, "librdkafka: {message}")
            }
            Level::Error | Level::Warning => tracing::warn!(facility, "librdkafka: {message}"),
            Level::Notice | Level::Info => tracing::debug!(facility, "librdkafka: {message}"),
            Level::Debug => tracing::trace!(facility, "librdkafka: {message}"),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::Fatal) => tracing::error!(%error, "Kafka: {reason}"),
            // Already logged for each connection, and not as often.
            Some(
                RDKafkaErrorCode::BrokerTransportFailure
                | RDKafkaErrorCode::Resolve
                | RDKafkaErrorCode::AllBrokersDown,
            ) => tracing::debug!(%error, "Kafka: {reason}"),
            _ => tracing::warn!(%error, "Kafka: {reason}"),
        }
    }
}

/// For consumers that join no group: nothing else happens to them.
impl ConsumerContext for Logs {}
