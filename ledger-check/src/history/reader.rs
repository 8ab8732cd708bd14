//! Reading histories.

use std::io::{self, BufRead, Read};

use serde::Deserialize;

use super::{Answered, Asked, FORMAT, Record};

/// The longest line that is read.
pub const LINE_BYTES_MAX: u64 = 1024 * 1024;

/// A line that is no record.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct BadLine {
    /// Counted from 1.
    pub line: u64,
    /// What is wrong with it, and what to change.
    pub reason: String,
    /// What reading said, if it was that which failed.
    #[source]
    pub source: Option<io::Error>,
}

/// Reads records one at a time; blank lines are skipped. Ends after the first bad line.
pub fn read<R: BufRead>(source: R) -> impl Iterator<Item = Result<Record, BadLine>> {
    let mut lines = Lines { source, number: 0, ended: false };
    std::iter::from_fn(move || lines.next_record())
}

struct Lines<R> {
    source: R,
    number: u64,
    ended: bool,
}

/// What every line of every version has.
#[derive(Deserialize)]
struct Version {
    v: Option<u32>,
}

/// A line of the present version. (Serde can refuse unknown fields only where nothing is flattened.)
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Fields {
    #[serde(rename = "v")]
    _version: u32,
    client: String,
    sequence: u64,
    asked: Asked,
    invoked_at: i64,
    #[serde(default)]
    answered: Option<Answered>,
}

impl Fields {
    fn into_record(self) -> Record {
        let Self { _version, client, sequence, asked, invoked_at, answered } = self;
        Record { client, sequence, asked, invoked_at, answered }
    }
}

impl<R: BufRead> Lines<R> {
    fn next_record(&mut self) -> Option<Result<Record, BadLine>> {
        while !self.ended {
            self.number += 1;
            let line = match self.next_line() {
                Ok(None) => break,
                Ok(Some(line)) if line.trim_ascii().is_empty() => continue,
                Ok(Some(line)) => line,
                Err(error) => return Some(Err(self.bad("could not be read".to_owned(), Some(error)))),
            };
            return Some(parse(&line).map_err(|reason| self.bad(reason, None)));
        }
        self.ended = true;
        None
    }

    fn next_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let read = self.source.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
        Ok((read > 0).then_some(line))
    }

    fn bad(&mut self, reason: String, source: Option<io::Error>) -> BadLine {
        self.ended = true;
        BadLine { line: self.number, reason, source }
    }
}

fn parse(line: &[u8]) -> Result<Record, String> {
    if line.last() != Some(&b'\n') && line.len() as u64 >= LINE_BYTES_MAX {
        return Err(format!("is longer than {LINE_BYTES_MAX} bytes: write one record a line"));
    }
    let version: Version = serde_json::from_slice(line).map_err(|why| {
        format!("is not a JSON object ({why}); if the writer was killed, take away the line it had begun")
    })?;
    match version.v {
        Some(FORMAT) => {}
        Some(other) => {
            return Err(format!("is of version {other} of the format, and this program reads {FORMAT}"));
        }
        None => return Err(format!("has no version: write \"v\":{FORMAT} in every line")),
    }
    let record: Fields =
        serde_json::from_slice(line).map_err(|why| format!("is no record of a history: {why}"))?;
    let record = record.into_record();
    if record.answered_at() < record.invoked_at {
        let at = record.answered_at();
        return Err(format!("was answered at {at}, before it was asked at {}", record.invoked_at));
    }
    Ok(record)
}
