//! `docs/EVENTS.md`: the prose is written by hand, the table and the examples are made from the code.

use std::fmt::Write;

use event_contracts::EVENTS;

use crate::files;

const FILE: &str = "docs/EVENTS.md";
const BEGIN: &str = "<!-- made from event-contracts: do not edit below -->\n";

/// Topics with who sends and who listens, then an example of each.
fn generated() -> String {
    let mut text = String::from(
        "## Topics\n\n| topic | key | kept | sent by | heard by |\n| --- | --- | --- | --- | --- |\n",
    );
    for event in EVENTS {
        let mut listeners: Vec<String> = event.consumers.iter().map(|name| (*name).to_owned()).collect();
        listeners.extend(event.choreography_consumers.iter().map(|name| format!("{name} (choreography)")));
        let listeners = if listeners.is_empty() { "—".to_owned() } else { listeners.join(", ") };
        let kept = if event.is_compacted { "compacted: the last of each key" } else { "for a while" };
        let only = if event.is_choreography_only { " (choreography)" } else { "" };
        let anchor = event.topic.replace('.', "");
        writeln!(
            text,
            "| [`{}`](#{anchor}) | {} | {kept} | {}{only} | {listeners} |",
            event.topic,
            event.key.name(),
            event.producer
        )
        .unwrap();
    }
    text.push_str(
        "\n## Payloads\n\nThe examples are the golden files. Schemas stand in `event-contracts/schemas/`.\n",
    );
    for event in EVENTS {
        let payload = files::golden_payload_text(&event);
        let only = if event.is_choreography_only { " Only in choreography." } else { "" };
        write!(
            text,
            "\n### {}\n\nVersion {}. {}{only}\n\n```json\n{payload}\n```\n",
            event.topic, event.version, event.summary
        )
        .unwrap();
    }
    text
}

#[test]
fn the_page_lists_every_topic_and_shows_every_payload_as_the_code_has_it() {
    let page = std::fs::read_to_string(files::path(FILE)).unwrap();
    let (prose, _) = page.split_once(BEGIN).expect("the mark above what is made");
    files::assert_current(FILE, &format!("{prose}{BEGIN}\n{}", generated()));
}
