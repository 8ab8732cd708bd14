//! Old payloads in today's form. A breaking change adds a version to its type and one [`Step`] here; consumers upcast before they parse,
//! so that none of them knows old forms.

use serde_json::Value;

use crate::catalogue;

/// From one version of a type's payload to the next.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// The type.
    pub event_type: &'static str,
    /// The version that it reads; it writes the next one.
    pub from: u32,
    /// What it does. Total: whatever it is given, it answers something, which then parses or does not.
    pub upcast: fn(Value) -> Value,
}

/// Every step there is. None yet: all types are at their first version.
const STEPS: &[Step] = &[];

/// A payload that cannot be brought into today's form.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownVersion {
    /// The type.
    pub event_type: String,
    /// The version that came.
    pub version: u32,
    /// The version that this code knows; none if it does not know the type.
    pub known: Option<u32>,
}

impl std::fmt::Display for UnknownVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { event_type, version, known } = self;
        match known {
            None => write!(f, "there is no event type {event_type} here"),
            Some(known) if version > known => {
                write!(
                    f,
                    "{event_type} came in version {version} and this code knows up to {known}; update it first"
                )
            }
            Some(_) => write!(f, "there is no way from version {version} of {event_type} to today's"),
        }
    }
}

impl std::error::Error for UnknownVersion {}

/// A payload of this type and version in today's form.
pub fn upcast(event_type: &str, version: u32, payload: Value) -> Result<Value, UnknownVersion> {
    let known = catalogue::find(event_type).map(|event| event.version);
    upcast_by(STEPS, known, event_type, version, payload)
}

fn upcast_by(
    steps: &[Step],
    known: Option<u32>,
    event_type: &str,
    version: u32,
    payload: Value,
) -> Result<Value, UnknownVersion> {
    let unknown = || UnknownVersion { event_type: event_type.to_owned(), version, known };
    let known = known.filter(|known| version <= *known).ok_or_else(unknown)?;
    (version..known).try_fold(payload, |payload, from| {
        let step = steps.iter().find(|step| step.event_type == event_type && step.from == from);
        step.map(|step| (step.upcast)(payload)).ok_or_else(unknown)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A made-up history: version 0 had one name, version 1 has two, version 2 has them in an object.
    const MADE_UP: &[Step] = &[
        Step { event_type: "made.up", from: 1, upcast: |payload| json!({"name": payload}) },
        Step { event_type: "other", from: 0, upcast: |_| Value::Null },
        Step {
            event_type: "made.up",
            from: 0,
            upcast: |mut payload| {
                let name = payload["name"].as_str().unwrap_or_default();
                let (first, last) = name.split_once(' ').unwrap_or((name, ""));
                payload = json!({"first": first, "last": last});
                payload
            },
        },
    ];

    #[test]
    fn an_old_payload_goes_step_by_step_to_the_version_of_today() {
        let (v0, v1) = (json!({"name": "Ada Lovelace"}), json!({"first": "Ada", "last": "Lovelace"}));
        assert_eq!(upcast_by(MADE_UP, Some(1), "made.up", 0, v0.clone()), Ok(v1.clone()));
        assert_eq!(upcast_by(MADE_UP, Some(2), "made.up", 0, v0), Ok(json!({"name": v1})));
        assert_eq!(upcast_by(MADE_UP, Some(1), "made.up", 1, v1.clone()), Ok(v1));
    }

    #[test]
    fn what_no_step_leads_from_is_told() {
        let unknown =
            |version, known| Err(UnknownVersion { event_type: "made.up".to_owned(), version, known });
        assert_eq!(upcast_by(MADE_UP, Some(1), "made.up", 2, json!({})), unknown(2, Some(1)));
        assert_eq!(upcast_by(MADE_UP, None, "made.up", 1, json!({})), unknown(1, None));
        assert_eq!(upcast_by(&MADE_UP[..2], Some(2), "made.up", 0, json!({})), unknown(0, Some(2)));
        for (version, known, says) in
            [(2, Some(1), "update"), (1, None, "no event type"), (0, Some(2), "no way")]
        {
            let error = UnknownVersion { event_type: "made.up".to_owned(), version, known };
            assert!(error.to_string().contains(says), "{error}");
        }
    }

    #[test]
    fn todays_version_of_every_type_stays_as_it_is_and_a_newer_one_is_refused() {
        for event in catalogue::EVENTS {
            let payload = json!({"any": "thing"});
            assert_eq!(upcast(event.topic, event.version, payload.clone()), Ok(payload.clone()));
            let newer = upcast(event.topic, event.version + 1, payload).unwrap_err();
            assert_eq!(newer.known, Some(event.version));
        }
        assert_eq!(upcast("no.such", 1, json!({})).unwrap_err().known, None);
    }
}
