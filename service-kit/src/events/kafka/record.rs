//! Records as Kafka has them.

use rdkafka::message::{BorrowedMessage, Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::FutureRecord;

use super::super::transport::{Received, Record};

pub(super) fn outgoing(record: &Record) -> FutureRecord<'_, str, [u8]> {
    let headers = record
        .headers
        .iter()
        .fold(OwnedHeaders::new_with_capacity(record.headers.len()), |headers, (name, value)| {
            headers.insert(Header { key: name, value: Some(value) })
        });
    FutureRecord::to(&record.topic)
        .key(record.key.as_str())
        .payload(record.payload.as_slice())
        .headers(headers)
}

/// Our keys and headers are text. Whatever a stranger wrote is taken as well as text can hold it; the payload stays as it is.
pub(super) fn incoming(message: &BorrowedMessage<'_>) -> Received {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers = message.headers().map(|headers| {
        headers.iter().map(|header| (header.key.to_owned(), text(header.value.unwrap_or_default()))).collect()
    });
    let record = Record {
        topic: message.topic().to_owned(),
        key: text(message.key().unwrap_or_default()),
        payload: message.payload().unwrap_or_default().to_vec(),
        headers: headers.unwrap_or_default(),
    };
    Received { record, partition: message.partition(), offset: message.offset() }
}
