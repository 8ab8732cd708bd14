//! `holdfast dlq redrive` and `holdfast dlq discard`.

use std::io::Write;

use service_kit::events::Settlement;

use super::queues::Queue;
use super::{Post, selection, take, told, write};
use crate::Verdict;
use crate::cli::{DiscardArgs, LettersArgs};

/// How letters are settled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Deed {
    /// To the group that gave them up.
    SendBack,
    /// For good.
    Discard,
}

impl Deed {
    fn done(self) -> &'static str {
        match self {
            Self::SendBack => "sent back",
            Self::Discard => "discarded",
        }
    }

    fn nothing(self) -> &'static str {
        match self {
            Self::SendBack => "nothing to send back",
            Self::Discard => "nothing to discard",
        }
    }
}

/// Settles letters of these queues, or says what would happen. Letters that were sent back too often are a finding.
pub(super) async fn run(
    post: &Post,
    queues: &[Queue],
    (deed, letters, dry_run): (Deed, &LettersArgs, bool),
    out: &mut (dyn Write + Send),
) -> anyhow::Result<Verdict> {
    let mut left = letters.max;
    let (mut settled, mut exhausted) = (0, 0);
    for queue in queues {
        let selection = selection(letters, left, dry_run);
        let settlement = match deed {
            Deed::SendBack => post.letters(queue).redrive(&selection).await?,
            Deed::Discard => post.letters(queue).discard(&selection).await?,
        };
        take(&mut left, settlement.settled.len());
        settled += settlement.settled.len();
        exhausted += settlement.exhausted.len();
        tell(out, queue, (deed, dry_run), &settlement)?;
    }
    if settled + exhausted == 0 {
        writeln!(out, "{}: no such dead letters wait", deed.nothing())?;
    }
    Ok(if exhausted == 0 { Verdict::Done } else { Verdict::Findings })
}

/// Whether it is said which letters are to go for good.
pub(super) fn check(args: &DiscardArgs) -> anyhow::Result<()> {
    let letters = &args.letters;
    let is_named = letters.topic.is_some() || letters.group.is_some() || letters.key.is_some();
    anyhow::ensure!(
        is_named || args.all || args.dry_run,
        "what is discarded is given up for good: say which letters by --topic, --group or --key, or --all; --dry-run shows them"
    );
    Ok(())
}

fn tell(
    out: &mut (dyn Write + Send),
    queue: &Queue,
    (deed, dry_run): (Deed, bool),
    settlement: &Settlement,
) -> anyhow::Result<()> {
    if !settlement.settled.is_empty() {
        let would = if dry_run { "would be " } else { "" };
        writeln!(out, "{}, {would}{}", told::title(queue, settlement.settled.len()), deed.done())?;
        write(out, &settlement.settled)?;
    }
    for key in &settlement.unparking {
        let goes_on = if dry_run { "would go on" } else { "goes on" };
        writeln!(out, "  {} {goes_on} with its later events", told::plain(key))?;
    }
    if !settlement.exhausted.is_empty() {
        let title = told::title(queue, settlement.exhausted.len());
        writeln!(
            out,
            "{title}, sent back too often or behind one that was; only `holdfast dlq discard` helps"
        )?;
        write(out, &settlement.exhausted)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::check;
    use crate::cli::{Cli, DlqVerb, Verb};

    #[test]
    fn everything_is_discarded_only_if_that_is_said() {
        let allowed = |line: &str| {
            let cli = Cli::try_parse_from(format!("holdfast dlq discard {line}").split_whitespace()).unwrap();
            let Some(Verb::Dlq { verb: DlqVerb::Discard(args) }) = cli.verb else { panic!("{line}") };
            check(&args)
        };
        assert!(allowed("").unwrap_err().to_string().contains("--all"));
        assert!(allowed("--max 3").is_err());
        for line in ["--all", "--dry-run", "--key k", "--topic order.created", "--group payment-stub"] {
            assert!(allowed(line).is_ok(), "{line}");
        }
    }
}
