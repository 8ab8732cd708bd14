//! Records that let a parked key go on. They stand in the key's own partition, and lanes keep order per key: whatever of the key came before
//! is done, and what comes after waits.

use super::lane::Worker;
use crate::events::headers::{UNPARK, UNPARK_LEFT, get, number};
use crate::events::{DeadLetters, Record, Selection};

impl Worker {
    /// Whether this was such a record, and no event. An error is a reason to try again.
    pub(super) async fn unparks(&self, record: &Record) -> Result<bool, String> {
        if let Some(at) = number(record, UNPARK) {
            self.unpark(record, at).await?;
        } else if get(record, UNPARK_LEFT).is_some() {
            self.unpark_left(record).await?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// All letters of the key up to the one of this time were settled.
    async fn unpark(&self, record: &Record, at: i64) -> Result<(), String> {
        let unparked = self.parking.unpark(&record.topic, &record.key, at).await;
        let was_parked = unparked.map_err(|error| error.to_string())?;
        tracing::info!(topic = record.topic, key = record.key, was_parked, "a key's letters are settled");
        Ok(())
    }

    /// The key's letters may have gone unsettled. Only this lane writes letters of the key, so none comes in between.
    async fn unpark_left(&self, record: &Record) -> Result<(), String> {
        let (topic, key) = (&record.topic, &record.key);
        let parked_at = self.parking.parked_at(topic, key).await.map_err(|error| error.to_string())?;
        let Some(at) = parked_at else { return Ok(()) };
        let letters = DeadLetters::new(self.transport.clone(), topic, self.handler.group());
        let of_key = Selection { key: Some(key.clone()), max: Some(1), dry_run: false };
        match letters.list(&of_key).await {
            Ok(waiting) if waiting.is_empty() => self.unpark(record, at).await,
            Ok(_) => {
                tracing::warn!(topic, key, "a key stays parked: letters of it wait");
                Ok(())
            }
            Err(error) if error.is_transient => Err(error.to_string()),
            // Its partition shall not wait for rights to read the dead letters.
            Err(error) => {
                tracing::error!(topic, key, %error, "a key stays parked: its letters cannot be read");
                Ok(())
            }
        }
    }
}
