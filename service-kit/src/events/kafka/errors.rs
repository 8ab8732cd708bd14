//! Which errors are for now and which for good, and what to do about them.

use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

use super::super::transport::{PublishError, TransportError};

/// What a refused record means.
pub(super) fn publish_error(error: &KafkaError) -> PublishError {
    let text = describe(error);
    if code(error).is_some_and(is_for_good) {
        PublishError::Permanent(text)
    } else {
        // In doubt it may work later: a record that is given up is worse than one that is late.
        PublishError::Transient(text)
    }
}

/// What an operation that failed means.
pub(super) fn transport_error(doing: &str, error: &KafkaError) -> TransportError {
    let is_transient = match error {
        KafkaError::ClientConfig(..)
        | KafkaError::ClientCreation(_)
        | KafkaError::Nul(_)
        | KafkaError::MessageConsumptionFatal(_) => false,
        _ => !code(error).is_some_and(is_for_good),
    };
    TransportError { message: format!("{doing}: {}", describe(error)), is_transient }
}

/// The same for one topic of an operation.
pub(super) fn topic_error(doing: &str, topic: &str, code: Code) -> TransportError {
    transport_error(&format!("{doing} {topic}"), &KafkaError::AdminOp(code))
}

/// rdkafka's own says nothing of admin operations.
fn code(error: &KafkaError) -> Option<Code> {
    match error {
        KafkaError::AdminOp(code) => Some(*code),
        error => error.rdkafka_error_code(),
    }
}

/// Whether only a change of the record, of the topic or of rights can help.
fn is_for_good(code: Code) -> bool {
    matches!(
        code,
        Code::MessageSizeTooLarge
            | Code::InvalidRecord
            | Code::InvalidTimestamp
            | Code::InvalidTopic
            | Code::InvalidConfig
            | Code::InvalidPartitions
            | Code::InvalidReplicationFactor
            | Code::InvalidGroupId
            | Code::PolicyViolation
            | Code::TopicAuthorizationFailed
            | Code::GroupAuthorizationFailed
            | Code::ClusterAuthorizationFailed
            | Code::UnsupportedForMessageFormat
            | Code::UnsupportedCompressionType
    )
}

fn describe(error: &KafkaError) -> String {
    match code(error).and_then(advice) {
        Some(advice) => format!("{error}; {advice}"),
        None => error.to_string(),
    }
}

fn advice(code: Code) -> Option<&'static str> {
    let advice = match code {
        Code::BrokerTransportFailure
        | Code::AllBrokersDown
        | Code::Resolve
        | Code::OperationTimedOut
        | Code::MessageTimedOut
        | Code::RequestTimedOut => "check that the brokers of KAFKA_BROKERS run and can be reached from here",
        Code::MessageSizeTooLarge => "raise max.message.bytes of the topic, or make the event smaller",
        Code::TopicAuthorizationFailed
        | Code::GroupAuthorizationFailed
        | Code::ClusterAuthorizationFailed => "grant this client what it needs by the brokers' ACLs",
        Code::UnknownTopic | Code::UnknownTopicOrPartition => {
            "the topic does not exist: start a service that may make topics, or make it by hand"
        }
        Code::InvalidReplicationFactor => "there are fewer brokers than replicas asked for",
        Code::NotEnoughReplicas | Code::NotEnoughReplicasAfterAppend => {
            "too few replicas are in sync (min.insync.replicas)"
        }
        Code::QueueFull => "more waits for delivery than the queue holds; it is sent again later",
        _ => return None,
    };
    Some(advice)
}

#[cfg(test)]
mod tests {
    use super::{Code, KafkaError, PublishError, publish_error, transport_error};

    #[test]
    fn only_what_time_cannot_heal_is_for_good() {
        let published = |code| publish_error(&KafkaError::MessageProduction(code));
        for code in [Code::MessageSizeTooLarge, Code::TopicAuthorizationFailed, Code::InvalidRecord] {
            assert!(matches!(published(code), PublishError::Permanent(_)), "{code:?}");
        }
        let passing = [
            Code::MessageTimedOut,
            Code::QueueFull,
            Code::BrokerTransportFailure,
            Code::NotEnoughReplicas,
            Code::UnknownTopicOrPartition,
            Code::Fatal,
            Code::Unknown,
        ];
        for code in passing {
            assert!(matches!(published(code), PublishError::Transient(_)), "{code:?}");
        }
    }

    #[test]
    fn errors_say_what_to_do() {
        let away = transport_error("making topics", &KafkaError::AdminOp(Code::OperationTimedOut));
        assert!(away.is_transient && away.message.contains("KAFKA_BROKERS"), "{away}");
        let refused =
            transport_error("reading", &KafkaError::MessageConsumption(Code::GroupAuthorizationFailed));
        assert!(!refused.is_transient && refused.message.contains("ACLs"), "{refused}");
    }
}
