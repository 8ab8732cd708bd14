//! A real Kafka for tests.
//!
//! [`brokers`] says which brokers this run uses: those of `TEST_KAFKA_BROKERS`; else one broker that all tests of this process
//! share, started on first use; or, with `KAFKA=mock`, none: then tests use the mock cluster in their own process, and what only a
//! real broker can show says on standard error that it was not shown. Nothing else makes a test do with less: a broker that cannot
//! be started fails it, with advice.

mod broker;
mod installation;

use std::io::Write;

use anyhow::Result;
use tokio::sync::OnceCell;

pub use broker::Broker;

/// Which brokers tests use.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Brokers {
    /// The bootstrap address of real ones.
    Real(String),
    /// `KAFKA=mock` was asked for.
    Mock,
}

/// The brokers that all tests of this process share.
pub async fn brokers() -> Brokers {
    // Never dropped: the broker ends with the process.
    static SHARED: OnceCell<Broker> = OnceCell::const_new();
    if let Some(brokers) = crate::environment("TEST_KAFKA_BROKERS") {
        return Brokers::Real(brokers);
    }
    if is_mock() {
        return Brokers::Mock;
    }
    match SHARED.get_or_try_init(Broker::start).await {
        Ok(broker) => Brokers::Real(broker.address()),
        Err(error) => panic!("no Kafka: {error:?}"),
    }
}

/// For what only a real broker can show: its address, or `None` where `KAFKA=mock` was asked for, after having said so.
pub async fn real(what: &str) -> Option<String> {
    match brokers().await {
        Brokers::Real(brokers) => Some(brokers),
        Brokers::Mock => not_shown(what),
    }
}

/// For what needs a broker to stop and start: one of its own, or `None` where `KAFKA=mock` was asked for, or where brokers were
/// named (which nobody stops) and none is installed, after having said so.
pub async fn own(what: &str) -> Option<Broker> {
    let has_none = crate::environment("TEST_KAFKA_BROKERS").is_some() && installation::class_path().is_err();
    if is_mock() || has_none {
        return not_shown(what);
    }
    let started: Result<Broker> = Broker::start().await;
    Some(started.unwrap_or_else(|error| panic!("no Kafka: {error:?}")))
}

/// Whether a real broker is to be had; says what is not shown if not. Starts none.
pub fn is_real(what: &str) -> bool {
    let is_real = !is_mock();
    if !is_real {
        not_shown::<()>(what);
    }
    is_real
}

fn is_mock() -> bool {
    crate::environment("KAFKA").is_some_and(|kafka| kafka == "mock")
}

/// Past the capture of a passing test's output: nobody shall miss it.
fn not_shown<T>(what: &str) -> Option<T> {
    let reason = if is_mock() { "KAFKA=mock" } else { "TEST_KAFKA_BROKERS" };
    let line = format!("{reason}: not shown, for it needs a real broker of the test's own: {what}\n");
    // Where standard error is gone there is nobody to tell.
    let _ = std::io::stderr().write_all(line.as_bytes());
    None
}
