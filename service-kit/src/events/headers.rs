//! Names of headers that are read here. What an event says of itself is written by [`super::Outgoing::encode`].

use super::Record;

pub(crate) const EVENT_ID: &str = "eventId";
pub(crate) const EVENT_TYPE: &str = "eventType";
pub(crate) const VERSION: &str = "version";
pub(crate) const AGGREGATE_VERSION: &str = "aggregateVersion";
pub(crate) const TRACEPARENT: &str = "traceparent";

/// Why and where a record failed, as Kafka Connect names it.
pub(crate) const ERROR_TOPIC: &str = "__connect.errors.topic";
pub(crate) const ERROR_PARTITION: &str = "__connect.errors.partition";
pub(crate) const ERROR_OFFSET: &str = "__connect.errors.offset";
pub(crate) const ERROR_CLASS: &str = "__connect.errors.exception.class.name";
pub(crate) const ERROR_MESSAGE: &str = "__connect.errors.exception.message";
/// How often it was tried before it was given up.
pub(crate) const ATTEMPTS: &str = "holdfast.attempts";
/// How often it was tried again after an operator sent it back.
pub(crate) const REPLAYS: &str = "holdfast.replays";
/// The group that gave it up.
pub(crate) const GROUP: &str = "holdfast.group";
/// `parked_keys.at` when this letter was sent: whether others followed since.
pub(crate) const PARKED_AT: &str = "holdfast.parked.at";
/// The one group that a record is meant for.
pub(crate) const REDRIVE_GROUP: &str = "holdfast.redrive.group";
/// [`PARKED_AT`] of the key's last letter when this one was sent back.
pub(crate) const REDRIVE_STAMP: &str = "holdfast.redrive.stamp";
/// Not an event: the key's letters were all settled; the value is [`PARKED_AT`] of the last one.
pub(crate) const UNPARK: &str = "holdfast.unpark";
/// Not an event: the key goes on if none of its letters waits, however it came to be parked.
pub(crate) const UNPARK_LEFT: &str = "holdfast.unpark.left";
/// Not a letter: the letters from this place (`partition:offset` of the source) are settled, …
pub(crate) const SETTLED: &str = "holdfast.settled";
/// … those that stood at or before this offset of the dead letters.
pub(crate) const SETTLED_UP_TO: &str = "holdfast.settled.upTo";

/// What [`ERROR_CLASS`] says.
pub(crate) const CLASS_REFUSED: &str = "holdfast.Refused";
pub(crate) const CLASS_FOLLOWS: &str = "holdfast.KeyParked";

/// The first value under a name.
pub(crate) fn get<'a>(record: &'a Record, name: &str) -> Option<&'a str> {
    record.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// The first value under a name, as a number.
pub(crate) fn number<T: std::str::FromStr>(record: &Record, name: &str) -> Option<T> {
    get(record, name).and_then(|value| value.parse().ok())
}

/// What an event carried before anything here was added.
pub(crate) fn original(record: &Record) -> Vec<(String, String)> {
    let ours = |name: &str| name.starts_with("__connect.errors.") || name.starts_with("holdfast.");
    record.headers.iter().filter(|(name, _)| !ours(name)).cloned().collect()
}

/// A header from its parts.
pub(crate) fn header(name: &str, value: impl ToString) -> (String, String) {
    (name.to_owned(), value.to_string())
}
