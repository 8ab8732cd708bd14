//! Progress on standard error; hidden where nobody looks.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often a bar is redrawn, in hertz.
const REDRAWS_PER_SECOND: u8 = 12;
/// How often a spinner moves.
const SPIN_PERIOD: Duration = Duration::from_millis(100);

/// A bar over a file's bytes; its message tells what came of them.
pub(crate) fn bytes(what: &str) -> ProgressBar {
    bar(what, 0, "{prefix:<11} {bar:32.cyan/dim} {bytes:>10} of {total_bytes:<10} {msg}")
}

/// A bar over things that are counted.
pub(crate) fn items(what: &str, count: usize) -> ProgressBar {
    let count = u64::try_from(count).unwrap_or(u64::MAX);
    bar(what, count, "{prefix:<11} {bar:32.cyan/dim} {human_pos:>7} of {human_len:<7} {per_sec:>12} {msg}")
}

/// Something under way whose length nobody knows.
pub(crate) fn spinner(what: &str) -> ProgressBar {
    let spinner = bar(what, 0, "{prefix:<11} {spinner} {elapsed} {msg}");
    spinner.enable_steady_tick(SPIN_PERIOD);
    spinner
}

fn bar(what: &str, length: u64, template: &str) -> ProgressBar {
    let target = ProgressDrawTarget::stderr_with_hz(REDRAWS_PER_SECOND);
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(Some(length), target)
        .with_style(style.progress_chars("━╸─"))
        .with_prefix(what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_knows_its_length_and_prefix() {
        let bar = items("Replaying", 12);
        assert_eq!((bar.length(), bar.prefix().as_str()), (Some(12), "Replaying"));
        assert_eq!(bytes("Importing").length(), Some(0));
    }
}
