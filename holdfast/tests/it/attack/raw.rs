//! A socket, and bytes that no well-bred client would send.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{interval, timeout};

use crate::shop::PATIENCE;

/// A connection.
pub(crate) struct Raw {
    stream: TcpStream,
    /// Read and not yet understood.
    rest: Vec<u8>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct RawAnswer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Raw {
    pub(crate) async fn connect(address: &str) -> io::Result<Self> {
        Ok(Self { stream: TcpStream::connect(address).await?, rest: Vec::new() })
    }

    /// Sends as much as the other side takes. An error says that it takes no more.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// Sends byte by byte, a pause between two, until all is sent or the other side has answered or hung up. Fails if it takes no notice.
    pub(crate) async fn drip(&mut self, bytes: &[u8], pause: Duration) {
        let work = async {
            let mut pace = interval(pause);
            for byte in bytes {
                tokio::select! {
                    _ = self.stream.readable() => return,
                    _ = pace.tick() => if self.send(&[*byte]).await.is_err() { return },
                }
            }
        };
        timeout(PATIENCE * 3, work).await.expect("an end to the dripping");
    }

    /// Sends the same again and again until the other side takes no more. Fails if it takes it for ever.
    pub(crate) async fn flood(&mut self, bytes: &[u8]) {
        let work = async { while self.stream.write_all(bytes).await.is_ok() {} };
        timeout(PATIENCE * 3, work).await.expect("an end to the flood");
    }

    /// The next whole answer; none if the connection is cut first. Fails if neither happens.
    pub(crate) async fn answer(&mut self) -> Option<RawAnswer> {
        timeout(PATIENCE * 3, self.read_answer()).await.expect("an answer, or a cut connection")
    }

    async fn read_answer(&mut self) -> Option<RawAnswer> {
        let mut piece = vec![0; 16 * 1_024];
        loop {
            if let Some((answer, len)) = parse(&self.rest) {
                self.rest.drain(..len);
                return Some(answer);
            }
            match self.stream.read(&mut piece).await {
                Ok(0) | Err(_) => return None,
                Ok(read) => self.rest.extend_from_slice(&piece[..read]),
            }
        }
    }

    /// Waits until the other side has hung up, whatever it says before.
    pub(crate) async fn is_cut(&mut self) {
        while self.answer().await.is_some() {}
    }
}

/// An answer with a length at the start of these bytes, and how long it is.
fn parse(bytes: &[u8]) -> Option<(RawAnswer, usize)> {
    let head_len = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&bytes[..head_len]).to_lowercase();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length.map_or(0, |text| text.trim().parse().expect("a length"));
    let body = bytes.get(head_len..head_len + length)?;
    Some((RawAnswer { status, body: String::from_utf8_lossy(body).into_owned() }, head_len + length))
}

impl RawAnswer {
    /// Insists on a problem of this status and code.
    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{self:?}");
        let body: serde_json::Value = serde_json::from_str(&self.body).expect("a problem is JSON");
        assert_eq!(body["code"], code, "{self:?}");
        assert!(body["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{self:?}");
    }
}

/// The head of a POST of JSON.
pub(crate) fn post(path: &str, more: &str) -> Vec<u8> {
    format!("POST {path} HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\n{more}\r\n\r\n")
        .into_bytes()
}
