//! docs/GUARANTEES.md: a row for each invariant, and tests that exist.

use super::Finding;
use super::code::code_only;
use super::tree::SourceFile;

/// I1 to this one.
const INVARIANTS: usize = 18;

/// Invariants without a row, rows without a test of theirs, and names of tests that nobody has written.
pub(super) fn check(page: &str, files: &[SourceFile]) -> Vec<Finding> {
    let code: Vec<String> = files.iter().map(|file| code_only(&file.text)).collect();
    let exists = |test: &str| code.iter().any(|code| code.contains(&format!("fn {test}(")));
    let rows = (1..=INVARIANTS).filter_map(|id| {
        let Some(row) = page.lines().find(|line| line.starts_with(&format!("| I{id} |"))) else {
            return Some(format!("docs/GUARANTEES.md has no row for I{id}"));
        };
        let own = names(row).any(|name| is_of(name, id));
        (!own).then(|| format!("docs/GUARANTEES.md: the row of I{id} names no test with i{id}_ in its name"))
    });
    let unknown = names(page)
        .filter(|name| is_test(name) && !exists(name))
        .map(|name| format!("docs/GUARANTEES.md names {name}, which is no test"));
    rows.chain(unknown).collect()
}

/// What stands between backticks.
fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Names of tests are sentences.
fn is_test(name: &str) -> bool {
    name.matches('_').count() > 3
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn is_of(name: &str, id: usize) -> bool {
    name.split('_').any(|word| word == format!("i{id}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> SourceFile {
        SourceFile { path: "a.rs".to_owned(), text: text.to_owned() }
    }

    #[test]
    fn a_missing_row_an_empty_row_and_an_unknown_test_are_named() {
        let tests: String =
            (1..=INVARIANTS).map(|id| format!("fn i{id}_it_holds_at_last() {{}}\n")).collect();
        let page: String =
            (1..=INVARIANTS).map(|id| format!("| I{id} | so | `i{id}_it_holds_at_last` | |\n")).collect();
        assert_eq!(check(&page, &[file(&tests)]), Vec::<Finding>::new());
        let missing = page.replace("| I7 |", "| 7 |");
        assert_eq!(check(&missing, &[file(&tests)]).len(), 1);
        let empty = page.replace("`i7_it_holds_at_last`", "later");
        assert_eq!(check(&empty, &[file(&tests)]).len(), 1);
        assert_eq!(check(&page, &[file(&tests.replace("i7_it", "i7_id"))]).len(), 1);
    }
}
