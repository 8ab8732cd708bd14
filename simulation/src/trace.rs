//! What happened, line by line, by virtual time. Two runs of one seed must write the same bytes.

use std::fmt::{Display, Write as _};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::time::Instant;

/// Where lines go. Cheap to clone; clones write to the same place.
#[derive(Clone, Debug)]
pub struct Trace(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    begun: Instant,
    /// None when nobody wants to read it.
    lines: Option<Mutex<String>>,
}

impl Trace {
    /// Begins now. Without `wanted` nothing is kept.
    pub fn begin(wanted: bool) -> Self {
        Self(Arc::new(Inner { begun: Instant::now(), lines: wanted.then(Mutex::default) }))
    }

    /// One line. `what` is only asked for if somebody wants it.
    pub fn note<T: Display>(&self, who: impl Display, what: impl FnOnce() -> T) {
        if let Some(lines) = &self.0.lines {
            let at = self.0.begun.elapsed().as_micros();
            // Writing to a String cannot fail.
            let _ =
                writeln!(lines.lock(), "{:>6}.{:06} {who:<10} {}", at / 1_000_000, at % 1_000_000, what());
        }
    }

    /// Virtual time since the beginning.
    pub fn elapsed(&self) -> std::time::Duration {
        self.0.begun.elapsed()
    }

    /// Everything so far.
    pub fn text(&self) -> String {
        self.0.lines.as_ref().map(|lines| lines.lock().clone()).unwrap_or_default()
    }
}
