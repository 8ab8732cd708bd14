//! Real servers for tests: an ephemeral Postgres, a Kafka broker, a Redis, and binaries of this workspace as processes.
//!
//! Nothing here outlives the test process, not even when that one is killed: see `last_rites`.

pub mod disk;
pub mod kafka;
mod last_rites;
mod ports;
pub mod postgres;
pub mod redis;
pub mod service;

pub use ports::free_port;

/// Whether `CHAOS=long` was asked for: then tests may take as long as what they imitate.
pub fn is_long_run() -> bool {
    environment("CHAOS").is_some_and(|chaos| chaos == "long")
}

/// The one place that reads the environment.
fn environment(name: &str) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "tests have no command line; TEST_* and PATH come from here"
    )]
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
