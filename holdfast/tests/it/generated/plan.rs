//! One request to one operation: right, or spoiled in one way.

use std::fmt;

use rand::rngs::StdRng;
use rand::{RngExt, seq::IndexedRandom};
use reqwest::Method;
use reqwest::header::HeaderValue;
use serde_json::Value;

use super::document::{Document, Operation, Parameter, Place};
use super::known::{Known, chance};
use super::spoil;
use super::values::Values;
use crate::answers::Answer;
use crate::shop::Caller;

/// A form that is refused: before anything else is looked at.
pub(crate) const FORM: &[u16] = &[400, 413, 415, 422];

/// A request.
pub(crate) struct Plan {
    pub(crate) method: Method,
    address: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Option<Vec<u8>>,
    pub(crate) promise: Promise,
}

/// What the document says will become of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Promise {
    /// Its form is right.
    Right,
    /// Its form is wrong, and one of these says so.
    Wrong(&'static [u16]),
    /// Each of its lines is right or wrong by itself, as far as can be said.
    Lines(Vec<Option<bool>>),
    /// Nothing; but the answer must be documented like any other.
    Open,
}

/// Makes requests.
pub(crate) struct Planner<'a> {
    document: &'a Document,
    random: StdRng,
    pub(crate) known: &'a mut Known,
}

/// How a request is spoiled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    NotAtAll,
    Value,
    Text,
    NoBody,
    ContentType,
    Parameter,
    Query,
    Method,
    Extra,
}

impl<'a> Planner<'a> {
    pub(crate) fn new(document: &'a Document, random: StdRng, known: &'a mut Known) -> Self {
        Self { document, random, known }
    }

    /// A request to this operation.
    pub(crate) fn plan(&mut self, operation: &Operation) -> Plan {
        let way = match self.random.random_range(0..100) {
            0..46 => Way::NotAtAll,
            46..66 => Way::Value,
            66..75 => Way::Text,
            75..77 => Way::NoBody,
            77..82 => Way::ContentType,
            82..90 => Way::Parameter,
            90..94 => Way::Query,
            94..97 => Way::Method,
            _ => Way::Extra,
        };
        let mut plan = Plan {
            method: operation.method.clone(),
            address: operation.path.clone(),
            headers: Vec::new(),
            body: None,
            promise: Promise::Right,
        };
        self.parameters(operation, way == Way::Parameter, &mut plan);
        self.body(operation, way, &mut plan);
        match way {
            Way::Query => {
                let joint = if plan.address.contains('?') { '&' } else { '?' };
                plan.address.push_str(&format!("{joint}surprise=%00%FF&limit=1&limit=2"));
                // Addresses without a query of their own do not look at one.
                plan.promise = if operation.parameters.iter().any(|one| one.place == Place::Query) {
                    Promise::Wrong(&[422])
                } else {
                    Promise::Open
                };
            }
            Way::Method => {
                let all = [
                    Method::DELETE,
                    Method::PATCH,
                    Method::PUT,
                    Method::POST,
                    Method::OPTIONS,
                    Method::TRACE,
                ];
                let not_served: Vec<_> = all.iter().filter(|one| !operation.methods.contains(one)).collect();
                plan.method =
                    not_served.choose(&mut self.random).map_or(Method::DELETE, |one| (*one).clone());
            }
            Way::Extra => {
                plan.headers.push(("x-request-id".to_owned(), b"{\"not\": sane}".to_vec()));
                plan.headers.push(("traceparent".to_owned(), vec![0xFF; 55]));
                plan.headers.push(("accept".to_owned(), b"text/html;q=0".to_vec()));
                if operation.body.is_none() {
                    plan.body = Some(b"{\"nobody\": \"asked".to_vec());
                }
            }
            _ => {}
        }
        plan
    }

    /// Requests with one value of the body just beyond one of its bounds, for every bound that the document names.
    pub(crate) fn beyond(&mut self, operation: &Operation) -> Vec<Plan> {
        let contents = operation.body.iter().flat_map(|body| &body.contents);
        let mut plans = Vec::new();
        for (kind, schema) in contents.filter(|(kind, _)| kind != "text/csv") {
            let right = self.values().value("", schema);
            for body in spoil::beyond(self.document, schema, &right) {
                let promise = match (self.is_right(schema, &body), kind.as_str()) {
                    (is_right, "application/x-ndjson") => Promise::Lines(vec![is_right]),
                    (Some(false), _) => Promise::Wrong(FORM),
                    _ => Promise::Open,
                };
                let mut plan = Plan {
                    method: operation.method.clone(),
                    address: operation.path.clone(),
                    headers: vec![("content-type".to_owned(), kind.clone().into_bytes())],
                    body: Some(body.to_string().into_bytes()),
                    promise,
                };
                self.parameters(operation, false, &mut plan);
                plans.push(plan);
            }
        }
        plans
    }

    fn parameters(&mut self, operation: &Operation, is_spoiled: bool, plan: &mut Plan) {
        let spoiled = operation.parameters.choose(&mut self.random).filter(|_| is_spoiled);
        for parameter in &operation.parameters {
            let is_spoiled = spoiled.is_some_and(|one| one.name == parameter.name);
            if !parameter.is_required && !is_spoiled && chance(&mut self.random, 50) {
                continue;
            }
            let right = self.values().value(&parameter.name, &parameter.schema);
            let right = match right {
                Value::Null => continue,
                Value::String(text) => text,
                other => other.to_string(),
            };
            match (parameter.place, is_spoiled) {
                (Place::Header, false) => plan.headers.push((parameter.name.clone(), right.into_bytes())),
                (Place::Header, true) => self.spoil_header(parameter, plan),
                (place, false) => put(place, parameter, &percent_encoded(&right), plan),
                (place, true) => self.spoil_address(place, parameter, plan),
            }
        }
    }

    fn spoil_header(&mut self, parameter: &Parameter, plan: &mut Plan) {
        let name = parameter.name.clone();
        match self.random.random_range(0..4) {
            0 if parameter.is_required => {}
            0 | 1 => plan.headers.push((name, Vec::new())),
            2 => plan.headers.push((name, vec![b'x'; 256])),
            _ => plan.headers.push((name, vec![0xFF, 0xFE])),
        }
        plan.promise = Promise::Wrong(&[400, 422]);
    }

    fn spoil_address(&mut self, place: Place, parameter: &Parameter, plan: &mut Plan) {
        let schema = &parameter.schema;
        let beyond = [schema["minimum"].as_i64().map(|n| n - 1), schema["maximum"].as_i64().map(|n| n + 1)];
        let beyond =
            beyond.choose(&mut self.random).copied().flatten().filter(|_| self.random.random::<bool>());
        let wrong = beyond.map_or_else(|| spoil::parameter(&mut self.random).to_owned(), |n| n.to_string());
        put(place, parameter, &wrong, plan);
        let is_any_text = schema["type"] == "string" && schema["format"] != "uuid";
        plan.promise = if is_any_text { Promise::Open } else { Promise::Wrong(&[422]) };
    }

    fn body(&mut self, operation: &Operation, way: Way, plan: &mut Plan) {
        let Some(body) = &operation.body else { return };
        let Some((kind, schema)) = body.contents.choose(&mut self.random) else { return };
        if way == Way::NoBody || (!body.is_required && way == Way::NotAtAll && chance(&mut self.random, 30)) {
            if body.is_required {
                plan.promise =
                    if kind == "application/x-ndjson" { Promise::Open } else { Promise::Wrong(FORM) };
            }
            return;
        }
        let content_type = match kind.as_str() {
            "application/json" if chance(&mut self.random, 20) => "Application/JSON; charset=utf-8",
            kind => kind,
        };
        let (bytes, promise) = match kind.as_str() {
            "application/json" => self.json(schema, way),
            "application/x-ndjson" => self.lines(schema, way),
            "text/csv" => self.csv(&body.contents, way),
            other => panic!("no body of {other}"),
        };
        if plan.promise == Promise::Right {
            plan.promise = promise;
        }
        plan.body = Some(bytes);
        if way == Way::ContentType {
            plan.promise = Promise::Wrong(&[415]);
            let wrong: [&[u8]; 4] = [b"text/plain", b"application/xml", b"", b"\xFF/json"];
            if let Some(wrong) = wrong.choose(&mut self.random) {
                plan.headers.push(("content-type".to_owned(), wrong.to_vec()));
            }
        } else {
            plan.headers.push(("content-type".to_owned(), content_type.as_bytes().to_vec()));
        }
    }

    fn json(&mut self, schema: &Value, way: Way) -> (Vec<u8>, Promise) {
        let mut body = self.values().value("", schema);
        if way == Way::Value {
            spoil::value(&mut body, &mut self.random);
        }
        let right = body.to_string().into_bytes();
        if way == Way::Text {
            return (spoil::text(&right, &mut self.random), Promise::Wrong(FORM));
        }
        let promise = match self.is_right(schema, &body) {
            Some(true) => Promise::Right,
            Some(false) => Promise::Wrong(FORM),
            None => Promise::Open,
        };
        (right, promise)
    }

    /// None where the document cannot say: it knows no way to forbid a NUL in a text.
    fn is_right(&self, schema: &Value, body: &Value) -> Option<bool> {
        if body.to_string().contains("\\u0000") {
            return None;
        }
        Some(self.document.faults(schema, body).is_empty())
    }

    fn lines(&mut self, schema: &Value, way: Way) -> (Vec<u8>, Promise) {
        let (mut text, mut lines) = (Vec::new(), Vec::new());
        for _ in 0..self.random.random_range(1..7) {
            let mut line = self.values().value("", schema);
            if way == Way::Value && self.random.random::<bool>() {
                spoil::value(&mut line, &mut self.random);
            }
            let right = line.to_string().into_bytes();
            if way == Way::Text && self.random.random::<bool>() {
                text.extend(spoil::text(&right, &mut self.random));
                lines.push(Some(false));
            } else {
                lines.push(self.is_right(schema, &line));
                text.extend(right);
            }
            text.extend(if self.random.random::<bool>() { b"\r\n".as_slice() } else { b"\n\n" });
        }
        // A byte-order mark is right at the start of the body and nowhere else.
        let promise = if text.starts_with(b"\xEF\xBB\xBF") { Promise::Open } else { Promise::Lines(lines) };
        (text, promise)
    }

    /// Rows of the same members as the other content type has.
    fn csv(&mut self, contents: &[(String, Value)], way: Way) -> (Vec<u8>, Promise) {
        let row =
            contents.iter().find(|(kind, _)| kind == "application/x-ndjson").expect("rows have a schema");
        let schema = self.document.resolve(&row.1).clone();
        let columns: Vec<String> =
            schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
        let mut text = columns.join(",").into_bytes();
        let mut lines = Vec::new();
        for _ in 0..self.random.random_range(1..7) {
            let row = self.values().value("", &schema);
            let is_spoiled = way == Way::Value && self.random.random::<bool>();
            let cells = columns.iter().map(|name| match (&row[name.as_str()], name.as_str()) {
                (_, "productId") if is_spoiled => "lamp".to_owned(),
                (Value::Null, _) => String::new(),
                (Value::String(text), _) => format!("\"{}\"", text.replace('"', "\"\"")),
                (other, _) => other.to_string(),
            });
            text.extend(b"\n");
            text.extend(cells.collect::<Vec<_>>().join(",").into_bytes());
            lines.push(Some(!is_spoiled));
        }
        if way == Way::Text {
            return (spoil::text(&text, &mut self.random), Promise::Open);
        }
        (text, Promise::Lines(lines))
    }

    fn values(&mut self) -> Values<'_> {
        Values { document: self.document, random: &mut self.random, known: self.known }
    }
}

fn put(place: Place, parameter: &Parameter, encoded: &str, plan: &mut Plan) {
    if place == Place::Path {
        plan.address = plan.address.replace(&format!("{{{}}}", parameter.name), encoded);
    } else {
        let joint = if plan.address.contains('?') { '&' } else { '?' };
        plan.address.push_str(&format!("{joint}{}={encoded}", parameter.name));
    }
}

fn percent_encoded(text: &str) -> String {
    let encoded = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(encoded).collect()
}

impl Plan {
    pub(crate) async fn send(&self, service: &Caller) -> Answer {
        let prepare = |mut request: reqwest::RequestBuilder| {
            for (name, value) in &self.headers {
                request = request.header(name, HeaderValue::from_bytes(value).expect("a header's value"));
            }
            match &self.body {
                Some(body) => request.body(body.clone()),
                None => request,
            }
        };
        let sent = service.try_send(self.method.clone(), &self.address, prepare).await;
        sent.unwrap_or_else(|error| panic!("no answer: {error:?}\n{self:#?}"))
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |bytes: &[u8]| String::from_utf8_lossy(&bytes[..bytes.len().min(2_000)]).into_owned();
        let headers: Vec<_> =
            self.headers.iter().map(|(name, value)| format!("{name}: {}", shown(value))).collect();
        f.debug_struct("Plan")
            .field("method", &self.method)
            .field("address", &self.address)
            .field("headers", &headers)
            .field("body", &self.body.as_deref().map(shown))
            .field("promise", &self.promise)
            .finish()
    }
}
