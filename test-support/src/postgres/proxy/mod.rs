//! A proxy between clients and a Postgres server that knows the protocol: it reads message by message, both ways, and does harm
//! where it is told to.
//!
//! Harm to the way as a whole lasts until [`Proxy::clear`]: slowness, silence (everything is swallowed and every connection stays
//! open). Connections are cut at once. Harm to a COMMIT is armed and strikes the next one: it is dropped, or its reply is, or it is
//! held: the client's side is closed, and the server gets the COMMIT later. Whatever strikes is counted, and nothing else is.

mod commits;
mod connection;
mod frames;
mod harm;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use self::connection::Connection;
use self::harm::{Armed, Release};
pub use self::harm::{CommitHarm, Harm, Reach};

/// Names a connection of one proxy, in order of arrival.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ConnectionId(u64);

/// What is done to everything that passes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Weather {
    #[default]
    Clear,
    /// Each burst of messages waits for so long, either way.
    Slow(Duration),
    /// Everything is swallowed. What was swallowed never comes: a connection that met it stays silent.
    Silent,
    /// The connection ends.
    Cut,
}

/// Serves connections until it is dropped.
#[derive(Debug)]
pub struct Proxy {
    url: String,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

/// What the proxy and its connections know.
#[derive(Debug)]
struct Shared {
    server: SocketAddr,
    state: Mutex<State>,
    /// What connections that are yet to come meet.
    weather: watch::Sender<Weather>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    open: BTreeMap<ConnectionId, Open>,
    armed: Vec<Armed>,
    counts: BTreeMap<Harm, u64>,
}

/// A connection as the proxy knows it.
#[derive(Debug)]
struct Open {
    /// `application_name`, once the client has said it.
    application: String,
    weather: watch::Sender<Weather>,
}

/// A COMMIT that is held, or that will be once it comes.
#[derive(Debug)]
pub struct HeldCommit {
    release: oneshot::Sender<()>,
    done: oneshot::Receiver<()>,
}

impl Proxy {
    /// In front of the server in `url`, on a loopback port of its own.
    ///
    /// # Errors
    /// If `url` names no server or no port can be had.
    pub async fn before(url: &str) -> Result<Self> {
        let (at, end) = address(url).context("a URL such as postgres://user@host:port/database")?;
        let server =
            tokio::net::lookup_host(&url[at..end]).await?.next().context("a server without an address")?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let mut proxied = url.to_owned();
        proxied.replace_range(at..end, &listener.local_addr()?.to_string());
        let shared =
            Arc::new(Shared { server, state: Mutex::default(), weather: watch::Sender::new(Weather::Clear) });
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, Arc::clone(&shared)));
        Ok(Self { url: proxied, shared, _tasks: tasks })
    }

    /// The same URL by way of this proxy.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The connections that are open, oldest first, and what their clients call themselves (`application_name`).
    pub fn connections(&self) -> Vec<(ConnectionId, String)> {
        let state = self.shared.state.lock();
        state.open.iter().map(|(id, open)| (*id, open.application.clone())).collect()
    }

    /// Each burst of messages takes so much longer, either way, until [`Proxy::clear`].
    pub fn slow(&self, reach: Reach, by: Duration) {
        self.shared.set(reach, Weather::Slow(by));
    }

    /// Swallows everything and keeps connections open, until [`Proxy::clear`]; those that met it stay silent even then, but the
    /// server gets to know of it. For `Reach::All` new connections are accepted and hear nothing.
    pub fn silence(&self, reach: Reach) {
        self.shared.set(reach, Weather::Silent);
    }

    /// Ends connections that are open now, on both sides.
    pub fn cut(&self, reach: Reach) {
        self.shared.set(reach, Weather::Cut);
    }

    /// Lets everything pass again, and forgets what is armed.
    pub fn clear(&self) {
        self.shared.state.lock().armed.clear();
        self.shared.set(Reach::All, Weather::Clear);
    }

    /// Arms harm to the next COMMIT within reach.
    pub fn at_next_commit(&self, reach: Reach, harm: CommitHarm) {
        self.shared.state.lock().armed.push(Armed::new(reach, harm));
    }

    /// Arms a hold that ends by hand.
    pub fn hold_next_commit(&self, reach: Reach) -> HeldCommit {
        let ((release, released), (did, done)) = (oneshot::channel(), oneshot::channel());
        self.shared.state.lock().armed.push(Armed::held(reach, Release::Told { released, did }));
        HeldCommit { release, done }
    }

    /// How often each kind of harm has struck. A kind that is absent never did.
    pub fn counts(&self) -> BTreeMap<Harm, u64> {
        self.shared.state.lock().counts.clone()
    }

    /// How often this kind has struck.
    pub fn count(&self, harm: Harm) -> u64 {
        self.shared.state.lock().counts.get(&harm).copied().unwrap_or_default()
    }
}

impl HeldCommit {
    /// Lets the held COMMIT go on to the server, and waits until the server has dealt with it.
    ///
    /// # Errors
    /// If no COMMIT is held and the proxy is gone.
    pub async fn forward(self) -> Result<()> {
        // Nobody waits any more: then there is no answer either, which is told below.
        let _ = self.release.send(());
        self.done.await.context("the proxy ended before the COMMIT was forwarded")
    }
}

impl Shared {
    fn set(&self, reach: Reach, weather: Weather) {
        let state = self.state.lock();
        // A cut is a moment: who comes afterwards is served.
        if reach == Reach::All && weather != Weather::Cut {
            self.weather.send_replace(weather);
        }
        for (_, open) in state.open.iter().filter(|(id, open)| reach.has(**id, &open.application)) {
            open.weather.send_replace(weather);
        }
    }

    fn count(&self, harm: Harm) {
        *self.state.lock().counts.entry(harm).or_default() += 1;
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // A client that has gone already is no news.
                let Ok((client, _)) = accepted else { continue };
                connections.spawn(connect(client, Arc::clone(&shared)));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connect(client: TcpStream, shared: Arc<Shared>) {
    // A server that is away closes the door, as it would without a proxy.
    let Ok(server) = TcpStream::connect(shared.server).await else { return };
    if client.set_nodelay(true).and(server.set_nodelay(true)).is_ok() {
        Connection::open(shared, client, server).serve().await;
    }
}

/// Where host and port stand.
fn address(url: &str) -> Option<(usize, usize)> {
    let start = url.find("://")? + 3;
    let end = url[start..].find('/').map_or(url.len(), |at| start + at);
    let host = url[start..end].rfind('@').map_or(start, |at| start + at + 1);
    Some((host, end))
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn the_address_stands_between_the_login_and_the_database() {
        let of = |url: &'static str| address(url).map(|(at, end)| &url[at..end]);
        assert_eq!(of("postgres://me:s@x@host:1/db?a=b/c"), Some("host:1"));
        assert_eq!(of("postgres://host:1"), Some("host:1"));
        assert_eq!(of("host:1"), None);
    }
}
