//! The engine as its callers see it, over real stores and over stores that fail.

mod cancel;
mod faults;
mod lifecycle;
mod overload;
mod sharing;
mod support;
mod sweep;
