//! One statement for all the records of a call: one commit, one sync, in their order, all or none.

use std::collections::HashSet;

use async_trait::async_trait;

use super::LocalLog;
use crate::events::{PublishError, Publisher, Record};

const APPEND: &str = "INSERT INTO records (topic, key, payload, headers, at) \
     SELECT value ->> 'topic', value ->> 'key', unhex(value ->> 'payload'), value -> 'headers', \
            CAST(unixepoch('subsec') * 1000000 AS INTEGER) \
     FROM json_each($1) ORDER BY json_each.key";

#[async_trait]
impl Publisher for LocalLog {
    async fn publish(&self, records: &[Record]) -> Vec<Result<(), PublishError>> {
        let mut answers = self.sort_out(records);
        let accepted: Vec<_> = records.iter().zip(&answers).filter(|(_, answer)| answer.is_ok()).collect();
        if accepted.is_empty() {
            return answers;
        }
        let rows: Vec<_> = accepted.into_iter().map(|(record, _)| row(record)).collect();
        let rows = serde_json::Value::Array(rows).to_string();
        match sqlx::query(APPEND).bind(rows).execute(self.inner.writer.pool()).await {
            Ok(_) => self.inner.published.send_modify(|count| *count = count.wrapping_add(1)),
            // The file is busy or full, or what a broker would call "away": in all cases it may work later.
            Err(error) => {
                for answer in answers.iter_mut().filter(|answer| answer.is_ok()) {
                    *answer = Err(PublishError::Transient(format!("the local log: {error}")));
                }
            }
        }
        answers
    }
}

impl LocalLog {
    /// Refuses what is too large, and what comes after it under the same key.
    fn sort_out(&self, records: &[Record]) -> Vec<Result<(), PublishError>> {
        let bytes_max = self.inner.options.payload_bytes_max;
        let mut refused = HashSet::new();
        let mut answers = Vec::with_capacity(records.len());
        for record in records {
            let place = (record.topic.as_str(), record.key.as_str());
            answers.push(if refused.contains(&place) {
                Err(PublishError::Behind)
            } else if record.payload.len() > bytes_max {
                refused.insert(place);
                let bytes = record.payload.len();
                Err(PublishError::Permanent(format!("{bytes} bytes; at most {bytes_max} are taken")))
            } else {
                Ok(())
            });
        }
        answers
    }
}

fn row(record: &Record) -> serde_json::Value {
    serde_json::json!({
        "topic": record.topic,
        "key": record.key,
        "payload": hex(&record.payload),
        "headers": record.headers,
    })
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}
