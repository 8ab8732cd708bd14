//! The short form of a chaos run, and the proxy that it stands on.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod short;
