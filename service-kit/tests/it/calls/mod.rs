//! Calls to a real server over a socket. Waiting between tries is on a clock of the test's; what is timed for real is only
//! a server that never answers, so that no outcome depends on how fast anything is.

mod layers;
mod outcomes;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Response};
use service_kit::calls::{CallOptions, Client, Timing};
use service_kit::{HttpOptions, Metrics};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::support::Running;

/// What the server does next.
pub(crate) enum Reply {
    Answer(u16, &'static [(&'static str, &'static str)], &'static str),
    /// Answers 200 when told to.
    Held(Arc<Semaphore>),
    /// Never answers.
    Never,
}

pub(crate) fn status(status: u16) -> Reply {
    Reply::Answer(status, &[], "{}")
}

/// A callee that follows a script; at its end it answers 200.
#[derive(Clone, Default)]
pub(crate) struct Callee {
    script: Arc<Mutex<VecDeque<Reply>>>,
    seen: Arc<Mutex<Vec<(String, HeaderMap)>>>,
    arrived: Arc<Mutex<Option<Arc<Semaphore>>>>,
}

impl Callee {
    pub(crate) fn will(&self, replies: impl IntoIterator<Item = Reply>) {
        self.script.lock().unwrap().extend(replies);
    }

    pub(crate) fn requests(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    pub(crate) fn seen(&self) -> Vec<(String, HeaderMap)> {
        self.seen.lock().unwrap().clone()
    }

    /// A semaphore that gets a permit with each request that arrives from now on.
    pub(crate) fn arrivals(&self) -> Arc<Semaphore> {
        let arrivals = Arc::new(Semaphore::new(0));
        *self.arrived.lock().unwrap() = Some(arrivals.clone());
        arrivals
    }

    async fn answer(State(callee): State<Self>, request: Request) -> Response<Body> {
        let line = format!("{} {}", request.method(), request.uri());
        callee.seen.lock().unwrap().push((line, request.headers().clone()));
        let reply = callee.script.lock().unwrap().pop_front().unwrap_or(status(200));
        if let Some(arrivals) = &*callee.arrived.lock().unwrap() {
            arrivals.add_permits(1);
        }
        let (code, headers, body) = match reply {
            Reply::Answer(code, headers, body) => (code, headers, body),
            Reply::Held(until) => {
                until.acquire().await.unwrap().forget();
                (200, [].as_slice(), "{}")
            }
            Reply::Never => std::future::pending().await,
        };
        let mut response = Response::builder().status(code);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        response.body(Body::from(body)).unwrap()
    }
}

/// A clock that only sleeping and the test move; the dice always fall on the most.
#[derive(Default)]
pub(crate) struct TestTiming {
    moved: Mutex<Duration>,
    slept: Mutex<Vec<Duration>>,
    start: Mutex<Option<Instant>>,
}

impl TestTiming {
    pub(crate) fn pass(&self, duration: Duration) {
        *self.moved.lock().unwrap() += duration;
    }

    pub(crate) fn slept(&self) -> Vec<Duration> {
        self.slept.lock().unwrap().clone()
    }
}

#[async_trait]
impl Timing for TestTiming {
    fn now(&self) -> Instant {
        *self.start.lock().unwrap().get_or_insert_with(Instant::now) + *self.moved.lock().unwrap()
    }

    async fn sleep(&self, duration: Duration) {
        self.slept.lock().unwrap().push(duration);
        self.pass(duration);
    }

    fn jitter(&self, up_to: Duration) -> Duration {
        up_to
    }
}

pub(crate) struct Fixture {
    pub(crate) callee: Callee,
    pub(crate) client: Client,
    pub(crate) timing: Arc<TestTiming>,
    pub(crate) metrics: Metrics,
    _server: Running,
}

/// Far beyond any healthy answer.
pub(crate) fn patient() -> CallOptions {
    CallOptions {
        deadline: Duration::from_secs(60),
        attempt_timeout: Duration::from_secs(30),
        connect_timeout: Duration::from_secs(30),
        ..CallOptions::default()
    }
}

pub(crate) async fn fixture(options: CallOptions) -> Fixture {
    let callee = Callee::default();
    let router = Router::new().fallback(Callee::answer).with_state(callee.clone());
    let server = Running::start(router, HttpOptions::default()).await;
    let (timing, metrics) = (Arc::new(TestTiming::default()), Metrics::default());
    let base_url = format!("http://{}", server.addr);
    let client = Client::with_timing(&base_url, options, &metrics, "callee", timing.clone()).unwrap();
    Fixture { callee, client, timing, metrics, _server: server }
}
