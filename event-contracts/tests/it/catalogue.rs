//! The table of events is whole and makes sense.

use std::collections::BTreeSet;

use event_contracts::catalogue::{INVENTORY, Key, ORDERS, PAYMENTS};
use event_contracts::{EVENTS, catalogue};

use crate::files;

#[test]
fn every_topic_that_has_a_name_in_the_code_stands_in_the_table_once() {
    let source = std::fs::read_to_string(files::path("event-contracts/src/topics.rs")).unwrap();
    let named: BTreeSet<&str> = source
        .lines()
        .filter(|line| line.starts_with("pub const"))
        .filter_map(|line| line.split('"').nth(1))
        .collect();
    let listed: BTreeSet<&str> = EVENTS.iter().map(|event| event.topic).collect();
    assert_eq!(named, listed);
    assert_eq!(listed.len(), EVENTS.len());
    assert!(EVENTS.iter().all(|event| catalogue::find(event.topic).unwrap().payload == event.payload));
}

#[test]
fn producers_are_whom_the_name_says_and_keys_are_what_the_golden_file_is_about() {
    for event in EVENTS {
        let producer = match event.topic.split('.').next().unwrap() {
            "inventory" => INVENTORY,
            "order" => ORDERS,
            "payment" => PAYMENTS,
            other => panic!("whose is {other}?"),
        };
        assert_eq!(event.producer, producer, "{}", event.topic);
        let golden = files::golden(&event);
        assert_eq!(golden["metadata"]["sourceService"], producer);
        let id = match event.key {
            Key::Order => golden["payload"]["orderId"].as_str().unwrap().to_owned(),
            Key::Product => golden["payload"]["productId"].to_string(),
        };
        assert_eq!(golden["aggregateId"], id, "{}", event.topic);
    }
}

#[test]
fn nobody_listens_to_itself_or_twice_and_only_the_level_is_compacted() {
    for event in EVENTS {
        let listeners: Vec<_> = event.consumers.iter().chain(event.choreography_consumers).collect();
        let different: BTreeSet<_> = listeners.iter().collect();
        assert_eq!(listeners.len(), different.len());
        assert!(!listeners.contains(&&event.producer));
        assert!(!event.is_choreography_only || event.consumers.is_empty());
        assert_eq!(event.is_compacted, event.topic == "inventory.stock.level");
    }
}
