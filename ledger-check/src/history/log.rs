//! Writing histories.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use parking_lot::Mutex;
use serde::Serialize;

use super::{FORMAT, Record};

/// Appends records, a line each; for many threads. Buffered: what is not flushed is lost when the process is killed.
#[derive(Debug)]
pub struct HistoryLog<W: Write = File> {
    out: Mutex<BufWriter<W>>,
}

/// A line.
#[derive(Serialize)]
struct Versioned<'a> {
    v: u32,
    #[serde(flatten)]
    record: &'a Record,
}

impl HistoryLog {
    /// Appends to a file, which is made if it does not exist.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self::new(File::options().create(true).append(true).open(path)?))
    }
}

impl<W: Write> HistoryLog<W> {
    /// Writes to anything.
    pub fn new(out: W) -> Self {
        Self { out: Mutex::new(BufWriter::new(out)) }
    }

    /// Appends a record.
    pub fn append(&self, record: &Record) -> io::Result<()> {
        let mut line = serde_json::to_vec(&Versioned { v: FORMAT, record })?;
        line.push(b'\n');
        self.out.lock().write_all(&line)
    }

    /// Hands everything appended so far to the system, where it outlives the process.
    pub fn flush(&self) -> io::Result<()> {
        self.out.lock().flush()
    }

    /// Flushes, and gives back what was written to.
    pub fn into_inner(self) -> io::Result<W> {
        self.out.into_inner().into_inner().map_err(io::IntoInnerError::into_error)
    }
}
