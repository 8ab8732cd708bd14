//! Sending letters back to where they came from, for their group alone.

use std::collections::HashSet;

use super::letter::Letters;
use super::{DeadLetter, DeadLetters, Selection, Settlement, by_key};
use crate::events::headers::{
    ERROR_OFFSET, ERROR_PARTITION, REDRIVE_GROUP, REDRIVE_STAMP, REPLAYS, header, original,
};
use crate::events::{Record, TransportError};

impl DeadLetters {
    /// Sends letters back, in order per key. One that was sent back too often stays, and so does what is behind it.
    pub async fn redrive(&self, selection: &Selection) -> Result<Settlement, TransportError> {
        let letters = self.letters().await?;
        let (chosen, exhausted) = self.choose(&letters, selection);
        if selection.dry_run {
            let unparking = complete(&letters, &chosen);
            return Ok(Settlement { settled: chosen, exhausted, unparking });
        }
        let settled = self.settle(&letters, chosen, |letter| Some(self.sent_back(&letters, letter))).await?;
        Ok(Settlement { exhausted, ..settled })
    }

    /// Those to be sent, and those that were sent too often with all that is behind them.
    fn choose(&self, letters: &Letters, selection: &Selection) -> (Vec<DeadLetter>, Vec<DeadLetter>) {
        let (mut chosen, mut exhausted, mut blocked) = (Vec::new(), Vec::new(), HashSet::new());
        for letter in letters.pending(selection.key.as_deref()) {
            if letter.replays >= self.replays_max || blocked.contains(&letter.key) {
                blocked.insert(letter.key.clone());
                exhausted.push(letter);
            } else if selection.max.is_none_or(|max| chosen.len() < max) {
                chosen.push(letter);
            }
        }
        (chosen, exhausted)
    }

    fn sent_back(&self, letters: &Letters, letter: &DeadLetter) -> Record {
        let mut headers = original(&letter.record);
        headers.extend([
            header(REDRIVE_GROUP, &self.group),
            header(REPLAYS, letter.replays + 1),
            header(ERROR_PARTITION, letter.source_partition),
            header(ERROR_OFFSET, letter.source_offset),
        ]);
        headers.extend(letters.parked_at(&letter.key).map(|at| header(REDRIVE_STAMP, at)));
        Record {
            topic: self.topic.clone(),
            key: letter.key.clone(),
            payload: letter.record.payload.clone(),
            headers,
        }
    }
}

/// Keys of which no letter is left out.
pub(super) fn complete(letters: &Letters, chosen: &[DeadLetter]) -> Vec<String> {
    let keys = by_key(chosen.to_vec()).into_iter();
    keys.filter(|(key, chosen)| letters.pending(Some(key)).len() == chosen.len())
        .map(|(key, _)| key)
        .collect()
}
