//! `holdfast dlq show`.

use std::io::{self, Write};

use console::style;
use service_kit::events::DeadLetter;

use super::queues::Queue;
use super::{Post, selection, take, told};
use crate::Verdict;
use crate::cli::ShowArgs;

/// Letters with everything that stands in them.
pub(super) async fn run(
    post: &Post,
    queues: &[Queue],
    args: &ShowArgs,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<Verdict> {
    let mut left = args.letters.max;
    let mut none = true;
    for queue in queues {
        let letters = post.letters(queue);
        let found = match args.at {
            Some((partition, offset)) => letters.show(partition, offset).await?.into_iter().collect(),
            None => letters.list(&selection(&args.letters, left, false)).await?,
        };
        take(&mut left, found.len());
        none &= found.is_empty();
        for letter in &found {
            write(out, queue, letter)?;
        }
    }
    match args.at {
        Some((partition, offset)) if none => anyhow::bail!(
            "no dead letter stands at {partition}:{offset}: `holdfast dlq list` shows the places of those that wait"
        ),
        None if none => writeln!(out, "no dead letters wait")?,
        _ => {}
    }
    Ok(Verdict::Done)
}

fn write(out: &mut (dyn Write + Send), queue: &Queue, letter: &DeadLetter) -> io::Result<()> {
    writeln!(out, "{}", style(format!("{} for {}", queue.topic, queue.group)).bold())?;
    writeln!(out, "{}", told::line(letter))?;
    let width = letter.record.headers.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, value) in &letter.record.headers {
        let name = format!("{:<width$}", told::plain(name));
        writeln!(out, "    {}  {}", style(name).dim(), told::plain(value))?;
    }
    writeln!(out)?;
    for line in told::payload(&letter.record.payload).lines() {
        writeln!(out, "    {line}")?;
    }
    writeln!(out)
}
