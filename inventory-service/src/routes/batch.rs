//! `POST /api/v1/inventory/reserve/batch`: many reserves in one request, answered while they come in.

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use futures::{Stream, StreamExt, stream};
use service_kit::http::{Chunks, Line, Lines, request_id};
use service_kit::problem::ProblemBody;
use service_kit::{Problem, json};

use super::reserve::{hold, status_of};
use crate::api::{CommonProblems, NDJSON};
use crate::limits::{BATCH_ANSWERS_PER_WRITE, BATCH_CONCURRENCY, BATCH_LINES_MAX};
use crate::state::App;
use crate::wire::report::{BatchAnswerBody, BatchBody};
use crate::wire::requests::ReserveWire;
use crate::wire::reservation::HoldBody;

/// Many reserves in one request: a reserve body a line, up to 10,000 lines.
///
/// Answers come in the order of the lines, each with the status and body that the single call would have had. Lines
/// are independent of each other and several are under way at once. Read the answers while sending: they are not
/// kept. Blank lines get no answer.
#[utoipa::path(
    post,
    path = "/api/v1/inventory/reserve/batch",
    tag = "reservations",
    request_body(content = ReserveWire, content_type = "application/x-ndjson"),
    responses(
        (status = 200, description = "An answer a line", body = BatchAnswerBody, content_type = "application/x-ndjson"),
        (status = 415, description = "`unsupported_media_type`", body = ProblemBody, content_type = "application/problem+json"),
        CommonProblems,
    )
)]
pub(crate) async fn reserve_batch(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    json::require_content_type(&head.headers, NDJSON)?;
    let limits = *app.body_limits();
    let lines = Lines::new(Chunks::new(body, &limits), limits.bytes_max);
    // The answers are written after this handler has returned, when nobody knows the request's id any more.
    let request_id = request_id::current();
    let answers = entries(lines)
        .map(move |entry| answer(app.clone(), entry, request_id.clone()))
        .buffered(BATCH_CONCURRENCY)
        .ready_chunks(BATCH_ANSWERS_PER_WRITE)
        .map(|answers| Ok::<_, std::convert::Infallible>(Bytes::from(answers.concat())));
    let mut response = Response::new(Body::from_stream(answers));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    Ok(response)
}

/// A line, or why there are no further ones.
enum Entry {
    Line(Line),
    End(Problem),
}

fn entries(lines: Lines) -> impl Stream<Item = Entry> {
    stream::unfold(Some((lines, 0_usize)), async |state| {
        let (mut lines, count) = state?;
        match lines.next().await {
            Ok(None) => None,
            Ok(Some(_)) if count == BATCH_LINES_MAX => Some((Entry::End(too_many_lines()), None)),
            Ok(Some(line)) => Some((Entry::Line(line), Some((lines, count + 1)))),
            Err(problem) => Some((Entry::End(problem), None)),
        }
    })
}

async fn answer(app: App, entry: Entry, request_id: Option<String>) -> Vec<u8> {
    let reserved = match entry {
        Entry::Line(Line::Whole(line)) => match json::from_slice::<ReserveWire>(&line) {
            Ok(request) => hold(&app, request).await,
            Err(problem) => Err(problem),
        },
        Entry::Line(Line::TooLong) => Err(line_too_long(app.body_limits().bytes_max)),
        Entry::End(problem) => Err(problem),
    };
    let (status, body) = match &reserved {
        Ok(reserved) => (status_of(reserved), BatchBody::Hold(HoldBody::from(reserved))),
        Err(problem) => (problem.status(), BatchBody::Problem(problem.clone().into_body(request_id))),
    };
    let mut line = serde_json::to_vec(&BatchAnswerBody { status: status.as_u16(), body }).unwrap_or_default();
    line.push(b'\n');
    line
}

fn too_many_lines() -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "body_too_large",
        "Body too large",
        format!("A batch has at most {BATCH_LINES_MAX} lines; send this and further lines in another batch."),
    )
    .with("maxLines", BATCH_LINES_MAX)
}

fn line_too_long(bytes_max: usize) -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "body_too_large",
        "Body too large",
        format!("The line is larger than {bytes_max} bytes; send less in one reserve."),
    )
    .with("maxBytes", bytes_max)
}
