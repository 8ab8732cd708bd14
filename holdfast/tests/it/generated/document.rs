//! A service's OpenAPI document, as it serves it.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Map, Value};

use crate::shop::Caller;

/// The whole document.
pub(crate) struct Document(pub(crate) Value);

/// One operation.
#[derive(Debug)]
pub(crate) struct Operation {
    /// For messages: `POST /api/v1/…`.
    pub(crate) name: String,
    pub(crate) method: Method,
    /// With its parameters in braces.
    pub(crate) path: String,
    /// What else is served at this address.
    pub(crate) methods: Vec<Method>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) body: Option<Body>,
    /// By status: by content type: the schema.
    pub(crate) answers: BTreeMap<u16, Map<String, Value>>,
}

/// One parameter.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) is_required: bool,
    pub(crate) schema: Value,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    Path,
    Query,
    Header,
}

/// What may be sent.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) is_required: bool,
    /// By content type: the schema.
    pub(crate) contents: Vec<(String, Value)>,
}

impl Document {
    pub(crate) async fn read(service: &Caller) -> Self {
        Self(service.get("/openapi.json").await.is(200))
    }

    /// Every operation of every address.
    pub(crate) fn operations(&self) -> Vec<Operation> {
        let mut all = Vec::new();
        for (path, item) in members(&self.0["paths"]) {
            let methods: Vec<Method> = members(item).map(|(name, _)| method(name)).collect();
            for (name, operation) in members(item) {
                all.push(Operation::new(path, method(name), methods.clone(), operation));
            }
        }
        all
    }
}

fn method(name: &str) -> Method {
    name.to_uppercase().parse().unwrap_or_else(|_| panic!("{name} is no method"))
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

impl Operation {
    fn new(path: &str, method: Method, methods: Vec<Method>, operation: &Value) -> Self {
        let answers = members(&operation["responses"]).map(|(status, answer)| {
            let contents = answer["content"].as_object().cloned().unwrap_or_default();
            let schemas = contents.into_iter().map(|(kind, content)| (kind, content["schema"].clone()));
            (status.parse().unwrap_or_else(|_| panic!("{status} is no status")), schemas.collect())
        });
        Self {
            name: format!("{method} {path}"),
            answers: answers.collect(),
            method,
            path: path.to_owned(),
            methods,
            parameters: operation["parameters"]
                .as_array()
                .into_iter()
                .flatten()
                .map(Parameter::new)
                .collect(),
            body: operation.get("requestBody").map(|body| Body {
                is_required: body["required"] == true,
                contents: members(&body["content"])
                    .map(|(kind, content)| (kind.clone(), content["schema"].clone()))
                    .collect(),
            }),
        }
    }
}

impl Parameter {
    fn new(parameter: &Value) -> Self {
        Self {
            name: parameter["name"].as_str().unwrap_or_default().to_owned(),
            place: match parameter["in"].as_str() {
                Some("path") => Place::Path,
                Some("query") => Place::Query,
                Some("header") => Place::Header,
                other => panic!("no parameter stands in {other:?}"),
            },
            is_required: parameter["required"] == true,
            schema: parameter["schema"].clone(),
        }
    }
}
