//! What is seen while a scenario runs: a line every few seconds, also where nobody watches a terminal. Samples memory on the way.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::target::Target;

/// Between two samples of memory.
const SAMPLE_PERIOD: Duration = Duration::from_millis(250);
/// Between two lines, at first and when it takes long.
const LINE_PERIOD: Duration = Duration::from_secs(3);
const LINE_PERIOD_LATER: Duration = Duration::from_secs(15);
const LATER: Duration = Duration::from_secs(30);

/// Samples of resident memory over a run.
#[derive(Debug, Default)]
pub(crate) struct Memory(Mutex<Vec<u64>>);

impl Memory {
    /// Samples so far, in bytes.
    pub(crate) fn samples(&self) -> Vec<u64> {
        self.0.lock().clone()
    }
}

/// Says what happens, until Ctrl-C: run it beside the load. Goose takes Ctrl-C for itself from its first run on, also
/// while it does not run.
pub(crate) async fn watch(
    name: &str,
    target: &Target,
    memory: &Memory,
    so_far: impl Fn() -> String,
) -> Stopped {
    let started = Instant::now();
    let mut line_at = started + LINE_PERIOD;
    while !goose::is_killswitch_triggered() {
        memory.0.lock().extend(target.memory_bytes());
        if Instant::now() >= line_at {
            line_at += if started.elapsed() < LATER { LINE_PERIOD } else { LINE_PERIOD_LATER };
            say(&format!("{name}: {:.0} s{}", started.elapsed().as_secs_f64(), so_far()));
        }
        tokio::time::sleep(SAMPLE_PERIOD).await;
    }
    Stopped
}

/// Somebody pressed Ctrl-C.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Stopped;

/// One line for whoever watches.
pub(crate) fn say(line: &str) {
    eprintln!("   {line}");
}
