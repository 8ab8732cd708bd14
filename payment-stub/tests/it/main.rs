//! The stub over a socket, on Postgres and on SQLite. Outcomes are awaited by asking until they are there; nothing asserts how long
//! anything took.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod choreography;
mod crash;
mod documentation;
mod methods;
mod refunds;
mod repeats;
mod roles;
mod service;
mod strict;
mod support;
