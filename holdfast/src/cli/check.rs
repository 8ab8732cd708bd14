//! `check`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

/// `check`.
#[derive(Args)]
pub struct CheckArgs {
    /// What callers saw, as NDJSON (.gz too); the histories of all callers of one clock
    #[arg(long = "history", value_name = "FILE", required = true, num_args = 1..)]
    pub histories: Vec<PathBuf>,
    /// How stale a "sold out" may be
    #[arg(long, value_name = "TIME", default_value = "50ms", value_parser = duration)]
    pub staleness: Duration,
    /// The sweeper has been running until now: no hold may have outlived its time by more than --sweep-bound
    #[arg(long)]
    pub at_rest: bool,
    /// By how much a hold may outlive its time, with --at-rest
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = duration)]
    pub sweep_bound: Duration,
    /// Others than these callers used the ledger too: what nobody here asked for is no violation
    #[arg(long)]
    pub other_callers: bool,
    /// Print the verdict as JSON on standard output
    #[arg(long)]
    pub json: bool,
}

/// A time with its unit: `250ms`, `2s`.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "us" => Duration::from_micros(1),
        "ms" => Duration::from_millis(1),
        "s" => Duration::from_secs(1),
        _ => return Err("must end with its unit: us, ms or s, such as 250ms".to_owned()),
    };
    let count: u32 =
        digits.parse().map_err(|_| "must be a whole number and a unit, such as 250ms".to_owned())?;
    Ok(unit * count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("2s"), Ok(Duration::from_secs(2)));
        assert_eq!(duration("0us"), Ok(Duration::ZERO));
        for text in ["", "5", "ms", "-1s", "1h", "1.5s", "99999999999s"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
