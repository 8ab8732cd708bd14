//! The REST edge, in process: routing, parsing, limits, problems, documentation. What the engine decides is tested
//! where it decides; what an answer of it reads like is tested beside `problems` and `wire`.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod consume;
mod documentation;
mod health;
mod refusals;
mod service;
mod streams;
mod support;
