//! Events on both databases and on the local log, with a transport that fails when it is told to.

mod consumer;
mod dead_letters;
pub(crate) mod harness;
mod local;
mod relay;
mod retention;
mod support;
