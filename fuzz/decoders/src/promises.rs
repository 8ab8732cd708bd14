//! What holds of everything that is read.

use inventory_core::limits::{LINES_MAX, QUANTITY_MAX, TEXT_BYTES_MAX, UNITS_MAX};
use inventory_core::lines::Lines;
use inventory_core::quantity::Units;
use serde_json::Value;
use service_kit::json::{self, Wire};
use service_kit::problem::Problem;
use service_kit::shape;

/// Reads a body. What is taken must have the shape that refusals are explained by; what is refused must say why.
pub(crate) fn body<T: Wire>(bytes: &[u8]) -> Option<T::Parsed> {
    match json::from_slice::<T>(bytes) {
        Ok(parsed) => {
            let value: Value = serde_json::from_slice(bytes).expect("what was taken is JSON");
            let errors = shape::check(&value, T::FIELDS);
            assert!(errors.is_empty(), "taken, and explained as wrong: {errors:?}");
            Some(parsed)
        }
        Err(problem) => {
            refusal(problem);
            None
        }
    }
}

/// A refusal of a form: a stable code, advice, and each field with its own.
pub(crate) fn refusal(problem: Problem) {
    let status = problem.status().as_u16();
    assert!([400, 413, 415, 422].contains(&status), "{problem:?}");
    assert!(!problem.code().is_empty(), "{problem:?}");
    advice(problem.detail());
    let body = serde_json::to_value(problem.into_body(None)).expect("a problem can be written");
    if body["code"] == "invalid_request" {
        let errors = body["errors"].as_array().expect("errors are listed");
        assert!((1..=100).contains(&errors.len()), "{} errors", errors.len());
        errors.iter().for_each(|error| advice(error["message"].as_str().unwrap_or_default()));
    }
}

/// Words, and not without end.
pub(crate) fn advice(text: &str) {
    assert!(!text.trim().is_empty(), "no advice");
    assert!(text.len() < 256 * 1_024, "advice of {} bytes", text.len());
}

/// An order's lines.
pub(crate) fn lines(lines: &Lines) {
    assert!((1..=LINES_MAX).contains(&lines.iter().count()), "{lines:?}");
    for line in lines.iter() {
        assert!((1..=QUANTITY_MAX).contains(&line.quantity.get()), "{line:?}");
    }
}

/// An id or a note.
pub(crate) fn text(text: &str) {
    assert!((1..=TEXT_BYTES_MAX).contains(&text.len()) && !text.contains('\0'), "{text:?}");
}

/// A stock level.
pub(crate) fn level(units: Units) {
    assert!((0..=UNITS_MAX).contains(&units.get()), "{units}");
}
