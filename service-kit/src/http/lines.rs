//! Newline-separated records out of a streamed body, in constant memory.

use axum::body::Bytes;

use super::Chunks;
use crate::problem::Problem;

/// Cuts a streamed body into lines. Blank lines are skipped; a byte-order mark at the start and carriage returns
/// at line ends are dropped.
pub struct Lines {
    chunks: Chunks,
    line_bytes_max: usize,
    chunk: Bytes,
    partial: Vec<u8>,
    /// The rest of a line that is too long is being skipped.
    skipping: bool,
    at_start: bool,
}

/// One line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Line {
    /// Its bytes, without the line end.
    Whole(Vec<u8>),
    /// Longer than allowed; its bytes were skipped.
    TooLong,
}

impl Lines {
    /// Lines of `line_bytes_max` bytes at most.
    pub fn new(chunks: Chunks, line_bytes_max: usize) -> Self {
        Self {
            chunks,
            line_bytes_max,
            chunk: Bytes::new(),
            partial: Vec::new(),
            skipping: false,
            at_start: true,
        }
    }

    /// The next line that is not blank, or none at the end.
    pub async fn next(&mut self) -> Result<Option<Line>, Problem> {
        loop {
            let ended = match self.chunk.iter().position(|byte| *byte == b'\n') {
                Some(at) => {
                    let piece = self.chunk.split_to(at + 1);
                    self.take(&piece[..at]);
                    true
                }
                None => {
                    let piece = std::mem::take(&mut self.chunk);
                    self.take(&piece);
                    match self.chunks.next().await? {
                        Some(chunk) => {
                            self.chunk = chunk;
                            false
                        }
                        None if self.partial.is_empty() && !self.skipping => return Ok(None),
                        None => true,
                    }
                }
            };
            if ended && let Some(line) = self.finish() {
                return Ok(Some(line));
            }
        }
    }

    fn take(&mut self, piece: &[u8]) {
        // Room for a carriage return and a byte-order mark; `finish` looks at what is left.
        if self.skipping || self.partial.len() + piece.len() > self.line_bytes_max + 4 {
            self.skipping = true;
            self.partial.clear();
        } else {
            self.partial.extend_from_slice(piece);
        }
    }

    fn finish(&mut self) -> Option<Line> {
        let mut line = std::mem::take(&mut self.partial);
        if std::mem::take(&mut self.skipping) {
            self.at_start = false;
            return Some(Line::TooLong);
        }
        if std::mem::take(&mut self.at_start) && line.starts_with(b"\xEF\xBB\xBF") {
            line.drain(..3);
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        if line.len() > self.line_bytes_max {
            return Some(Line::TooLong);
        }
        (!line.iter().all(u8::is_ascii_whitespace)).then_some(Line::Whole(line))
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use futures::stream;

    use super::*;
    use crate::http::BodyLimits;

    /// All lines of a body that arrives in pieces of `size` bytes.
    async fn lines_of(text: &[u8], size: usize, line_bytes_max: usize) -> Vec<Option<String>> {
        let pieces: Vec<_> =
            text.chunks(size).map(|p| Ok::<_, std::io::Error>(Bytes::copy_from_slice(p))).collect();
        let chunks = Chunks::new(Body::from_stream(stream::iter(pieces)), &BodyLimits::default());
        let mut lines = Lines::new(chunks, line_bytes_max);
        let mut all = Vec::new();
        while let Some(line) = lines.next().await.unwrap() {
            all.push(match line {
                Line::Whole(bytes) => Some(String::from_utf8(bytes).unwrap()),
                Line::TooLong => None,
            });
        }
        all
    }

    fn some(lines: &[&str]) -> Vec<Option<String>> {
        lines.iter().map(|line| Some((*line).to_owned())).collect()
    }

    #[tokio::test]
    async fn lines_are_the_same_however_the_bytes_arrive() {
        let text = b"\xEF\xBB\xBFone\r\n\n  \ntwo\nthree";
        for size in 1..=text.len() {
            assert_eq!(lines_of(text, size, 5).await, some(&["one", "two", "three"]), "pieces of {size}");
        }
    }

    #[tokio::test]
    async fn a_line_too_long_is_skipped_and_reported_and_the_next_one_is_read() {
        for size in 1..=16 {
            let lines = lines_of(b"123456\n12345\r\n1234567890", size, 5).await;
            assert_eq!(lines, [None, Some("12345".to_owned()), None], "pieces of {size}");
        }
    }
}
