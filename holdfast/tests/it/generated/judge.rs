//! Whether an answer is one that the document promises.

use reqwest::Method;
use serde_json::{Map, Value};

use super::document::{Document, Operation};
use super::plan::{FORM, Plan, Promise};
use crate::answers::Answer;

/// What a document of types cannot say: a sum over lines, a customer that only some products need, room for a delta.
const BEYOND_THE_DOCUMENT: [&str; 3] = ["items", "customerId", "delta"];
/// The operation whose answers a batch holds, a line each.
const RESERVE: &str = "POST /api/v1/inventory/reserve";

/// Fails if the answer is not promised.
pub(crate) fn answer(document: &Document, operation: &Operation, plan: &Plan, answer: &Answer) {
    assert!(answer.status < 500, "{plan:#?}\n{answer:#?}");
    assert!(!answer.header("x-request-id").is_empty(), "no request id: {plan:#?}\n{answer:#?}");
    if plan.method != operation.method {
        answer.is_problem(405, "method_not_allowed");
        let allow = answer.header("allow");
        let is_named = |method: &Method| allow.split(',').any(|name| name.trim() == method.as_str());
        assert!(operation.methods.iter().all(is_named), "{allow}: {plan:#?}");
        return;
    }
    let contents = documented(operation, answer.status, plan);
    let kind = answer.header("content-type").split(';').next().unwrap_or_default();
    let schema =
        contents.get(kind).unwrap_or_else(|| panic!("{kind:?} is not documented: {plan:#?}\n{answer:#?}"));
    for value in match kind {
        "application/json" | "application/problem+json" => vec![answer.json()],
        "application/x-ndjson" => answer.lines(),
        _ => Vec::new(),
    } {
        let faults = document.faults(schema, &value);
        assert!(faults.is_empty(), "{faults:#?}\n{plan:#?}\n{answer:#?}");
    }
    if answer.status >= 400 {
        answer.is_some_problem(answer.status);
    }
    promise(document, plan, answer);
}

fn documented<'a>(operation: &'a Operation, status: u16, plan: &Plan) -> &'a Map<String, Value> {
    let found = operation.answers.get(&status);
    found.unwrap_or_else(|| panic!("{status} is not documented for {}: {plan:#?}", operation.name))
}

fn promise(document: &Document, plan: &Plan, answer: &Answer) {
    let told = || format!("{plan:#?}\n{answer:#?}");
    match &plan.promise {
        Promise::Open => {}
        Promise::Wrong(statuses) => {
            assert!(statuses.contains(&answer.status), "the form is wrong: {}", told())
        }
        Promise::Right => {
            let body = if answer.status >= 400 { answer.json() } else { Value::Null };
            assert!(is_not_about_form(answer.status, &body), "the form is right: {}", told());
        }
        Promise::Lines(lines) if answer.header("content-type") == "application/x-ndjson" => {
            let operations = document.operations();
            let reserve = operations.iter().find(|one| one.name == RESERVE).expect("there is a reserve");
            let answers = answer.lines();
            assert_eq!(answers.len(), lines.len(), "an answer a line: {}", told());
            for (is_right, line) in lines.iter().zip(answers) {
                let status = line["status"].as_u64().and_then(|n| u16::try_from(n).ok()).unwrap_or_default();
                let schema = documented(reserve, status, plan).values().next().cloned().unwrap_or_default();
                let faults = document.faults(&schema, &line["body"]);
                assert!(status < 500 && faults.is_empty(), "{faults:#?} in {line}: {}", told());
                match is_right {
                    Some(true) => assert!(is_not_about_form(status, &line["body"]), "{line}: {}", told()),
                    Some(false) => assert!(FORM.contains(&status), "{line}: {}", told()),
                    None => {}
                }
            }
        }
        Promise::Lines(lines) => {
            let report = answer.is(200);
            assert_eq!(report["rows"].as_u64(), u64::try_from(lines.len()).ok(), "{}", told());
            let rejected = report["rejected"].as_array().cloned().unwrap_or_default();
            for (index, is_right) in lines.iter().enumerate() {
                let found = rejected.iter().find(|row| row["row"].as_u64() == u64::try_from(index + 1).ok());
                let is_refused = found.is_some_and(|row| row["code"] != "below_held");
                assert!(
                    is_right.is_none_or(|is_right| is_right != is_refused),
                    "row {}: {}",
                    index + 1,
                    told()
                );
                assert!(found.is_none_or(|row| row["detail"] != ""), "no advice: {}", told());
            }
        }
    }
}

fn is_not_about_form(status: u16, body: &Value) -> bool {
    if status == 422 && body["code"] == "invalid_request" {
        let errors = body["errors"].as_array().cloned().unwrap_or_default();
        return errors.iter().all(|error| {
            let field = error["field"].as_str().unwrap_or_default();
            BEYOND_THE_DOCUMENT.iter().any(|name| field.starts_with(name))
        });
    }
    // 422 with another code is about what stands there, not about how.
    status == 422 || !FORM.contains(&status)
}
