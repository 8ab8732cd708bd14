//! The page.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Outcome, Said, table};

const HEAD: &str = "# Races\n\n\
<!-- made by `make races`: do not edit -->\n\n\
What can overtake what in a checkout, and the tests that force it to: each makes the race happen, and fails if it did not. Made from what the\n\
tests said when they were last run, one at a time; how long each took is of that machine. Tests that try many interleavings tell their seeds.\n\n\
| row | race | test | seeds | outcome | took |\n\
| --- | --- | --- | --- | --- | --- |\n";

/// Of what tests said; `files` knows where each is written.
pub(crate) fn page(said: &[Said], files: &BTreeMap<String, String>) -> String {
    let mut page = HEAD.to_owned();
    for (row, race) in (1..).zip(table::ROWS) {
        let mut of_row: Vec<&Said> = said.iter().filter(|said| said.rows().contains(&row)).collect();
        of_row.sort_by_key(|said| (said.name(), &said.path));
        let mut race = race;
        for said in of_row {
            // Writing to a string does not fail.
            let _ = writeln!(page, "| {row} | {race} | {} |", cells(said, files));
            // Once a row is enough.
            race = "";
        }
    }
    page
}

fn cells(said: &Said, files: &BTreeMap<String, String>) -> String {
    let name = said.name();
    let test = match files.get(name) {
        Some(file) => format!("[`{name}`](../{file})"),
        None => format!("`{name}`"),
    };
    let outcome = if said.outcome == Outcome::Ok { "won" } else { "**lost**" };
    let took = said.took.map_or("—".to_owned(), |took| format!("{:.2} s", took.as_secs_f64()));
    let seeds = if said.seeds.is_empty() { "—".to_owned() } else { said.seeds.join(", ") };
    format!("{test} | {seeds} | {outcome} | {took}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_of_two_rows_stands_in_both() {
        let said = Said {
            path: "x::race_26_race_27_y".to_owned(),
            outcome: Outcome::Ok,
            took: None,
            seeds: Vec::new(),
        };
        let files = BTreeMap::from([("race_26_race_27_y".to_owned(), "holdfast/tests/it/z.rs".to_owned())]);
        let page = page(&[said], &files);
        assert_eq!(
            page.matches("[`race_26_race_27_y`](../holdfast/tests/it/z.rs) | — | won | — |").count(),
            2
        );
        assert!(page.contains("| 26 | poison message blocks a partition |"));
    }
}
