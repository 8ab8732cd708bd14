//! Reading a topic of dead letters: letters, and marks that say which of them are settled.

use std::collections::HashMap;

use crate::events::headers::{
    ATTEMPTS, CLASS_FOLLOWS, ERROR_CLASS, ERROR_MESSAGE, ERROR_OFFSET, ERROR_PARTITION, EVENT_ID, EVENT_TYPE,
    PARKED_AT, REPLAYS, SETTLED, SETTLED_UP_TO, get, number,
};
use crate::events::{Received, Record};

/// An event that a group gave up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeadLetter {
    /// Its place among the dead letters.
    pub partition: i32,
    /// Its place among the dead letters.
    pub offset: i64,
    /// Where the event stood at first.
    pub source_partition: i32,
    /// Where the event stood at first.
    pub source_offset: i64,
    /// The aggregate's id.
    pub key: String,
    /// The event's id, if it has one.
    pub event_id: Option<String>,
    /// Its type, if it says so.
    pub event_type: Option<String>,
    /// What kind of failure: refused, or only behind one that was.
    pub class: String,
    /// What was said about it.
    pub reason: String,
    /// How often it was tried.
    pub attempts: u32,
    /// How often it was sent back and tried again.
    pub replays: u32,
    /// When it was given up, in microseconds since 1970 by its service's database.
    pub parked_at: Option<i64>,
    /// Bytes, key and headers as they stand there.
    pub record: Record,
}

impl DeadLetter {
    fn of(received: Received) -> Self {
        let record = received.record;
        let text = |name: &str| get(&record, name).map(str::to_owned);
        Self {
            partition: received.partition,
            offset: received.offset,
            source_partition: number(&record, ERROR_PARTITION).unwrap_or(received.partition),
            source_offset: number(&record, ERROR_OFFSET).unwrap_or(received.offset),
            key: record.key.clone(),
            event_id: text(EVENT_ID),
            event_type: text(EVENT_TYPE),
            class: text(ERROR_CLASS).unwrap_or_default(),
            reason: text(ERROR_MESSAGE).unwrap_or_default(),
            attempts: number(&record, ATTEMPTS).unwrap_or(0),
            replays: number(&record, REPLAYS).unwrap_or(0),
            parked_at: number(&record, PARKED_AT),
            record,
        }
    }

    /// By this an event is known among the letters, however often it comes back.
    pub(super) fn source(&self) -> String {
        format!("{}:{}", self.source_partition, self.source_offset)
    }
}

/// All that stands in the topic.
pub(super) struct Letters {
    pub(super) all: Vec<DeadLetter>,
    /// By partition, key and source: up to which offset letters are settled.
    settled: HashMap<(i32, String, String), i64>,
}

impl Letters {
    pub(super) fn of(received: Vec<Received>) -> Self {
        let mut letters = Self { all: Vec::new(), settled: HashMap::new() };
        for received in received {
            let record = &received.record;
            if let Some(source) = get(record, SETTLED) {
                let up_to = number(record, SETTLED_UP_TO).unwrap_or(0);
                let mark = (received.partition, record.key.clone(), source.to_owned());
                let known = letters.settled.entry(mark).or_insert(up_to);
                *known = up_to.max(*known);
            } else {
                letters.all.push(DeadLetter::of(received));
            }
        }
        letters
    }

    /// Those that wait, each event once, in the order of the source.
    pub(super) fn pending(&self, key: Option<&str>) -> Vec<DeadLetter> {
        let mut last: HashMap<(&str, i32, i64), &DeadLetter> = HashMap::new();
        for letter in self.all.iter().filter(|letter| self.waits(letter)) {
            if key.is_none_or(|key| key == letter.key) {
                // A letter that was written twice counts once: the later one. After a crash between letter and offset the event
                // comes again and only follows its parked key: then the earlier one has the reason.
                let known = last.entry((&letter.key, letter.source_partition, letter.source_offset));
                let known = known.or_insert(letter);
                if letter.class != CLASS_FOLLOWS {
                    *known = letter;
                }
            }
        }
        let mut pending: Vec<_> = last.into_values().cloned().collect();
        pending.sort_unstable_by_key(|letter| (letter.source_partition, letter.source_offset));
        pending
    }

    /// The time of the key's last letter, settled or not: its row in the consumer's database has it if nothing was added since.
    pub(super) fn parked_at(&self, key: &str) -> Option<i64> {
        let of_key = self.all.iter().filter(|letter| letter.key == key);
        of_key.filter_map(|letter| letter.parked_at).max()
    }

    /// The last letter of the same event: a mark settles all up to it.
    pub(super) fn last_offset(&self, letter: &DeadLetter) -> i64 {
        let same = |other: &&DeadLetter| other.key == letter.key && other.source() == letter.source();
        self.all.iter().filter(same).map(|other| other.offset).max().unwrap_or(letter.offset)
    }

    fn waits(&self, letter: &DeadLetter) -> bool {
        let mark = (letter.partition, letter.key.clone(), letter.source());
        self.settled.get(&mark).is_none_or(|up_to| letter.offset > *up_to)
    }
}
