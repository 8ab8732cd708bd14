//! A keep-alive connection that sends a request, reads the answer, sends the next. Hand-made, because the load shares the machine with
//! what it measures: it must cost as little as possible, and the same for every peer.

use std::net::SocketAddr;

use anyhow::{Context, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The header of a body in JSON.
pub const JSON: &str = "content-type: application/json\r\n";

/// A keep-alive connection with one request under way at a time.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    head_end: usize,
}

impl Connection {
    /// Connects.
    pub async fn open(addr: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(4_096), head_end: 0 })
    }

    /// Sends a request and reads its answer; the answer's status. `headers` are whole lines, such as [`JSON`].
    pub async fn post(&mut self, path: &str, headers: &str, body: &str) -> anyhow::Result<u16> {
        let length = body.len();
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\n{headers}content-length: {length}\r\n\r\n{body}"
        );
        self.stream.write_all(request.as_bytes()).await?;
        let (status, head_end) = read_answer(&mut self.stream, &mut self.buffer).await?;
        self.head_end = head_end;
        Ok(status)
    }

    /// The body of the last answer.
    pub fn answer(&self) -> &[u8] {
        &self.buffer[self.head_end..]
    }
}

/// Reads one answer with a content-length; its status, and where its body begins. `buffer` holds it afterwards.
async fn read_answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> anyhow::Result<(u16, usize)> {
    buffer.clear();
    let head_end = loop {
        if let Some(at) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        ensure!(stream.read_buf(buffer).await? > 0, "the server closed the connection");
    };
    let head = std::str::from_utf8(&buffer[..head_end])?;
    let status: u16 = head.get(9..12).context("no status line")?.parse()?;
    let length: usize = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .context("no content-length")?
        .1
        .trim()
        .parse()?;
    while buffer.len() < head_end + length {
        ensure!(stream.read_buf(buffer).await? > 0, "the server closed the connection");
    }
    Ok((status, head_end))
}
