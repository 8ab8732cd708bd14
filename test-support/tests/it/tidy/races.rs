//! The race table of checkout (docs/EVENTS.md, ARCHITECTURE.md): each row has a test that carries its number.

use super::Finding;
use super::code::{code_only, product_only};
use super::tree::SourceFile;

/// Rows of the table.
const ROWS: usize = 40;
/// Services whose deadlines are judged by the clock that wrote them: the database's.
const SERVICES: [&str; 3] = ["order-service/src/", "payment-stub/src/", "service-kit/src/"];

/// Rows without a test of theirs.
pub(super) fn without_a_test(files: &[SourceFile]) -> Vec<Finding> {
    let has = |row: usize| {
        let name = format!("race_{row:02}_");
        files.iter().any(|file| code_only(&file.text).contains(&name))
    };
    (1..=ROWS)
        .filter(|row| !has(*row))
        .map(|row| format!("row {row} of the race table has no test: name one race_{row:02}_…"))
        .collect()
}

/// Places where a service would read this machine's clock.
pub(super) fn wall_clocks(file: &SourceFile) -> Vec<Finding> {
    if !SERVICES.iter().any(|service| file.path.starts_with(service)) || file.is_test() {
        return Vec::new();
    }
    let code = code_only(&file.text);
    ["SystemTime::now", "Utc::now", "Local::now"]
        .into_iter()
        .filter(|clock| product_only(&code).contains(clock))
        .map(|clock| format!("{}: {clock} decides nothing here; ask the database", file.path))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> SourceFile {
        SourceFile { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn a_row_without_a_test_is_named() {
        let all: String = (1..=ROWS).map(|row| format!("fn race_{row:02}_x() {{}}\n")).collect();
        assert!(without_a_test(&[file("a.rs", &all)]).is_empty());
        let most = all.replace("race_08_", "race_8_");
        assert_eq!(without_a_test(&[file("a.rs", &most)]).len(), 1);
    }

    #[test]
    fn a_service_that_reads_a_wall_clock_is_named() {
        let text = "let now = chrono::Utc::now(); // Utc::now\n";
        assert_eq!(wall_clocks(&file("order-service/src/x.rs", text)).len(), 1);
        assert!(wall_clocks(&file("inventory-core/src/clock.rs", text)).is_empty());
    }
}
