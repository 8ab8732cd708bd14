//! `holdfast dlq`: what an operator does with events that a service could not take.

use std::io::{self, Write};
use std::sync::Arc;

use console::style;
use event_contracts::catalogue::EVENTS;
use service_kit::events::kafka::{KafkaOptions, KafkaTransport};
use service_kit::events::{
    DeadLetter, DeadLetters, LocalLog, LocalOptions, Selection, Settlement, Transport,
};

use crate::Verdict;
use crate::cli::{DlqArgs, DlqVerb, LetterArgs};
use crate::config::Settings;

/// Does one thing with the letters of every chosen topic and group. Letters that nobody settles are findings of `list`.
pub(super) async fn run(settings: &Settings, args: &DlqArgs) -> anyhow::Result<Verdict> {
    let transport = transport(settings).await?;
    let out = &mut io::stdout().lock();
    match &args.verb {
        DlqVerb::List(chosen) => list(&transport, chosen, out).await,
        DlqVerb::Show(at) => {
            let letters = DeadLetters::new(transport, &at.topic, &at.group);
            match letters.show(at.partition, at.offset).await? {
                Some(letter) => print_whole(out, &letter)?,
                None => anyhow::bail!(
                    "no letter stands at {}:{}; `holdfast dlq list` names the places",
                    at.partition,
                    at.offset
                ),
            }
            Ok(Verdict::Done)
        }
        DlqVerb::Redrive(chosen) => settle(&transport, chosen, Deed::SendBack, out).await,
        DlqVerb::Discard(chosen) => settle(&transport, chosen, Deed::Discard, out).await,
    }
}

/// How letters are settled.
#[derive(Clone, Copy)]
enum Deed {
    SendBack,
    Discard,
}

impl Deed {
    fn done(self) -> &'static str {
        match self {
            Self::SendBack => "sent back",
            Self::Discard => "discarded",
        }
    }
}

/// The brokers, or the log under the data folder, beside the process that uses it.
async fn transport(settings: &Settings) -> anyhow::Result<Arc<dyn Transport>> {
    Ok(match &settings.kafka_brokers {
        Some(brokers) => Arc::new(KafkaTransport::new(KafkaOptions::new(brokers, "holdfast-dlq"))?),
        None => Arc::new(LocalLog::open_beside(&settings.data_dir, LocalOptions::default()).await?),
    })
}

/// Every topic and group that may have letters, or those that were named.
fn places(chosen: &LetterArgs) -> Vec<(&'static str, &'static str)> {
    let is_wanted = |name: &str, wanted: &Option<String>| wanted.as_ref().is_none_or(|wanted| wanted == name);
    EVENTS
        .iter()
        .flat_map(|event| {
            let groups = event.consumers.iter().chain(event.choreography_consumers);
            groups.map(|group| (event.topic, *group))
        })
        .filter(|(topic, group)| is_wanted(topic, &chosen.topic) && is_wanted(group, &chosen.group))
        .collect()
}

fn selection(chosen: &LetterArgs) -> Selection {
    Selection { key: chosen.key.clone(), max: chosen.max, dry_run: chosen.dry_run }
}

async fn list(
    transport: &Arc<dyn Transport>,
    chosen: &LetterArgs,
    out: &mut dyn Write,
) -> anyhow::Result<Verdict> {
    let mut count = 0;
    for (topic, group) in places(chosen) {
        let letters = DeadLetters::new(transport.clone(), topic, group).list(&selection(chosen)).await?;
        if !letters.is_empty() {
            writeln!(out, "{} for {group}", style(topic).bold())?;
        }
        for letter in &letters {
            print_line(out, letter)?;
        }
        count += letters.len();
    }
    match count {
        0 => writeln!(out, "{} no dead letters", style("✔").green())?,
        count => writeln!(out, "{} {count} dead letters wait", style("!").yellow())?,
    }
    Ok(if count == 0 { Verdict::Done } else { Verdict::Findings })
}

async fn settle(
    transport: &Arc<dyn Transport>,
    chosen: &LetterArgs,
    deed: Deed,
    out: &mut dyn Write,
) -> anyhow::Result<Verdict> {
    let mut verdict = Verdict::Done;
    for (topic, group) in places(chosen) {
        let letters = DeadLetters::new(transport.clone(), topic, group);
        let settled = match deed {
            Deed::Discard => letters.discard(&selection(chosen)).await?,
            Deed::SendBack => letters.redrive(&selection(chosen)).await?,
        };
        print_settlement(out, (topic, group), &settled, deed.done(), chosen.dry_run)?;
        if !settled.exhausted.is_empty() {
            verdict = Verdict::Findings;
        }
    }
    Ok(verdict)
}

fn print_settlement(
    out: &mut dyn Write,
    (topic, group): (&str, &str),
    settled: &Settlement,
    word: &str,
    dry_run: bool,
) -> io::Result<()> {
    if settled.settled.is_empty() && settled.exhausted.is_empty() {
        return Ok(());
    }
    let would = if dry_run { "would be " } else { "" };
    writeln!(out, "{} for {group}: {} {would}{word}", style(topic).bold(), settled.settled.len())?;
    for letter in &settled.settled {
        print_line(out, letter)?;
    }
    for key in &settled.unparking {
        writeln!(out, "  key {key} goes on behind them")?;
    }
    if !settled.exhausted.is_empty() {
        writeln!(
            out,
            "  {} were sent back too often, or wait behind one that was: discard them",
            settled.exhausted.len()
        )?;
        for letter in &settled.exhausted {
            print_line(out, letter)?;
        }
    }
    Ok(())
}

fn print_line(out: &mut dyn Write, letter: &DeadLetter) -> io::Result<()> {
    let place = format!("{}:{}", letter.partition, letter.offset);
    let replays =
        if letter.replays > 0 { format!(", sent back {} times", letter.replays) } else { String::new() };
    writeln!(out, "  {place:<8} key {}  {}{replays}", letter.key, style(&letter.reason).dim())
}

fn print_whole(out: &mut dyn Write, letter: &DeadLetter) -> io::Result<()> {
    print_line(out, letter)?;
    for (name, value) in &letter.record.headers {
        writeln!(out, "  {} {value}", style(format!("{name}:")).dim())?;
    }
    match serde_json::from_slice::<serde_json::Value>(&letter.record.payload) {
        Ok(payload) => writeln!(out, "{payload:#}"),
        Err(_) => writeln!(out, "{}", String::from_utf8_lossy(&letter.record.payload)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(topic: Option<&str>, group: Option<&str>) -> LetterArgs {
        LetterArgs {
            topic: topic.map(str::to_owned),
            group: group.map(str::to_owned),
            key: None,
            max: None,
            dry_run: false,
        }
    }

    #[test]
    fn every_topic_that_somebody_hears_may_have_letters() {
        let all = places(&chosen(None, None));
        assert!(all.contains(&("payment.successful", "order-service")), "{all:?}");
        assert!(all.contains(&("order.confirmed", "inventory-service")), "{all:?}");
        let one = places(&chosen(Some("payment.failed"), Some("order-service")));
        assert_eq!(one, [("payment.failed", "order-service")]);
    }
}
