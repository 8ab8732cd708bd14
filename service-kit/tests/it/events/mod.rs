//! Events on both databases and on the local log, with a transport that fails when it is told to.

mod local;
mod relay;
mod support;
