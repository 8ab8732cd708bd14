//! What `cargo test` says of races.

use std::time::Duration;

/// How a test ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    /// The race was met and won.
    Ok,
    /// It was not.
    Failed,
}

/// One test of a race.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Said {
    /// Its path within its crate.
    pub(crate) path: String,
    pub(crate) outcome: Outcome,
    /// How long it took, where somebody looked at the clock.
    pub(crate) took: Option<Duration>,
    /// The seeds that it told.
    pub(crate) seeds: Vec<String>,
}

impl Said {
    /// Without its modules.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit("::").next().unwrap_or(&self.path)
    }

    /// The rows of the table that its name bears.
    pub(crate) fn rows(&self) -> Vec<usize> {
        let parts = self.name().split("race_").skip(1);
        parts.filter_map(|part| part.get(..2)?.parse().ok()).collect()
    }
}

/// Collects from lines, one after the other.
#[derive(Debug, Default)]
pub(crate) struct Listener {
    said: Vec<Said>,
    /// Whose output comes.
    of: Option<usize>,
}

impl Listener {
    /// One line, and how long after the line of the test before it came, if that is known.
    pub(crate) fn hear(&mut self, line: &str, took: Option<Duration>) {
        if let Some((path, outcome)) = result(line) {
            if path.rsplit("::").next().is_some_and(|name| name.starts_with("race_")) {
                self.said.push(Said { path: path.to_owned(), outcome, took, seeds: Vec::new() });
            }
        } else if let Some(path) =
            line.strip_prefix("---- ").and_then(|rest| rest.strip_suffix(" stdout ----"))
        {
            self.of = self.said.iter().rposition(|said| said.path == path);
        } else if line.starts_with("successes:")
            || line.starts_with("failures:")
            || line.starts_with("test result:")
        {
            self.of = None;
        } else if let Some(of) = self.of {
            self.said[of].seeds.extend(seed(line));
        }
    }

    /// Everything that was said.
    pub(crate) fn said(self) -> Vec<Said> {
        self.said
    }
}

/// All of a text.
pub(crate) fn read(text: &str) -> Vec<Said> {
    let mut listener = Listener::default();
    text.lines().for_each(|line| listener.hear(line, None));
    listener.said()
}

/// `test path ... ok`, with whatever the test wrote itself in between.
pub(crate) fn result(line: &str) -> Option<(&str, Outcome)> {
    let (path, rest) = line.strip_prefix("test ")?.split_once(" ... ")?;
    if rest.ends_with("ok") {
        Some((path, Outcome::Ok))
    } else if rest.ends_with("FAILED") {
        Some((path, Outcome::Failed))
    } else {
        None
    }
}

/// The number after the word.
fn seed(line: &str) -> Option<String> {
    let rest = line.split_once("seed")?.1.trim_start_matches([' ', '=', ':']);
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    (!digits.is_empty()).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "running 3 tests\ntest a::race_02_cancel_first ... ok\ntest other ... ok\n\
        test b::race_26_race_27_poison ... FAILED\n\nsuccesses:\n\n---- a::race_02_cancel_first stdout ----\non Sqlite\nseed 77\n\n\
        successes:\n    a::race_02_cancel_first\n\ntest result: FAILED. 2 passed\nseed 5\n";

    #[test]
    fn outcomes_rows_and_seeds_are_read() {
        let said = read(TEXT);
        assert_eq!(said.len(), 2);
        assert_eq!((said[0].rows(), said[0].outcome), (vec![2], Outcome::Ok));
        assert_eq!(said[0].seeds, ["77"]);
        assert_eq!((said[1].rows(), said[1].outcome), (vec![26, 27], Outcome::Failed));
        assert_eq!(said[1].name(), "race_26_race_27_poison");
    }

    #[test]
    fn a_race_that_was_not_run_is_not_said() {
        assert!(read("test a::race_02_x ... ignored\n").is_empty());
    }
}
