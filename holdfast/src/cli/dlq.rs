//! `dlq …`.

use clap::{Args, Subcommand};

/// What to do about dead letters.
#[derive(Subcommand)]
pub enum DlqVerb {
    /// What waits, oldest first: where it stands, its key, and why it was given up
    ///
    /// The exit code is 1 if anything waits.
    List(LettersArgs),
    /// The same with headers and payload
    Show(ShowArgs),
    /// Send letters back to the group that gave them up, in order per key
    ///
    /// Repeating it is harmless. A letter that was sent back five times stays, with all that waits behind it: the exit code is 1 then.
    Redrive(RedriveArgs),
    /// Give letters up for good
    ///
    /// Later events of their keys go on once no letter of the key is left.
    Discard(DiscardArgs),
    /// Let a key go on whose letters went unsettled when they were too old to be kept
    ///
    /// Its group does so when it comes to it, unless a letter of the key waits then. The exit code is 1 if one waits now: redrive or discard it.
    Unpark(UnparkArgs),
}

/// Which letters.
#[derive(Args, Clone, Default)]
pub struct LettersArgs {
    /// Only events of this topic
    #[arg(long)]
    pub topic: Option<String>,
    /// Only those that this group gave up, such as order-service
    #[arg(long)]
    pub group: Option<String>,
    /// Only those of this key, such as an order's id
    #[arg(long)]
    pub key: Option<String>,
    /// At most so many, the oldest first
    #[arg(long, value_name = "N")]
    pub max: Option<usize>,
}

/// `dlq show`.
#[derive(Args)]
pub struct ShowArgs {
    /// The letter at this place of the dead letters (PARTITION:OFFSET, as `list` shows it), settled or not
    #[arg(long, value_name = "PLACE", value_parser = place, conflicts_with_all = ["key", "max"])]
    pub at: Option<(i32, i64)>,
    /// See [`LettersArgs`].
    #[command(flatten)]
    pub letters: LettersArgs,
}

/// `dlq redrive`.
#[derive(Args)]
pub struct RedriveArgs {
    /// Say what would happen, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// See [`LettersArgs`].
    #[command(flatten)]
    pub letters: LettersArgs,
}

/// `dlq discard`.
#[derive(Args)]
pub struct DiscardArgs {
    /// Say what would happen, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Every letter there is: needed where neither --topic nor --group nor --key says which
    #[arg(long, conflicts_with_all = ["topic", "group", "key"])]
    pub all: bool,
    /// See [`LettersArgs`].
    #[command(flatten)]
    pub letters: LettersArgs,
}

/// `dlq unpark`.
#[derive(Args)]
pub struct UnparkArgs {
    /// The topic whose events of the key are set aside
    #[arg(long)]
    pub topic: String,
    /// The group that sets them aside, such as order-service
    #[arg(long)]
    pub group: String,
    /// The key, such as an order's id
    #[arg(long)]
    pub key: String,
}

fn place(text: &str) -> Result<(i32, i64), String> {
    let place = text.split_once(':').and_then(|(partition, offset)| {
        let partition = partition.parse::<i32>().ok().filter(|partition| *partition >= 0)?;
        Some((partition, offset.parse::<i64>().ok().filter(|offset| *offset >= 0)?))
    });
    place.ok_or_else(|| "give a partition and an offset, such as 0:17".to_owned())
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn a_place_is_a_partition_and_an_offset() {
        assert_eq!(place("0:17"), Ok((0, 17)));
        for text in ["", "17", ":", "0:", "-1:2", "1:-2", "a:1", "1:2:3", "0:99999999999999999999"] {
            assert!(place(text).unwrap_err().contains("0:17"), "{text}");
        }
    }
}
