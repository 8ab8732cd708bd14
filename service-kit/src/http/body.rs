//! Bodies, bounded in bytes and time.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout, timeout_at};

use crate::problem::Problem;

/// Bounds on bodies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BodyLimits {
    /// Bytes of an ordinary body, at most.
    pub bytes_max: usize,
    /// How long an ordinary body may take to arrive, and how long a streamed one may pause.
    pub read_deadline: Duration,
    /// How long a streamed body may take in all.
    pub stream_deadline: Duration,
}

impl Default for BodyLimits {
    fn default() -> Self {
        Self {
            bytes_max: 64 * 1_024,
            read_deadline: Duration::from_secs(10),
            stream_deadline: Duration::from_secs(15 * 60),
        }
    }
}

/// What is read and thrown away of a body that is too large, so that its sender gets to read the refusal instead of
/// a connection reset.
const DISCARD_BYTES_MAX: u64 = 512 * 1_024;
/// And for how long; then the refusal is sent anyway.
const DISCARD_DEADLINE: Duration = Duration::from_millis(500);

/// Reads an ordinary body: 413 beyond `bytes_max`, 408 when it does not arrive in time.
pub async fn read(headers: &HeaderMap, body: Body, limits: &BodyLimits) -> Result<Bytes, Problem> {
    let bytes_max = limits.bytes_max;
    let mut work = pin!(async {
        let declared = body.size_hint().lower();
        if declared > bytes_max as u64 {
            // Who asked for permission to send has not sent anything.
            if !headers.contains_key(header::EXPECT) {
                Box::pin(discard(body, 0)).await;
            }
            return Err(too_large(bytes_max));
        }
        collect(body, bytes_max).await
    });
    if let Some(read) = look_twice(work.as_mut()).await {
        return read;
    }
    match timeout(limits.read_deadline, work).await {
        Ok(read) => read,
        Err(_elapsed) => Err(too_slow(limits.read_deadline)),
    }
}

/// What `work` comes to, if it ends within two looks. hyper fetches a body when it is first asked for, so one that came with its head is
/// there at the second look; only for the others a timer is worth setting.
async fn look_twice<T>(mut work: Pin<&mut impl Future<Output = T>>) -> Option<T> {
    let mut is_second = false;
    poll_fn(|cx| match work.as_mut().poll(cx) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if is_second => Poll::Ready(None),
        Poll::Pending => {
            is_second = true;
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await
}

async fn collect(mut body: Body, bytes_max: usize) -> Result<Bytes, Problem> {
    let Some(first) = next_data(&mut body).await? else { return Ok(Bytes::new()) };
    // The usual case: it came in one piece, and is not copied.
    if body.is_end_stream() && first.len() <= bytes_max {
        return Ok(first);
    }
    let mut all = Vec::with_capacity(first.len() * 2);
    let mut piece = Some(first);
    while let Some(bytes) = piece {
        if all.len() + bytes.len() > bytes_max {
            Box::pin(discard(body, (all.len() + bytes.len()) as u64)).await;
            return Err(too_large(bytes_max));
        }
        all.extend_from_slice(&bytes);
        piece = next_data(&mut body).await?;
    }
    Ok(all.into())
}

async fn next_data(body: &mut Body) -> Result<Option<Bytes>, Problem> {
    while let Some(frame) = body.frame().await {
        if let Ok(bytes) = frame.map_err(|_| cut_short())?.into_data() {
            return Ok(Some(bytes));
        }
    }
    Ok(None)
}

async fn discard(mut body: Body, mut seen: u64) {
    let work = async {
        while seen < DISCARD_BYTES_MAX {
            match next_data(&mut body).await {
                Ok(Some(bytes)) => seen += bytes.len() as u64,
                Ok(None) | Err(_) => return,
            }
        }
    };
    // Best effort: whether all was seen or the time was up makes no difference to the answer.
    let _ = timeout(DISCARD_DEADLINE, work).await;
}

/// A streamed body: any length, bounded pauses, a bounded whole.
pub struct Chunks {
    body: Body,
    pause_max: Duration,
    ends_at: Instant,
}

impl Chunks {
    /// Starts to read.
    pub fn new(body: Body, limits: &BodyLimits) -> Self {
        Self { body, pause_max: limits.read_deadline, ends_at: Instant::now() + limits.stream_deadline }
    }

    /// The next piece, or none at the end; 408 when the sender pauses or takes too long.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        let pause_ends_at = Instant::now() + self.pause_max;
        match timeout_at(pause_ends_at.min(self.ends_at), next_data(&mut self.body)).await {
            Ok(read) => read,
            Err(_elapsed) => Err(too_slow(self.pause_max)),
        }
    }
}

fn too_large(bytes_max: usize) -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "body_too_large",
        "Body too large",
        format!("The body is larger than {bytes_max} bytes; send less in one request."),
    )
    .with("maxBytes", bytes_max)
}

fn too_slow(deadline: Duration) -> Problem {
    Problem::new(
        StatusCode::REQUEST_TIMEOUT,
        "body_timeout",
        "Body not received in time",
        format!("No complete body within {} s; send the body without pauses.", deadline.as_secs_f32()),
    )
}

fn cut_short() -> Problem {
    Problem::new(
        StatusCode::BAD_REQUEST,
        "body_incomplete",
        "Body incomplete",
        "The connection failed before the whole body had arrived; send the request again.",
    )
}
