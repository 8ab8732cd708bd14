//! A wall clock that can be set, for one process: libfaketime, preloaded. Monotonic time is left alone, as a clock that is set leaves it.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use test_support::service::Launch;

/// Where distributions put it.
const PLACES: [&str; 4] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib64/faketime/libfaketime.so.1",
    "/usr/lib/faketime/libfaketime.so.1",
];

/// The library, if this machine has it.
pub(crate) fn library() -> Option<&'static Path> {
    PLACES.iter().map(Path::new).find(|path| path.is_file())
}

/// The clock of one process.
#[derive(Debug)]
pub(crate) struct FakeClock {
    file: PathBuf,
    _folder: tempfile::TempDir,
}

impl FakeClock {
    /// A clock that goes right, for what is launched.
    pub(crate) fn preload(library: &Path, launch: Launch) -> Result<(Self, Launch)> {
        let folder = tempfile::Builder::new().prefix("holdfast-clock-").tempdir()?;
        let clock = Self { file: folder.path().join("offset"), _folder: folder };
        clock.set(0)?;
        let launch = launch
            .env("LD_PRELOAD", library.display().to_string())
            .env("FAKETIME_TIMESTAMP_FILE", clock.file.display().to_string())
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            // Looked at once a second.
            .env("FAKETIME_CACHE_DURATION", "1");
        Ok((clock, launch))
    }

    /// Sets it so many seconds off.
    pub(crate) fn set(&self, seconds: i64) -> Result<()> {
        std::fs::write(&self.file, format!("{seconds:+}\n")).context("setting a clock")
    }
}
