//! The engine as its callers see it, over real stores and over stores that fail.

mod cancel;
mod cancel_api;
mod faults;
mod lifecycle;
mod overload;
mod sharing;
pub(crate) mod support;
mod sweep;
