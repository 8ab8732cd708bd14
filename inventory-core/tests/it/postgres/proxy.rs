//! A proxy between a session and the server that knows the protocol just well enough to hold a COMMIT back.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// Serves connections; the first COMMIT closes its client at once and reaches the server only when told to.
pub(crate) struct CommitHolder {
    pub(crate) url: String,
    release: oneshot::Sender<()>,
    tasks: JoinSet<()>,
}

impl CommitHolder {
    /// In front of the server in `url`.
    pub(crate) async fn before(url: &str) -> Self {
        let at = url.find('@').unwrap() + 1;
        let end = at + url[at..].find('/').unwrap();
        let server: SocketAddr = tokio::net::lookup_host(&url[at..end]).await.unwrap().next().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut proxied = url.to_owned();
        proxied.replace_range(at..end, &listener.local_addr().unwrap().to_string());
        let (release, released) = oneshot::channel();
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, server, released));
        Self { url: proxied, release, tasks }
    }

    /// Lets the held COMMIT go on to the server, and waits until the server has dealt with it.
    pub(crate) async fn forward_commit(mut self) {
        self.release.send(()).unwrap();
        self.tasks.join_next().await.unwrap().unwrap();
    }
}

async fn serve(listener: TcpListener, server: SocketAddr, released: oneshot::Receiver<()>) {
    let mut connections: JoinSet<Option<(OwnedReadHalf, OwnedWriteHalf, Vec<u8>)>> = JoinSet::new();
    let (mut from_server, mut to_server, commit) = loop {
        tokio::select! {
            client = listener.accept() => {
                let server = TcpStream::connect(server).await.unwrap();
                connections.spawn(connection(client.unwrap().0, server));
            }
            Some(ended) = connections.join_next() => {
                if let Some(held) = ended.unwrap() {
                    break held;
                }
            }
        }
    };
    released.await.unwrap();
    // The server may have closed meanwhile: then the COMMIT meets nobody, which is the point.
    let terminate = [b'X', 0, 0, 0, 4];
    if to_server.write_all(&commit).await.is_ok() && to_server.write_all(&terminate).await.is_ok() {
        let _ = from_server.read_to_end(&mut Vec::new()).await;
    }
}

/// Copies both ways until COMMIT comes; then drops the client and gives back what leads to the server.
async fn connection(
    client: TcpStream,
    server: TcpStream,
) -> Option<(OwnedReadHalf, OwnedWriteHalf, Vec<u8>)> {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let commit = {
        let down = tokio::io::copy(&mut from_server, &mut to_client);
        let up = until_commit(&mut from_client, &mut to_server);
        tokio::select! {
            _ = down => None,
            commit = up => commit,
        }
    };
    commit.map(|commit| (from_server, to_server, commit))
}

/// Passes messages on until COMMIT, or until the client closes.
async fn until_commit(from_client: &mut OwnedReadHalf, to_server: &mut OwnedWriteHalf) -> Option<Vec<u8>> {
    let mut typed = false;
    loop {
        let message = message(from_client, typed).await?;
        typed = message[..] != SSL_REQUEST;
        if message[0] == b'Q' && message.ends_with(b"COMMIT\0") {
            return Some(message);
        }
        to_server.write_all(&message).await.ok()?;
    }
}

/// Asks whether the server speaks TLS; the first message proper follows.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// The first message of a connection has no type byte.
async fn message(from_client: &mut OwnedReadHalf, typed: bool) -> Option<Vec<u8>> {
    let header = if typed { 5 } else { 4 };
    let mut message = vec![0; header];
    from_client.read_exact(&mut message).await.ok()?;
    let length: [u8; 4] = message[header - 4..].try_into().ok()?;
    let body = usize::try_from(u32::from_be_bytes(length)).ok()? - 4;
    message.resize(header + body, 0);
    from_client.read_exact(&mut message[header..]).await.ok()?;
    Some(message)
}
