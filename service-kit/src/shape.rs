//! What a body must look like, as data. Read only when a request has been refused, to tell *everything* that is
//! wrong with it at once; accepted requests never pass here.

use event_contracts::{Money, MoneyError};
use serde_json::Value;
use uuid::Uuid;

use crate::problem::FieldError;

/// Errors listed in one answer, at most.
const ERRORS_MAX: usize = 100;

/// One field of an object.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    name: &'static str,
    shape: Shape,
    presence: Presence,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Presence {
    Required,
    /// May be absent; `null` counts as absent.
    Optional,
    /// May be absent, but not `null`.
    OptionalNotNull,
}

/// What a value must be.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// A string of 1 to so many bytes, without NUL.
    Text {
        /// Bytes, at most.
        bytes_max: usize,
    },
    /// A string that is a UUID.
    Uuid,
    /// A whole number.
    Integer {
        /// The smallest.
        min: i64,
        /// The largest.
        max: i64,
    },
    /// A string that is an amount of money.
    Money,
    /// A list of objects, of 1 to so many.
    List {
        /// What each must have.
        of: &'static [Field],
        /// How many, at most.
        len_max: usize,
    },
}

impl Field {
    /// Must be there.
    pub const fn required(name: &'static str, shape: Shape) -> Self {
        Self { name, shape, presence: Presence::Required }
    }

    /// May be absent or `null`, which mean the same.
    pub const fn optional(name: &'static str, shape: Shape) -> Self {
        Self { name, shape, presence: Presence::Optional }
    }

    /// May be absent; `null` is refused where it could be mistaken for "remove".
    pub const fn optional_not_null(name: &'static str, shape: Shape) -> Self {
        Self { name, shape, presence: Presence::OptionalNotNull }
    }
}

/// Everything that is wrong with `value` as an object with these fields.
pub fn check(value: &Value, fields: &[Field]) -> Vec<FieldError> {
    let mut errors = Vec::new();
    check_object(value, fields, "", &mut errors);
    errors.truncate(ERRORS_MAX);
    errors
}

fn check_object(value: &Value, fields: &[Field], path: &str, errors: &mut Vec<FieldError>) {
    let Some(object) = value.as_object() else {
        return errors.push(FieldError::new(path, "must be an object"));
    };
    let at = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    for field in fields {
        match (object.get(field.name), field.presence) {
            (None, Presence::Required) => errors.push(FieldError::new(at(field.name), "is required")),
            (None, Presence::Optional | Presence::OptionalNotNull)
            | (Some(Value::Null), Presence::Optional) => {}
            (Some(value), _) => check_value(value, field.shape, &at(field.name), errors),
        }
    }
    for name in object.keys().filter(|name| !fields.iter().any(|field| field.name == name.as_str())) {
        let known: Vec<_> = fields.iter().map(|field| field.name).collect();
        errors.push(FieldError::new(at(name), format!("is not known here; known are {}", known.join(", "))));
    }
}

fn check_value(value: &Value, shape: Shape, path: &str, errors: &mut Vec<FieldError>) {
    let message = match shape {
        Shape::Text { bytes_max } => match value.as_str() {
            Some("") => "must not be empty".to_owned(),
            Some(text) if text.len() > bytes_max => {
                format!("must be at most {bytes_max} bytes long, is {}", text.len())
            }
            Some(text) if text.contains('\0') => "must not contain a NUL character".to_owned(),
            Some(_) => return,
            None => format!("must be a string, is {}", name_of(value)),
        },
        Shape::Uuid => match value.as_str() {
            Some(text) if Uuid::try_parse(text).is_ok() => return,
            Some(_) => "must be a UUID such as 0197a3b0-1c00-7000-8000-000000000001".to_owned(),
            None => format!("must be a UUID in a string, is {}", name_of(value)),
        },
        Shape::Integer { min, max } => match value.as_i64() {
            Some(number) if (min..=max).contains(&number) => return,
            Some(_) => format!("must be a whole number from {min} to {max}, is {value}"),
            None if value.is_number() => format!("must be a whole number from {min} to {max}, is {value}"),
            None => format!("must be a whole number from {min} to {max}, is {}", name_of(value)),
        },
        Shape::Money => match value.as_str().map(str::parse::<Money>) {
            Some(Ok(_)) => return,
            Some(Err(error)) => error.to_string(),
            None => format!("{}, is {}", MoneyError::Form, name_of(value)),
        },
        Shape::List { of, len_max } => match value.as_array() {
            Some(list) if list.is_empty() => "must have at least one entry".to_owned(),
            Some(list) if list.len() > len_max => {
                format!("must have at most {len_max} entries, has {}", list.len())
            }
            Some(list) => {
                for (index, entry) in list.iter().enumerate() {
                    check_object(entry, of, &format!("{path}[{index}]"), errors);
                }
                return;
            }
            None => format!("must be a list, is {}", name_of(value)),
        },
    };
    errors.push(FieldError::new(path, message));
}

fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ITEM: &[Field] = &[Field::required("quantity", Shape::Integer { min: 1, max: 9 })];
    const BODY: &[Field] = &[
        Field::required("id", Shape::Uuid),
        Field::required("items", Shape::List { of: ITEM, len_max: 2 }),
        Field::optional("note", Shape::Text { bytes_max: 3 }),
        Field::optional_not_null("limit", Shape::Integer { min: 0, max: i64::MAX }),
        Field::optional("price", Shape::Money),
    ];

    fn fields_of(value: Value) -> Vec<String> {
        check(&value, BODY).into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn everything_wrong_is_told_at_once_with_its_path() {
        let body = json!({"id": "x", "items": [{"quantity": 1}, {"quantity": 0, "colour": 1}], "note": "long",
            "limit": null, "extra": 1});
        assert_eq!(fields_of(body), ["id", "items[1].quantity", "items[1].colour", "note", "limit", "extra"]);
    }

    #[test]
    fn a_right_body_has_no_errors() {
        let id = Uuid::nil();
        assert!(
            fields_of(
                json!({"id": id, "items": [{"quantity": 9}], "note": null, "limit": 0, "price": "0.00"})
            )
            .is_empty()
        );
    }

    #[test]
    fn each_shape_refuses_what_it_is_not() {
        let id = Uuid::nil();
        for (field, wrong) in [
            ("id", json!(1)),
            ("items", json!([])),
            ("items", json!({})),
            ("items", json!([{"quantity": 1}, {"quantity": 1}, {"quantity": 1}])),
            ("items[0].quantity", json!([{"quantity": 1.5}])),
            ("items[0].quantity", json!([{"quantity": "1"}])),
            ("items[0].quantity", json!([{"quantity": 99_999_999_999_999_999_999_f64}])),
            ("items[0].quantity", json!([{}])),
            ("items[0]", json!([7])),
            ("note", json!("")),
            ("note", json!("\0")),
            ("note", json!(5)),
            ("price", json!(1.5)),
            ("price", json!("1,50")),
            ("price", json!("-1")),
        ] {
            let name = field.split('[').next().unwrap();
            let mut body = json!({"id": id, "items": [{"quantity": 1}]});
            body[name] = wrong.clone();
            assert_eq!(fields_of(body), [field], "{wrong}");
        }
        assert_eq!(fields_of(json!([])), [""]);
    }
}
