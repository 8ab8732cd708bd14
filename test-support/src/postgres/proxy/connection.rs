//! One connection: copies messages both ways, until one of them is struck.

use std::io;
use std::sync::Arc;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::watch;

use super::commits::Commits;
use super::frames::{CANCEL_REQUEST, Frame, Frames, GSS_REQUEST, SSL_REQUEST};
use super::harm::{Harm, Release, Strike};
use super::{ConnectionId, Open, Shared, Weather};

/// "Not here": the answer to a wish for encryption, which a proxy could not read.
const NO_ENCRYPTION: &[u8] = b"N";
/// Ends what the extended protocol began, so that the server answers.
const SYNC: [u8; 5] = [b'S', 0, 0, 0, 4];
const TERMINATE: [u8; 5] = [b'X', 0, 0, 0, 4];
const READY_FOR_QUERY: u8 = b'Z';

/// Why copying ended.
enum Ended {
    /// One side closed.
    Closed,
    /// The connection was cut.
    Cut,
    /// A COMMIT came, and harm was armed for it.
    Struck(Frame, Strike),
}

pub(super) struct Connection {
    place: Place,
    weather: watch::Receiver<Weather>,
    from_client: Frames,
    to_client: OwnedWriteHalf,
    from_server: Frames,
    to_server: OwnedWriteHalf,
}

impl Connection {
    pub(super) fn open(shared: Arc<Shared>, client: TcpStream, server: TcpStream) -> Self {
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        let (id, weather) = {
            let mut state = shared.state.lock();
            let id = ConnectionId(state.next);
            state.next += 1;
            let weather = watch::Sender::new(*shared.weather.borrow());
            let receiver = weather.subscribe();
            state.open.insert(id, Open { application: String::new(), weather });
            (id, receiver)
        };
        Self {
            place: Place { id, shared },
            weather,
            from_client: Frames::new(from_client, false),
            to_client,
            from_server: Frames::new(from_server, true),
            to_server,
        }
    }

    pub(super) async fn serve(mut self) {
        // Errors of a socket end a connection as its close does.
        let ended = match self.start().await {
            Ok(true) => self.copy().await.unwrap_or(Ended::Closed),
            Ok(false) | Err(_) => Ended::Closed,
        };
        match ended {
            Ended::Closed => {}
            Ended::Cut => self.place.shared.count(Harm::Cut),
            Ended::Struck(frame, strike) => self.strike(frame, strike).await,
        }
    }

    /// Until the first message proper. False if the connection serves nothing further.
    async fn start(&mut self) -> io::Result<bool> {
        while *self.weather.borrow() != Weather::Silent {
            let Some(first) = self.from_client.next().await? else { return Ok(false) };
            match first.code() {
                Some(SSL_REQUEST | GSS_REQUEST) => self.to_client.write_all(NO_ENCRYPTION).await?,
                Some(CANCEL_REQUEST) => {
                    self.to_server.write_all(&first.bytes).await?;
                    return Ok(false);
                }
                _ => {
                    self.from_client.begin();
                    self.place.name(parameter(first.body(), "application_name"));
                    self.to_server.write_all(&first.bytes).await?;
                    return Ok(true);
                }
            }
        }
        Ok(true)
    }

    async fn copy(&mut self) -> io::Result<Ended> {
        let way = Way { place: &self.place, weather: &self.weather };
        let ended = tokio::select! {
            // What has fallen silent passes nothing more.
            biased;
            weather = worst(self.weather.clone()) => match weather {
                Weather::Silent => None,
                Weather::Cut | Weather::Clear | Weather::Slow(_) => Some(Ended::Cut),
            },
            ended = way.up(&mut self.from_client, &mut self.to_server) => Some(ended?),
            ended = way.down(&mut self.from_server, &mut self.to_client) => Some(ended?),
        };
        match ended {
            Some(ended) => Ok(ended),
            None => Ok(self.silent().await),
        }
    }

    /// Nothing passes any more. The server's side stays open until the weather changes: packets that are lost tell nobody that
    /// a client has gone. The client's side stays open until the client gives up.
    async fn silent(&mut self) -> Ended {
        self.place.shared.count(Harm::Silenced);
        let mut weather = self.weather.clone();
        let client_is_gone = async { while let Ok(Some(_)) = self.from_client.next().await {} };
        // The proxy's end is a change of weather, too.
        let is_over = async { weather.wait_for(|weather| *weather != Weather::Silent).await.is_ok() };
        tokio::join!(client_is_gone, is_over);
        Ended::Closed
    }

    async fn strike(self, frame: Frame, strike: Strike) {
        let Self { place, to_client, from_client, mut from_server, mut to_server, .. } = self;
        let shared = Arc::clone(&place.shared);
        // Either way the client hears nothing: its side is closed now.
        drop((place, to_client, from_client));
        let commit =
            if frame.kind() == Some(b'E') { [frame.bytes, SYNC.to_vec()].concat() } else { frame.bytes };
        match strike {
            Strike::Drop => shared.count(Harm::CommitDropped),
            Strike::DropReply => {
                let sent = to_server.write_all(&commit).await;
                while sent.is_ok()
                    && let Ok(Some(frame)) = from_server.next().await
                    && frame.kind() != Some(READY_FOR_QUERY)
                {}
                shared.count(Harm::ReplyDropped);
            }
            Strike::Hold(release) => {
                shared.count(Harm::CommitHeld);
                let did = match release {
                    Release::After(time) => {
                        tokio::time::sleep(time).await;
                        None
                    }
                    Release::Told { released, did } => {
                        // Whoever would tell has gone: then it is forwarded, as time would do.
                        let _ = released.await;
                        Some(did)
                    }
                };
                // The server may have closed meanwhile: then the COMMIT meets nobody, which is the point.
                if to_server.write_all(&commit).await.is_ok() && to_server.write_all(&TERMINATE).await.is_ok()
                {
                    while let Ok(Some(_)) = from_server.next().await {}
                }
                shared.count(Harm::CommitForwarded);
                if let Some(did) = did {
                    let _ = did.send(());
                }
            }
        }
    }
}

/// A connection's place among those that are open, given up when this is dropped.
struct Place {
    id: ConnectionId,
    shared: Arc<Shared>,
}

impl Place {
    fn name(&self, application: String) {
        if let Some(open) = self.shared.state.lock().open.get_mut(&self.id) {
            open.application = application;
        }
    }

    /// What strikes a COMMIT on this connection now, if anything.
    fn armed(&self) -> Option<Strike> {
        let mut state = self.shared.state.lock();
        let application = state.open.get(&self.id)?.application.clone();
        let at = state.armed.iter().position(|armed| armed.reach.has(self.id, &application))?;
        Some(state.armed.remove(at).strike)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.shared.state.lock().open.remove(&self.id);
    }
}

/// Waits for weather that ends copying.
async fn worst(mut weather: watch::Receiver<Weather>) -> Weather {
    let ends = |weather: &Weather| matches!(weather, Weather::Cut | Weather::Silent);
    // The proxy's end is the end of its connections.
    weather.wait_for(ends).await.map_or(Weather::Cut, |weather| *weather)
}

/// What both directions look at.
#[derive(Clone, Copy)]
struct Way<'a> {
    place: &'a Place,
    weather: &'a watch::Receiver<Weather>,
}

impl Way<'_> {
    async fn up(self, from: &mut Frames, to: &mut OwnedWriteHalf) -> io::Result<Ended> {
        let mut commits = Commits::default();
        loop {
            let is_burst = from.is_drained();
            let Some(frame) = from.next().await? else { return Ok(Ended::Closed) };
            if commits.see(&frame)
                && let Some(strike) = self.place.armed()
            {
                return Ok(Ended::Struck(frame, strike));
            }
            self.pass(&frame, to, is_burst).await?;
        }
    }

    async fn down(self, from: &mut Frames, to: &mut OwnedWriteHalf) -> io::Result<Ended> {
        loop {
            let is_burst = from.is_drained();
            let Some(frame) = from.next().await? else { return Ok(Ended::Closed) };
            self.pass(&frame, to, is_burst).await?;
        }
    }

    async fn pass(self, frame: &Frame, to: &mut OwnedWriteHalf, is_burst: bool) -> io::Result<()> {
        let now = *self.weather.borrow();
        if let Weather::Slow(by) = now
            && is_burst
        {
            self.place.shared.count(Harm::Slowed);
            tokio::time::sleep(by).await;
        }
        to.write_all(&frame.bytes).await
    }
}

/// A parameter of the first message: names and values, each ended by a zero byte, after the protocol's version.
fn parameter(body: &[u8], name: &str) -> String {
    let mut texts = body.get(4..).unwrap_or_default().split(|byte| *byte == 0);
    while let (Some(key), Some(value)) = (texts.next(), texts.next()) {
        if key == name.as_bytes() {
            return String::from_utf8_lossy(value).into_owned();
        }
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use super::parameter;

    #[test]
    fn a_parameter_is_found_by_its_name() {
        let body = b"\0\x03\0\0user\0me\0application_name\0shop\0\0";
        assert_eq!(parameter(body, "application_name"), "shop");
        assert_eq!(parameter(body, "database"), "");
    }
}
