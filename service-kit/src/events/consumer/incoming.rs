//! A record as the event that a handler gets: from its headers, or from the envelope where headers are missing.

use serde_json::Value;
use uuid::Uuid;

use crate::events::headers::{AGGREGATE_VERSION, EVENT_ID, EVENT_TYPE, TRACEPARENT, VERSION, get};
use crate::events::{Incoming, Record};

impl Incoming {
    /// Reads a record. What cannot be read is poison; the text says why.
    pub fn read(record: &Record) -> Result<Self, String> {
        let envelope = Envelope { record, parsed: std::cell::OnceCell::new() };
        let id =
            envelope.text(EVENT_ID, "/eventId").ok_or("no eventId, neither as header nor in the payload")?;
        let version =
            envelope.text(VERSION, "/version").ok_or("no version, neither as header nor in the payload")?;
        let aggregate_version = envelope.text(AGGREGATE_VERSION, "/aggregateVersion").unwrap_or_default();
        Ok(Self {
            id: Uuid::parse_str(&id).map_err(|error| format!("eventId {id:?}: {error}"))?,
            event_type: envelope.text(EVENT_TYPE, "/eventType").unwrap_or_else(|| record.topic.clone()),
            version: version.parse().map_err(|error| format!("version {version:?}: {error}"))?,
            key: record.key.clone(),
            aggregate_version: aggregate_version.parse().unwrap_or(0),
            traceparent: envelope.text(TRACEPARENT, "/metadata/traceparent"),
            payload: record.payload.clone(),
        })
    }
}

/// Parsed only if a header is missing.
struct Envelope<'a> {
    record: &'a Record,
    parsed: std::cell::OnceCell<Value>,
}

impl Envelope<'_> {
    fn text(&self, header: &str, pointer: &str) -> Option<String> {
        if let Some(value) = get(self.record, header) {
            return Some(value.to_owned());
        }
        // Optional everywhere: not worth parsing for.
        if header == TRACEPARENT && self.parsed.get().is_none() {
            return None;
        }
        let parsed =
            self.parsed.get_or_init(|| serde_json::from_slice(&self.record.payload).unwrap_or(Value::Null));
        match parsed.pointer(pointer)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0197a3b0-1c00-7000-8000-000000000001";

    fn record(payload: &str, headers: &[(&str, &str)]) -> Record {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Record { topic: "t".into(), key: "k".into(), payload: payload.into(), headers }
    }

    #[test]
    fn headers_suffice_and_the_envelope_does_where_they_are_missing() {
        let headers = [("eventId", ID), ("eventType", "x"), ("version", "2"), ("aggregateVersion", "7")];
        let by_headers = Incoming::read(&record("not json", &headers)).unwrap();
        let envelope = format!(
            r#"{{"eventId":"{ID}","eventType":"x","version":2,"aggregateVersion":7,"metadata":{{"traceparent":"00"}}}}"#
        );
        let by_envelope = Incoming::read(&record(&envelope, &[])).unwrap();
        assert_eq!(by_headers.id, by_envelope.id);
        let facts = |event: &Incoming| (event.event_type.clone(), event.version, event.aggregate_version);
        assert_eq!(facts(&by_headers), ("x".to_owned(), 2, 7));
        assert_eq!(facts(&by_envelope), ("x".to_owned(), 2, 7));
        assert_eq!(by_envelope.traceparent.as_deref(), Some("00"));
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        assert!(Incoming::read(&record("not json", &[])).unwrap_err().contains("no eventId"));
        assert!(
            Incoming::read(&record("", &[("eventId", "7"), ("version", "1")])).unwrap_err().contains("\"7\"")
        );
        assert!(
            Incoming::read(&record("", &[("eventId", ID), ("version", "x")])).unwrap_err().contains("\"x\"")
        );
    }
}
