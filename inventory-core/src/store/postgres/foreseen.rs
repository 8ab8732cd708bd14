//! What is known of a batch's orders before it begins: what the session remembers, and, of a batch that was foreseen, what was read on
//! another connection while the last one was written. Like all that is seen without locks it is made sure of later.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::PgPool;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::errors::classify;
use super::recent::Recent;
use super::seen::Seen;
use super::session::answer;
use crate::ids::OrderId;

/// A batch waits for what is read ahead no longer than this; then it reads itself.
const PATIENCE: Duration = Duration::from_millis(50);

/// What was found of some orders.
#[derive(Default)]
pub(super) struct Found {
    pub(super) seen: Seen,
    /// Not remembered, or not there when others were read ahead: the batch before may have made them.
    pub(super) unread: Vec<OrderId>,
}

/// Of a batch to come.
#[derive(Default)]
pub(super) struct Foreseen {
    orders: Vec<OrderId>,
    found: Found,
    /// What was still unread.
    reading: Option<JoinHandle<Option<Found>>>,
}

/// Reads beside a store's sessions, one batch's orders at a time.
#[derive(Clone, Debug)]
pub(super) struct SideReader {
    readers: PgPool,
    runtime: Handle,
    one: Arc<Semaphore>,
    answer_timeout: Duration,
}

impl Found {
    /// What is remembered.
    fn recalled(orders: &[OrderId], recent: &mut Recent) -> Self {
        let mut found = Self::default();
        found.seen.reserve(orders.len());
        for order in orders {
            match recent.recall(*order) {
                Some((reservation, version)) => found.seen.keep(reservation, version),
                None => found.unread.push(*order),
            }
        }
        found
    }
}

impl Foreseen {
    /// Recalls what is remembered of these orders, and begins to read the others.
    pub(super) fn of(orders: Vec<OrderId>, recent: &mut Recent, side: &SideReader) -> Self {
        let found = Found::recalled(&orders, recent);
        let reading = if found.unread.is_empty() { None } else { side.read(found.unread.clone()) };
        Self { orders, found, reading }
    }

    /// What was found, if it is of these orders. Else it was recalled in vain, and is forgotten: it will be read like any other.
    pub(super) async fn or_recall(self, orders: &[OrderId], recent: &mut Recent) -> Found {
        if self.orders != orders {
            return Found::recalled(orders, recent);
        }
        let mut found = self.found;
        if let Some(reading) = self.reading
            && let Ok(Ok(Some(read))) = tokio::time::timeout(PATIENCE, reading).await
        {
            found.seen.add(read.seen);
            found.unread = read.unread;
        }
        found
    }
}

impl SideReader {
    /// Of the runtime that this is called on, which has to last as long as the pool.
    pub(super) fn new(readers: PgPool, answer_timeout: Duration) -> Self {
        Self { readers, runtime: Handle::current(), one: Arc::new(Semaphore::new(1)), answer_timeout }
    }

    /// None, if the last one is still at it.
    fn read(&self, orders: Vec<OrderId>) -> Option<JoinHandle<Option<Found>>> {
        let permit = self.one.clone().try_acquire_owned().ok()?;
        let (readers, answer_timeout) = (self.readers.clone(), self.answer_timeout);
        Some(self.runtime.spawn(async move {
            let _permit = permit;
            let mut found = Found::default();
            let read = answer(answer_timeout, async {
                let mut conn = readers.acquire().await.map_err(classify)?;
                found.seen.read(&mut conn, orders).await
            });
            match read.await {
                Ok(unread) => Some(Found { unread, ..found }),
                Err(error) => {
                    tracing::debug!(%error, "a batch's orders could not be read ahead");
                    None
                }
            }
        }))
    }
}
