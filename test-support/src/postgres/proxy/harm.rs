//! What the proxy can do, and to whom.

use std::time::Duration;

use tokio::sync::oneshot;

use super::ConnectionId;

/// Which connections.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// Every one; what lasts, those to come too.
    All,
    /// One.
    One(ConnectionId),
    /// Those whose client calls itself so (`application_name`).
    Application(&'static str),
}

impl Reach {
    pub(super) fn has(self, id: ConnectionId, application: &str) -> bool {
        match self {
            Self::All => true,
            Self::One(one) => one == id,
            Self::Application(name) => name == application,
        }
    }
}

/// What happens to one COMMIT. In every case the client's side is closed without an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CommitHarm {
    /// The server never gets it; its side is closed, too.
    Drop,
    /// The server gets it and answers; nobody hears the answer.
    DropReply,
    /// The server gets it so much later.
    HoldFor(Duration),
}

/// Kinds of harm, as they are counted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Harm {
    /// A burst of messages was delayed.
    Slowed,
    /// A connection fell silent.
    Silenced,
    /// A connection was cut.
    Cut,
    /// A COMMIT was dropped.
    CommitDropped,
    /// The reply to a COMMIT was dropped.
    ReplyDropped,
    /// A COMMIT was held.
    CommitHeld,
    /// A COMMIT that was held was sent on; whether it met anybody is another matter.
    CommitForwarded,
}

/// How a hold ends.
#[derive(Debug)]
pub(super) enum Release {
    After(Duration),
    Told { released: oneshot::Receiver<()>, did: oneshot::Sender<()> },
}

/// What strikes a COMMIT, ready to do so.
#[derive(Debug)]
pub(super) enum Strike {
    Drop,
    DropReply,
    Hold(Release),
}

#[derive(Debug)]
pub(super) struct Armed {
    pub(super) reach: Reach,
    pub(super) strike: Strike,
}

impl Armed {
    pub(super) fn new(reach: Reach, harm: CommitHarm) -> Self {
        let strike = match harm {
            CommitHarm::Drop => Strike::Drop,
            CommitHarm::DropReply => Strike::DropReply,
            CommitHarm::HoldFor(time) => Strike::Hold(Release::After(time)),
        };
        Self { reach, strike }
    }

    pub(super) fn held(reach: Reach, release: Release) -> Self {
        Self { reach, strike: Strike::Hold(release) }
    }
}
