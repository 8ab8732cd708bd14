//! What may stand in any Rust file of the workspace.

use super::Finding;
use super::code::{code_only, product_only};
use super::tree::SourceFile;

/// Lines of product code in one file.
const LINES_MAX: usize = 500;

/// Marks of work left undone. Written in two halves, so that this file does not find itself.
const UNDONE: [&str; 4] =
    [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("to", "do!"), concat!("unimple", "mented!")];

/// Every broken rule of one file.
pub(super) fn check(file: &SourceFile) -> Vec<Finding> {
    let code = code_only(&file.text);
    let mut findings = Vec::new();
    let lines = product_only(&code).lines().count();
    if !file.is_test() && lines > LINES_MAX {
        findings.push(format!("{}: {lines} lines; split it, {LINES_MAX} is the most", file.path));
    }
    for (number, (text, code)) in file.text.lines().zip(code.lines()).enumerate() {
        let at = format!("{}:{}", file.path, number + 1);
        if code.contains("#[allow") || code.contains("#![allow") {
            findings.push(format!("{at}: #[expect(…, reason = …)] instead of #[allow]"));
        }
        if let Some(mark) = UNDONE.iter().find(|mark| text.contains(**mark)) {
            findings.push(format!("{at}: {mark} is work left undone"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::tree::SourceFile;
    use super::{UNDONE, check};

    fn findings(path: &str, text: String) -> usize {
        check(&SourceFile { path: path.to_owned(), text }).len()
    }

    #[test]
    fn an_allow_fails_and_talk_about_it_does_not() {
        assert_eq!(findings("a/src/b.rs", "#[allow(dead_code)]\nfn f() {}".to_owned()), 1);
        assert_eq!(findings("a/src/b.rs", "#![allow(dead_code)]".to_owned()), 1);
        assert_eq!(findings("a/src/b.rs", "// never #[allow]\nlet x = \"#[allow\";".to_owned()), 0);
    }

    #[test]
    fn work_left_undone_fails_in_code_and_in_comments() {
        for mark in UNDONE {
            assert_eq!(findings("a/src/b.rs", format!("fn f() {{}} // {mark}")), 1, "{mark}");
            assert_eq!(findings("a/tests/it/b.rs", format!("{mark}()")), 1, "{mark}");
        }
    }

    #[test]
    fn a_long_file_fails_unless_it_is_a_test() {
        let long = "fn f() {}\n".repeat(501);
        assert_eq!(findings("a/src/b.rs", long.clone()), 1);
        assert_eq!(findings("a/src/b/tests/c.rs", long), 0);
        let with_tests =
            format!("{}#[cfg(test)]\nmod tests {{\n{}}}", "fn f() {}\n".repeat(400), "//\n".repeat(400));
        assert_eq!(findings("a/src/b.rs", with_tests), 0);
    }
}
