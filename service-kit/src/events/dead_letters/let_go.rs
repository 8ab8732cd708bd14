//! Asking for a key to go on whose letters are no more.

use super::{DeadLetter, DeadLetters, Selection, not_all};
use crate::events::headers::{EVENT_TYPE, REDRIVE_GROUP, UNPARK, UNPARK_LEFT, header};
use crate::events::{Record, TransportError};

impl DeadLetters {
    /// Asks the group to let a key go on, which it does unless a letter of it waits when it comes to it. Answers the letters that wait now: if
    /// there are any, they are to be settled, and nothing was asked. Asking for a key that is not parked is harmless.
    pub async fn let_go(&self, key: &str) -> Result<Vec<DeadLetter>, TransportError> {
        let waiting = self.list(&Selection { key: Some(key.to_owned()), ..Selection::default() }).await?;
        if waiting.is_empty() {
            let ask = Record {
                topic: self.topic.clone(),
                key: key.to_owned(),
                payload: b"{}".to_vec(),
                headers: vec![
                    header(EVENT_TYPE, UNPARK),
                    header(REDRIVE_GROUP, &self.group),
                    header(UNPARK_LEFT, true),
                ],
            };
            let answers = self.transport.publisher().publish(&[ask]).await;
            answers.into_iter().collect::<Result<(), _>>().map_err(|error| not_all(&error))?;
        }
        Ok(waiting)
    }
}
