//! Everything that was asked and answered, in the order of the answers.

mod ledger;

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result};
use parking_lot::Mutex;
use serde::Serialize;
use serde_json::Value;

pub(crate) use self::ledger::LedgerLines;

/// One request and what came of it. Times are seconds since the run began.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry<'a> {
    /// Who asked; a client asks one thing at a time.
    pub(crate) client: usize,
    /// Which service was asked.
    pub(crate) at: &'a str,
    /// When it was sent.
    pub(crate) sent: f64,
    /// When the answer was there, or was given up.
    pub(crate) answered: f64,
    /// The path.
    pub(crate) path: &'a str,
    /// What was sent.
    pub(crate) body: Option<&'a Value>,
    /// The status; 0 without an answer.
    pub(crate) status: u16,
    /// What was answered, or why nothing was.
    pub(crate) told: &'a Value,
}

/// Keeps a history. Checkers that judge a whole history read what it kept.
pub(crate) trait Scribe: Send + Sync {
    /// Notes one entry.
    fn note(&self, entry: &Entry<'_>);

    /// Everything that was noted can be read from here on.
    ///
    /// # Errors
    /// If something could not be kept.
    fn finish(&self) -> Result<()>;
}

/// A file with an entry a line.
pub(crate) struct JsonLines {
    file: Mutex<BufWriter<File>>,
}

impl JsonLines {
    /// Begins a file.
    ///
    /// # Errors
    /// If it cannot be made.
    pub(crate) fn create(path: &Path) -> Result<Self> {
        let file = File::create(path).with_context(|| format!("creating {}", path.display()))?;
        Ok(Self { file: Mutex::new(BufWriter::new(file)) })
    }
}

impl Scribe for JsonLines {
    fn note(&self, entry: &Entry<'_>) {
        let mut file = self.file.lock();
        // A disk that is full shows when the file is finished.
        if serde_json::to_writer(&mut *file, entry).is_ok() {
            let _ = file.write_all(b"\n");
        }
    }

    fn finish(&self) -> Result<()> {
        self.file.lock().flush().context("writing the history")
    }
}

/// Several scribes as one.
pub(crate) struct Scribes(pub(crate) Vec<Box<dyn Scribe>>);

impl Scribe for Scribes {
    fn note(&self, entry: &Entry<'_>) {
        self.0.iter().for_each(|scribe| scribe.note(entry));
    }

    fn finish(&self) -> Result<()> {
        self.0.iter().try_for_each(|scribe| scribe.finish())
    }
}

/// Seconds since then, as histories have them.
pub(crate) fn seconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64()
}
