//! Every decoder of bytes that strangers send, each as a function that takes any bytes and panics if a promise is broken:
//!
//! - nothing panics, and nothing answers a 5xx;
//! - what is taken is within its limits, and two readers of the same thing agree on it;
//! - what is refused is refused with advice;
//! - what can be written is read back as it was.
//!
//! `fuzz/fuzz_targets/` hands these functions to libFuzzer; the test of this crate replays `fuzz/corpus/` through all of them.

pub mod amounts;
pub mod events;
pub mod import_files;
pub mod inventory_bodies;
pub mod inventory_http;
pub mod order_bodies;
pub mod order_pages;
pub mod payment_bodies;
mod promises;
pub mod replay_files;
pub mod settings;

/// A target: its name, which is also its corpus's, and what it does.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 10] = [
    ("amounts", amounts::run),
    ("events", events::run),
    ("import_files", import_files::run),
    ("inventory_bodies", inventory_bodies::run),
    ("inventory_http", inventory_http::run),
    ("order_bodies", order_bodies::run),
    ("order_pages", order_pages::run),
    ("payment_bodies", payment_bodies::run),
    ("replay_files", replay_files::run),
    ("settings", settings::run),
];
