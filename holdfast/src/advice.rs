//! How a failure is told: what happened, then why, each once.

use std::io;

use console::style;

/// The chain of an error, a cause a line. A cause whose words stand in the line above it already is left out.
pub(crate) fn render(error: &anyhow::Error) -> String {
    let mut lines = told(error).into_iter();
    let first = lines.next().unwrap_or_default();
    let mut text = format!("{} {first}\n", style("error:").for_stderr().red().bold());
    for line in lines {
        text.push_str(&format!("  {} {line}\n", style("because").for_stderr().dim()));
    }
    text
}

fn told(error: &anyhow::Error) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if !lines.iter().any(|line| line.contains(&cause)) {
            lines.push(cause);
        }
    }
    lines
}

/// Whether the failure is that a reader of our output has gone (`| head`): then there is nobody to tell.
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let closed = |cause: &io::Error| cause.kind() == io::ErrorKind::BrokenPipe;
    error.downcast_ref::<io::Error>().is_some_and(closed)
}

#[cfg(test)]
mod tests {
    use anyhow::{Context, anyhow};

    use super::*;

    #[test]
    fn a_cause_that_was_told_is_not_told_again() {
        let error: anyhow::Error = Err::<(), _>(anyhow!("disk full"))
            .context("not stored: disk full")
            .context("import broke off")
            .unwrap_err();
        assert_eq!(told(&error), ["import broke off", "not stored: disk full"]);
    }

    #[test]
    fn only_our_own_output_counts_as_a_closed_pipe() {
        let pipe = || io::Error::new(io::ErrorKind::BrokenPipe, "gone");
        assert!(is_closed_pipe(&pipe().into()));
        let other = anyhow!("the service hung up").context(io::ErrorKind::BrokenPipe);
        assert!(!is_closed_pipe(&other));
    }
}
