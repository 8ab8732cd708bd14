//! What is written to the dead letters: the record as it was, and why in its headers.

use crate::events::headers::{
    ATTEMPTS, CLASS_FOLLOWS, CLASS_REFUSED, ERROR_CLASS, ERROR_MESSAGE, ERROR_OFFSET, ERROR_PARTITION,
    ERROR_TOPIC, GROUP, PARKED_AT, REDRIVE_GROUP, REPLAYS, header, number, original,
};
use crate::events::{Received, Record};

/// Messages are cut here: they may quote a payload.
const MESSAGE_CHARS_MAX: usize = 1_000;

/// Why a record becomes a letter.
pub(super) enum Cause {
    /// It was tried so often, and refused.
    Refused { reason: String, attempts: u32 },
    /// An earlier one of its key is a letter.
    Follows,
}

/// The topic of a group's dead letters.
pub(crate) fn topic_of_letters(topic: &str, group: &str) -> String {
    format!("{topic}.{group}.dlq")
}

/// The letter for a record.
pub(super) fn write(received: &Received, group: &str, cause: &Cause, parked_at: i64) -> Record {
    let record = &received.record;
    let (class, message, attempts) = match cause {
        Cause::Refused { reason, attempts } => (CLASS_REFUSED, reason.as_str(), *attempts),
        Cause::Follows => (CLASS_FOLLOWS, "an earlier event of its key is a dead letter", 0),
    };
    let message: String = message.chars().take(MESSAGE_CHARS_MAX).collect();
    // One that an operator sent back stays where it stood at first: its order among the letters of its key is by that place.
    let (partition, offset) = match (number(record, ERROR_PARTITION), number(record, ERROR_OFFSET)) {
        (Some(partition), Some(offset)) => (partition, offset),
        _ => (received.partition, received.offset),
    };
    let mut headers = original(record);
    headers.extend([
        header(ERROR_TOPIC, &record.topic),
        header(ERROR_PARTITION, partition),
        header(ERROR_OFFSET, offset),
        header(ERROR_CLASS, class),
        header(ERROR_MESSAGE, message),
        header(ATTEMPTS, attempts),
        header(REPLAYS, replays(record, cause)),
        header(GROUP, group),
        header(PARKED_AT, parked_at),
    ]);
    Record {
        topic: topic_of_letters(&record.topic, group),
        key: record.key.clone(),
        payload: record.payload.clone(),
        headers,
    }
}

/// How often it was sent back and tried. One that was sent back and only followed was not tried.
fn replays(record: &Record, cause: &Cause) -> u32 {
    let replays: u32 = number(record, REPLAYS).unwrap_or(0);
    let was_sent_back = number::<String>(record, REDRIVE_GROUP).is_some();
    match cause {
        Cause::Follows if was_sent_back => replays.saturating_sub(1),
        Cause::Refused { .. } | Cause::Follows => replays,
    }
}
