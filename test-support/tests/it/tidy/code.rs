//! Just enough of Rust's syntax: what is code, and which paths it names.

/// The text with comments, strings and characters blanked, line by line as before.
pub(super) fn code_only(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let skipped = skipped_len(rest, code.chars().next_back());
        if skipped == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            code.extend(rest[..skipped].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = &rest[skipped..];
        }
    }
    code
}

/// Without what is only compiled for tests: by convention the end of a file, from its first `#[cfg(test)]` that opens
/// a module with a body.
pub(super) fn product_only(code: &str) -> &str {
    let opens_a_body = |at: &usize| {
        let after = code[*at..].trim_start_matches("#[cfg(test)]").trim_start();
        let line = after.lines().next().unwrap_or_default();
        line.contains("mod ") && line.trim_end().ends_with('{')
    };
    let end = code.match_indices("#[cfg(test)]").map(|(at, _)| at).find(opens_a_body);
    &code[..end.unwrap_or(code.len())]
}

/// How many bytes of a comment, string or character start here.
fn skipped_len(rest: &str, before: Option<char>) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return block_comment_len(rest);
    }
    if let Some(after) = rest.strip_prefix('"') {
        return 1 + quoted_len(after, '"');
    }
    let starts_a_word = !before.is_some_and(is_word);
    if starts_a_word && (rest.starts_with("r\"") || rest.starts_with("r#")) {
        let hashes = rest[1..].len() - rest[1..].trim_start_matches('#').len();
        if !rest[1 + hashes..].starts_with('"') {
            return 0;
        }
        let end = format!("\"{}", "#".repeat(hashes));
        let body = 2 + hashes;
        return rest[body..].find(&end).map_or(rest.len(), |at| body + at + end.len());
    }
    if let Some(after) = rest.strip_prefix('\'') {
        let mut chars = after.chars();
        return match (chars.next(), chars.next()) {
            (Some('\\'), _) => 1 + quoted_len(after, '\''),
            (Some(c), Some('\'')) => 1 + c.len_utf8() + 1,
            // A lifetime.
            _ => 0,
        };
    }
    0
}

fn block_comment_len(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        let here = &rest[at..];
        if here.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += here.chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// Up to and with the closing quote.
fn quoted_len(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Every path that starts with `root::`, braces expanded, as segments without the root.
pub(super) fn paths_from(code: &str, root: &str) -> Vec<Vec<String>> {
    let start = format!("{root}::");
    let mut paths = Vec::new();
    for (at, _) in code.match_indices(&start) {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| is_word(c) || c == ':') {
            continue;
        }
        expand(&code[at + start.len()..], &[], &mut paths);
    }
    paths
}

/// Reads one path or group; answers what is left after it.
fn expand<'a>(code: &'a str, prefix: &[String], paths: &mut Vec<Vec<String>>) -> &'a str {
    let code = code.trim_start();
    if let Some(mut rest) = code.strip_prefix('{') {
        loop {
            rest = rest.trim_start().trim_start_matches(',').trim_start();
            if rest.is_empty() {
                return rest;
            }
            if let Some(after) = rest.strip_prefix('}') {
                return after;
            }
            let after = expand(rest, prefix, paths);
            // `as name`, or something that is no path at all.
            let end = after.find([',', '}']).unwrap_or(after.len());
            rest = &after[end..];
        }
    }
    let end = code.find(|c| !is_word(c)).unwrap_or(code.len());
    let mut path = prefix.to_vec();
    if end > 0 {
        path.push(code[..end].to_owned());
    }
    match code[end..].strip_prefix("::") {
        Some(more) if end > 0 && more.starts_with(|c: char| is_word(c) || c == '{') => {
            expand(more, &path, paths)
        }
        _ => {
            paths.push(path);
            &code[end..]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{code_only, paths_from, product_only};

    #[test]
    fn comments_strings_and_characters_are_no_code() {
        let text = "a // b\n/* c /* d */ */ e \"f \\\" g\" r#\"h \" i\"# 'j' '\\'' k";
        assert_eq!(code_only(text).split_whitespace().collect::<String>(), "aek");
        assert_eq!(code_only("fn f<'a>(x: &'a str)"), "fn f<'a>(x: &'a str)");
        assert_eq!(code_only("\"1\n2\"\n3").lines().count(), 3);
    }

    #[test]
    fn a_test_module_with_a_body_is_no_product_code() {
        assert_eq!(product_only("a\n#[cfg(test)]\nmod tests {\nb"), "a\n");
        assert_eq!(product_only("a\n#[cfg(test)]\nmod tests;\nb"), "a\n#[cfg(test)]\nmod tests;\nb");
    }

    #[test]
    fn groups_of_paths_are_expanded() {
        let paths =
            paths_from("use crate::{a::{B, c::D as E}, f, g::*}; xcrate::no; crate::h::i(crate::j)", "crate");
        let joined: Vec<String> = paths.iter().map(|path| path.join("::")).collect();
        assert_eq!(joined, ["a::B", "a::c::D", "f", "g", "h::i", "j"]);
    }
}
