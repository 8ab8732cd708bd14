//! Which dead letters there can be: of every topic, for every group that hears it.

use event_contracts::catalogue::EVENTS;

use crate::cli::LettersArgs;

/// The letters of one group for one topic.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Queue {
    pub(super) topic: &'static str,
    pub(super) group: &'static str,
}

/// In the order of the catalogue. A service's name is its group's.
fn all() -> Vec<Queue> {
    let of_event = EVENTS.iter().flat_map(|event| {
        let groups = event.consumers.iter().chain(event.choreography_consumers);
        groups.map(|group| Queue { topic: event.topic, group })
    });
    let mut queues = Vec::new();
    for queue in of_event {
        if !queues.contains(&queue) {
            queues.push(queue);
        }
    }
    queues
}

/// Those that were asked for. None is an error that says what there is.
pub(super) fn chosen(letters: &LettersArgs) -> anyhow::Result<Vec<Queue>> {
    let mut queues = all();
    if let Some(topic) = &letters.topic {
        let known = names(queues.iter().map(|queue| queue.topic));
        queues.retain(|queue| queue.topic == topic);
        anyhow::ensure!(!queues.is_empty(), "nobody hears a topic {topic:?}: --topic is one of {known}");
    }
    if let Some(group) = &letters.group {
        let known = names(queues.iter().map(|queue| queue.group));
        queues.retain(|queue| queue.group == group);
        let of = letters.topic.as_ref().map(|topic| format!(" that hears {topic}")).unwrap_or_default();
        anyhow::ensure!(!queues.is_empty(), "there is no group {group:?}{of}: --group is one of {known}");
    }
    Ok(queues)
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut known: Vec<&str> = names.collect();
    known.sort_unstable();
    known.dedup();
    known.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(topic: Option<&str>, group: Option<&str>) -> Result<Vec<(&'static str, &'static str)>, String> {
        let letters = LettersArgs {
            topic: topic.map(str::to_owned),
            group: group.map(str::to_owned),
            ..LettersArgs::default()
        };
        let queues = chosen(&letters).map_err(|error| error.to_string())?;
        Ok(queues.into_iter().map(|queue| (queue.topic, queue.group)).collect())
    }

    #[test]
    fn every_group_that_may_give_an_event_up_has_letters_once() {
        let all = asked(None, None).unwrap();
        for pair in [
            ("payment.successful", "order-service"),
            ("order.confirmed", "inventory-service"),
            ("order.created", "payment-stub"),
            ("inventory.stock.committed", "order-service"),
        ] {
            assert_eq!(all.iter().filter(|known| **known == pair).count(), 1, "{pair:?}");
        }
        assert!(all.iter().all(|(topic, _)| *topic != "order.shipped"), "nobody hears it");
    }

    #[test]
    fn a_topic_and_a_group_narrow() {
        let created = [("order.created", "inventory-service"), ("order.created", "payment-stub")];
        assert_eq!(asked(Some("order.created"), None).unwrap(), created);
        assert_eq!(asked(Some("order.created"), Some("payment-stub")).unwrap(), created[1..]);
        assert!(asked(None, Some("payment-stub")).unwrap().iter().all(|(_, group)| *group == "payment-stub"));
    }

    #[test]
    fn a_name_that_is_not_known_is_answered_with_those_that_are() {
        let error = asked(Some("order.shiped"), None).unwrap_err();
        assert!(error.contains("order.shiped") && error.contains("payment.successful"), "{error}");
        let error = asked(Some("payment.failed"), Some("inventory-service")).unwrap_err();
        assert!(error.contains("hears payment.failed") && error.ends_with("order-service"), "{error}");
    }
}
