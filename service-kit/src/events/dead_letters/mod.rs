//! What an operator does with dead letters: list, show, send back, discard. Works on any transport, beside the running services, and
//! needs no access to their databases.
//!
//! A letter is settled by a mark that is appended to the same topic and key; letters are never altered. A letter that was sent back
//! stands in its source topic again, stamped for its group, and goes ahead of its parked key. When all letters of a key are settled, a last
//! record follows them: "unpark, if nothing was added since the letter of this time". The consumer meets it behind the
//! letters and decides by its own row, so an event that came in between keeps the key parked.
//!
//! A letter that was never settled goes after a while like any record, and leaves its key parked. Then [`DeadLetters::let_go`] asks the
//! consumer to look for itself, in its place among the key's records, whether any letter of the key is left.
//!
//! Discard letters of a compacted topic instead of sending them back: what is sent back becomes the last record of its key.
//!
//! **Repeating any of this is harmless**: a crash between sending and marking sends again, under the same event id.

mod discard;
mod let_go;
mod letter;
mod redrive;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use self::letter::DeadLetter;

use self::letter::Letters;
use super::consumer::letter::topic_of_letters;
use super::headers::{EVENT_TYPE, REDRIVE_GROUP, SETTLED, SETTLED_UP_TO, UNPARK, header};
use super::{PublishError, Record, Transport, TransportError};

/// How often a letter is sent back at most, unless told otherwise.
pub const REPLAYS_MAX: u32 = 5;

/// Which letters.
#[derive(Clone, Default, Debug)]
pub struct Selection {
    /// Only those of this key.
    pub key: Option<String>,
    /// At most so many, the oldest first.
    pub max: Option<usize>,
    /// Say what would happen, and do nothing.
    pub dry_run: bool,
}

/// What was done, or would be.
#[derive(Clone, Default, Debug)]
pub struct Settlement {
    /// The letters that were sent back or discarded, in order per key.
    pub settled: Vec<DeadLetter>,
    /// Those that were sent back too often, and what waits behind them: only discarding helps.
    pub exhausted: Vec<DeadLetter>,
    /// Keys all of whose letters are settled: they go on unless another letter was added meanwhile.
    pub unparking: Vec<String>,
}

/// The dead letters of one group for one topic.
pub struct DeadLetters {
    transport: Arc<dyn Transport>,
    topic: String,
    group: String,
    replays_max: u32,
}

impl DeadLetters {
    /// Those of `group` for events of `topic`.
    pub fn new(transport: Arc<dyn Transport>, topic: &str, group: &str) -> Self {
        Self { transport, topic: topic.to_owned(), group: group.to_owned(), replays_max: REPLAYS_MAX }
    }

    /// With another limit of how often a letter is sent back.
    pub fn with_replays_max(self, replays_max: u32) -> Self {
        Self { replays_max, ..self }
    }

    /// The letters that wait, in the order of their source.
    pub async fn list(&self, selection: &Selection) -> Result<Vec<DeadLetter>, TransportError> {
        let mut letters = self.letters().await?.pending(selection.key.as_deref());
        letters.truncate(selection.max.unwrap_or(usize::MAX));
        Ok(letters)
    }

    /// The letter at a place of the dead letters, settled or not.
    pub async fn show(&self, partition: i32, offset: i64) -> Result<Option<DeadLetter>, TransportError> {
        let letters = self.letters().await?.all;
        Ok(letters.into_iter().find(|letter| (letter.partition, letter.offset) == (partition, offset)))
    }

    async fn letters(&self) -> Result<Letters, TransportError> {
        let topic = topic_of_letters(&self.topic, &self.group);
        Ok(Letters::of(self.transport.read(&topic, &[]).await?))
    }

    /// Sends records to the source topic, then marks the letters whose records arrived. `records` of a letter, if any, and the
    /// last record of its key count for it: it is settled only if all of them arrived.
    async fn settle(
        &self,
        letters: &Letters,
        chosen: Vec<DeadLetter>,
        record_of: impl Fn(&DeadLetter) -> Option<Record>,
    ) -> Result<Settlement, TransportError> {
        let mut settlement = Settlement::default();
        let mut marks = Vec::new();
        let mut failure = None;
        for (key, chosen) in by_key(chosen) {
            let is_all = letters.pending(Some(&key)).len() == chosen.len();
            let unpark = letters.parked_at(&key).filter(|_| is_all).map(|at| self.unpark(&key, at));
            let mut sent = chosen.len();
            let mut is_unparking = unpark.is_some();
            let records: Vec<_> = chosen.iter().filter_map(&record_of).chain(unpark).collect();
            if !records.is_empty() {
                let answers = self.transport.publisher().publish(&records).await;
                let arrived = answers.iter().take_while(|answer| answer.is_ok()).count();
                if arrived < records.len() {
                    // Without its last record the key would stay parked with no letter left: keep the last one.
                    sent = arrived.min(chosen.len() - 1);
                    is_unparking = false;
                    failure = answers.into_iter().find_map(Result::err);
                }
            }
            marks.extend(chosen.iter().take(sent).map(|letter| self.mark(letters, letter)));
            settlement.settled.extend(chosen.into_iter().take(sent));
            settlement.unparking.extend(is_unparking.then_some(key));
        }
        if let Some(error) =
            self.transport.publisher().publish(&marks).await.into_iter().find_map(Result::err)
        {
            failure.get_or_insert(error);
        }
        failure.map_or(Ok(settlement), |error| Err(not_all(&error)))
    }

    fn unpark(&self, key: &str, at: i64) -> Record {
        Record {
            topic: self.topic.clone(),
            key: key.to_owned(),
            payload: b"{}".to_vec(),
            headers: vec![header(EVENT_TYPE, UNPARK), header(REDRIVE_GROUP, &self.group), header(UNPARK, at)],
        }
    }

    fn mark(&self, letters: &Letters, letter: &DeadLetter) -> Record {
        Record {
            topic: topic_of_letters(&self.topic, &self.group),
            key: letter.key.clone(),
            payload: b"{}".to_vec(),
            headers: vec![
                header(EVENT_TYPE, SETTLED),
                header(SETTLED, letter.source()),
                header(SETTLED_UP_TO, letters.last_offset(letter)),
            ],
        }
    }
}

/// Keys in a fixed order, letters of a key in theirs.
fn by_key(letters: Vec<DeadLetter>) -> BTreeMap<String, Vec<DeadLetter>> {
    let mut keys: BTreeMap<String, Vec<DeadLetter>> = BTreeMap::new();
    for letter in letters {
        keys.entry(letter.key.clone()).or_default().push(letter);
    }
    keys
}

fn not_all(error: &PublishError) -> TransportError {
    TransportError {
        message: format!("not all was sent: {error}; repeat the command, that is harmless"),
        is_transient: !matches!(error, PublishError::Permanent(_)),
    }
}
