//! One operation a file.

pub(crate) mod abandon;
pub(crate) mod cancel;
pub(crate) mod deliver;
pub(crate) mod health;
pub(crate) mod history;
pub(crate) mod list;
pub(crate) mod order;
mod params;
pub(crate) mod place;
pub(crate) mod plan;
pub(crate) mod retry;
pub(crate) mod ship;
pub(crate) mod skip;
pub(crate) mod timeline;
mod wish;
