//! What crosses a boundary stays what it was, and is documented as it is.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod asyncapi;
mod catalogue;
mod events_md;
mod files;
mod golden;
mod schemas;
