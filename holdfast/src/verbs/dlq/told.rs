//! Letters in words. What stands in them was written by anybody: no control character of it reaches a terminal.

use chrono::{DateTime, SecondsFormat};
use console::style;
use service_kit::events::DeadLetter;

use super::queues::Queue;

/// Above the letters of a queue.
pub(super) fn title(queue: &Queue, count: usize) -> String {
    let letters = if count == 1 { "letter" } else { "letters" };
    let name = format!("{} for {}", queue.topic, queue.group);
    format!("{}: {count} {letters}", style(name).bold())
}

/// Where it stands, whose it is and when it was given up; below it, why.
pub(super) fn line(letter: &DeadLetter) -> String {
    format!(
        "  {:<8}  {}  {}  {}\n{:12}{}",
        format!("{}:{}", letter.partition, letter.offset),
        when(letter),
        plain(&letter.key),
        style(tries(letter)).dim(),
        "",
        plain(&letter.reason)
    )
}

fn tries(letter: &DeadLetter) -> String {
    let times = |count| if count == 1 { "once".to_owned() } else { format!("{count} times") };
    let tried = if letter.attempts == 0 { "not tried".to_owned() } else { tried(letter, times) };
    match letter.replays {
        0 => tried,
        replays => format!("{tried}, sent back {}", times(replays)),
    }
}

fn tried(letter: &DeadLetter, times: impl Fn(u32) -> String) -> String {
    format!("tried {}", times(letter.attempts))
}

/// When it was given up, RFC 3339.
fn when(letter: &DeadLetter) -> String {
    letter
        .parked_at
        .and_then(DateTime::from_timestamp_micros)
        .map_or_else(|| "at an unknown time".to_owned(), |at| at.to_rfc3339_opts(SecondsFormat::Millis, true))
}

/// A payload, laid out if it is JSON.
pub(super) fn payload(bytes: &[u8]) -> String {
    let parsed = serde_json::from_slice::<serde_json::Value>(bytes);
    if let Some(pretty) = parsed.ok().and_then(|value| serde_json::to_string_pretty(&value).ok()) {
        return pretty.lines().map(plain).collect::<Vec<_>>().join("\n");
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => text.lines().map(plain).collect::<Vec<_>>().join("\n"),
        Err(_) => format!("{} bytes, no text: {}", bytes.len(), bytes.escape_ascii()),
    }
}

/// Control characters as their escapes, and those that turn the direction of writing.
pub(super) fn plain(text: &str) -> String {
    let turns = |character| matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().fold(String::with_capacity(text.len()), |mut plain, character| {
        if character.is_control() || turns(character) {
            plain.extend(character.escape_default());
        } else {
            plain.push(character);
        }
        plain
    })
}

#[cfg(test)]
mod tests {
    use service_kit::events::Record;

    use super::*;

    fn letter() -> DeadLetter {
        let record = Record { topic: "t".into(), key: "k".into(), payload: Vec::new(), headers: Vec::new() };
        DeadLetter {
            partition: 2,
            offset: 17,
            source_partition: 1,
            source_offset: 4,
            key: "k\u{1b}[2J".into(),
            event_id: None,
            event_type: None,
            class: String::new(),
            reason: "two\nlines".into(),
            attempts: 1,
            replays: 0,
            parked_at: Some(1_767_323_045_000_006),
            record,
        }
    }

    #[test]
    fn a_line_says_where_when_whose_and_why_and_nothing_steers_the_terminal() {
        let told = console::strip_ansi_codes(&line(&letter())).into_owned();
        let (first, second) = told.split_once('\n').unwrap();
        assert_eq!(first, "  2:17      2026-01-02T03:04:05.000Z  k\\u{1b}[2J  tried once");
        assert_eq!(second.trim(), "two\\nlines");
        assert_eq!(plain("a\u{202e}b"), "a\\u{202e}b");
        let unknown = line(&DeadLetter { parked_at: None, ..letter() });
        assert!(unknown.contains("unknown time"), "{unknown}");
    }

    #[test]
    fn tries_are_counted_in_words() {
        let with = |attempts, replays| tries(&DeadLetter { attempts, replays, ..letter() });
        assert_eq!(with(0, 0), "not tried");
        assert_eq!(with(3, 1), "tried 3 times, sent back once");
        assert_eq!(with(1, 2), "tried once, sent back 2 times");
    }

    #[test]
    fn a_payload_is_laid_out_if_it_is_json_and_harmless_if_not() {
        assert_eq!(payload(br#"{"a":[1]}"#), "{\n  \"a\": [\n    1\n  ]\n}");
        assert_eq!(payload(b"not \x1b json\nat all"), "not \\u{1b} json\nat all");
        assert_eq!(payload(b"\xff\x00"), "2 bytes, no text: \\xff\\x00");
    }
}
