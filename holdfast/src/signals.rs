//! Being told to stop: the first signal drains, a second one ends the process at once.

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The exit codes that a shell gives to a process that a signal ended: 128 and the signal's number.
const EXIT_INTERRUPTED: i32 = 130;
const EXIT_TERMINATED: i32 = 143;

/// Listens from construction on, so that no signal is missed between two waits.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

/// Which signal came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Told {
    /// Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

impl Told {
    /// What a process ends with that does not wait any more.
    pub(crate) fn exit_code(self) -> i32 {
        match self {
            Self::Interrupt => EXIT_INTERRUPTED,
            Self::Terminate => EXIT_TERMINATED,
        }
    }
}

impl Signals {
    /// Takes the signals over.
    pub(crate) fn listen() -> anyhow::Result<Self> {
        let take = |kind| signal(kind).context("signals cannot be listened to");
        Ok(Self { interrupt: take(SignalKind::interrupt())?, terminate: take(SignalKind::terminate())? })
    }

    /// The next signal.
    pub(crate) async fn next(&mut self) -> Told {
        tokio::select! {
            _ = self.interrupt.recv() => Told::Interrupt,
            _ = self.terminate.recv() => Told::Terminate,
        }
    }
}
