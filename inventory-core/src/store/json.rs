//! The little JSON that SQL stores need, written and read by hand: arrays of ids as statement parameters, an
//! outbox row's headers, a reservation's lines. The crate stays free of serde.

use std::fmt::Write;

use uuid::Uuid;

use crate::ids::ProductId;
use crate::lines::{Line, Lines};
use crate::quantity::Quantity;

/// `[1,-2,3]`
pub(super) fn integers(values: impl IntoIterator<Item = i64>) -> String {
    array(values, |out, value| {
        // Writing to a String cannot fail.
        let _ = write!(out, "{value}");
    })
}

/// `["0190…","…"]`, as hexadecimal without hyphens: what `unhex` reads.
pub(super) fn uuids(values: impl IntoIterator<Item = Uuid>) -> String {
    array(values, |out, value| {
        let mut digits = Uuid::encode_buffer();
        out.push('"');
        out.push_str(value.simple().encode_lower(&mut digits));
        out.push('"');
    })
}

/// `["a","b \"c\""]`
pub(super) fn strings<'a>(values: impl IntoIterator<Item = &'a str>) -> String {
    array(values, string)
}

/// `[["a","b"],["c","d"]]`
pub(super) fn pairs<'a>(values: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    array(values, |out, (first, second)| {
        out.push('[');
        string(out, first);
        out.push(',');
        string(out, second);
        out.push(']');
    })
}

/// `{"name":"value"}`: an outbox row's headers.
pub(super) fn object(members: &[(String, String)]) -> String {
    let mut out = String::from("{");
    for (name, value) in members {
        if out.len() > 1 {
            out.push(',');
        }
        string(&mut out, name);
        out.push(':');
        string(&mut out, value);
    }
    out.push('}');
    out
}

/// `[[product,requested,remaining],…]`: `remaining` is 0 where a line is used up.
pub(super) fn lines(requested: &Lines, left: &Lines) -> String {
    array(requested.iter(), |out, line| {
        let remaining = left.quantity_of(line.product).map_or(0, Quantity::get);
        let _ = write!(out, "[{},{},{remaining}]", line.product, line.quantity);
    })
}

/// What [`lines`] wrote: requested, and left. `None` for anything else.
pub(super) fn parse_lines(text: &str) -> Option<(Lines, Lines)> {
    let inner = text.strip_prefix('[')?.strip_suffix(']')?;
    let mut requested = Vec::new();
    let mut left = Vec::new();
    if !inner.is_empty() {
        for triple in inner.strip_prefix('[')?.strip_suffix(']')?.split("],[") {
            let (line, remaining) = parse_line(triple)?;
            if requested.last().is_some_and(|last: &Line| last.product >= line.product) {
                return None;
            }
            requested.push(line);
            left.extend(remaining);
        }
    }
    Some((Lines::stored(requested), Lines::stored(left)))
}

/// `product,requested,remaining`
fn parse_line(triple: &str) -> Option<(Line, Option<Line>)> {
    let mut numbers = triple.split(',').map(str::parse::<i64>);
    let product = ProductId::new(numbers.next()?.ok()?);
    let quantity = Quantity::new(numbers.next()?.ok()?).ok()?;
    let remaining = numbers.next()?.ok()?;
    if numbers.next().is_some() {
        return None;
    }
    let left = match remaining {
        0 => None,
        some => Some(Line { product, quantity: Quantity::new(some).ok()? }),
    };
    Some((Line { product, quantity }, left))
}

fn array<T>(values: impl IntoIterator<Item = T>, mut element: impl FnMut(&mut String, T)) -> String {
    let mut out = String::from("[");
    for value in values {
        if out.len() > 1 {
            out.push(',');
        }
        element(&mut out, value);
    }
    out.push(']');
    out
}

/// A string with what RFC 8259 wants escaped: the quote, the backslash, and everything below U+0020.
fn string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(product: i64, quantity: i64) -> Line {
        Line { product: ProductId::new(product), quantity: Quantity::new(quantity).unwrap() }
    }

    #[test]
    fn strings_are_escaped_as_json_wants() {
        assert_eq!(
            strings(["a\"b\\c", "\n\u{1f}é\u{1F600}"]),
            "[\"a\\\"b\\\\c\",\"\\u000a\\u001fé\u{1F600}\"]"
        );
        assert_eq!(
            object(&[("k".into(), "v".into()), ("q\"".into(), String::new())]),
            r#"{"k":"v","q\"":""}"#
        );
        assert_eq!(object(&[]), "{}");
        assert_eq!(pairs([("a", "b"), ("c", "d")]), r#"[["a","b"],["c","d"]]"#);
    }

    #[test]
    fn lines_come_back_as_they_were_written() {
        let requested = Lines::new([line(-7, 2), line(3, 5), line(9, i64::from(i32::MAX))]).unwrap();
        let left = Lines::new([line(3, 4)]).unwrap();
        let text = lines(&requested, &left);
        assert_eq!(text, "[[-7,2,0],[3,5,4],[9,2147483647,0]]");
        assert_eq!(parse_lines(&text), Some((requested, left)));
        assert_eq!(parse_lines(&lines(&Lines::none(), &Lines::none())), Some((Lines::none(), Lines::none())));
    }

    #[test]
    fn anything_else_is_no_lines() {
        let corrupt = [
            "",
            "[",
            "{}",
            "[[]]",
            "[[1,2]]",
            "[[1,2,3,4]]",
            "[[1,0,0]]",
            "[[1,2,-1]]",
            "[[2,1,1],[1,1,1]]",
            "[[1,1,1],[1,1,1]]",
            "[[1,1,x]]",
            "[[1,1,1]",
            "[[1,1,1]],",
            "[[1,99999999999,1]]",
            "null",
        ];
        for text in corrupt {
            assert_eq!(parse_lines(text), None, "{text}");
        }
    }
}
