//! Messages of the protocol: a type byte (but for a connection's first message), a length, a body.

use std::io;

use tokio::io::AsyncReadExt as _;
use tokio::net::tcp::OwnedReadHalf;

/// How much is read at once.
const READ_BYTES: usize = 16 * 1_024;
/// Longer messages are not of this protocol.
const FRAME_BYTES_MAX: usize = 1 << 30;

/// The request codes of first messages.
pub(super) const SSL_REQUEST: u32 = 80_877_103;
pub(super) const GSS_REQUEST: u32 = 80_877_104;
pub(super) const CANCEL_REQUEST: u32 = 80_877_102;

/// One message with its header.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Frame {
    pub(super) bytes: Vec<u8>,
    header: usize,
}

impl Frame {
    /// The type byte; `None` for a first message.
    pub(super) fn kind(&self) -> Option<u8> {
        (self.header == 5).then(|| self.bytes[0])
    }

    pub(super) fn body(&self) -> &[u8] {
        &self.bytes[self.header..]
    }

    /// The code of a first message: a request, or the protocol's version.
    pub(super) fn code(&self) -> Option<u32> {
        self.body().first_chunk().map(|code| u32::from_be_bytes(*code))
    }

    #[cfg(test)]
    pub(super) fn typed(kind: u8, body: &[u8]) -> Self {
        let length = u32::try_from(body.len() + 4).expect("small");
        let bytes = [&[kind][..], &length.to_be_bytes(), body].concat();
        Self { bytes, header: 5 }
    }
}

/// Reads messages. Cancel-safe: what was read of a message stays for the next call.
#[derive(Debug)]
pub(super) struct Frames {
    from: OwnedReadHalf,
    buffer: Vec<u8>,
    is_typed: bool,
}

impl Frames {
    pub(super) fn new(from: OwnedReadHalf, is_typed: bool) -> Self {
        Self { from, buffer: Vec::new(), is_typed }
    }

    /// From now on messages have a type.
    pub(super) fn begin(&mut self) {
        self.is_typed = true;
    }

    /// Whether nothing of a next message is here yet.
    pub(super) fn is_drained(&self) -> bool {
        self.buffer.is_empty()
    }

    /// The next message; `None` at the end.
    pub(super) async fn next(&mut self) -> io::Result<Option<Frame>> {
        loop {
            if let Some(frame) = self.take()? {
                return Ok(Some(frame));
            }
            self.buffer.reserve(READ_BYTES);
            if self.from.read_buf(&mut self.buffer).await? == 0 {
                return Ok(None);
            }
        }
    }

    fn take(&mut self) -> io::Result<Option<Frame>> {
        let header = if self.is_typed { 5 } else { 4 };
        let Some(length) = self.buffer.get(header - 4..).and_then(|bytes| bytes.first_chunk()) else {
            return Ok(None);
        };
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        if !(4..=FRAME_BYTES_MAX).contains(&length) {
            return Err(io::Error::other(format!("a message of {length} bytes")));
        }
        let end = header - 4 + length;
        if self.buffer.len() < end {
            return Ok(None);
        }
        let rest = self.buffer.split_off(end);
        Ok(Some(Frame { bytes: std::mem::replace(&mut self.buffer, rest), header }))
    }
}
