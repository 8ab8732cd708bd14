//! The server over real sockets, with clients that behave and clients that do not. Deadlines under test are short;
//! nothing asserts how long anything took, only what happened and in which order.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod calls;
mod drain;
mod edge;
mod events;
mod hostile;
mod kafka;
mod silence;
mod sql;
mod strict_json;
mod support;
