//! Opening an engine: read what an exclusive store knows, start the tasks. And closing it.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::reader::Reader;
use super::{Engine, Shared};
use crate::event::EventEncoder;
use crate::options::{EngineOptions, InvalidOptions};
use crate::store::{Sharing, Store, StoreError};
use crate::sweeper;
use crate::writer::{Memory, WriterHandle};
use crate::{housekeeping, levels};

/// Orders read at a time when an exclusive store is opened.
const ORDERS_PAGE: usize = 50_000;

/// Why an engine did not start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The options do not make sense.
    #[error("invalid options: {0}")]
    Options(#[from] InvalidOptions),
    /// The store could not be read.
    #[error("the store could not be opened: {0}")]
    Store(#[from] StoreError),
    /// The writer's thread could not be started.
    #[error("the writer's thread could not be started: {0}")]
    Thread(#[source] std::io::Error),
    /// The calendar could not be set up.
    #[error("housekeeping could not be started: {0}")]
    Housekeeping(String),
}

impl Engine {
    /// Opens an engine over a store whose schema is up to date, and starts its writer, sweeper and housekeeping on the
    /// present tokio runtime. `encoder` turns facts into outbox rows; [`crate::event::NoEvents`] tells nobody.
    pub async fn open(
        store: Arc<dyn Store>,
        encoder: Arc<dyn EventEncoder>,
        options: EngineOptions,
    ) -> Result<Self, OpenError> {
        options.validate()?;
        let memory = Arc::new(Memory::new(store.sharing(), encoder.tells_of_levels()));
        learn(&*store, &memory).await?;

        let tasks = TaskTracker::new();
        let stop = CancellationToken::new();
        let writer = WriterHandle::start(store.clone(), encoder, memory.clone(), &options, &tasks)
            .map_err(OpenError::Thread)?;
        let (reader, serve_reads) = Reader::new(store.clone(), memory.clone(), stop.clone());
        tasks.spawn(serve_reads);
        let shared = Arc::new(Shared {
            sharing: store.sharing(),
            store,
            options,
            memory,
            writer,
            reader,
            stop: stop.clone(),
            tasks: tasks.clone(),
            audit_running: tokio::sync::Mutex::new(()),
        });
        tasks.spawn(sweeper::run(Arc::downgrade(&shared), stop.clone()));
        if shared.memory.levels.is_some() {
            tasks.spawn(levels::run(Arc::downgrade(&shared), stop.clone()));
        }
        if options.housekeeping {
            let calendar = housekeeping::start(Arc::downgrade(&shared)).await?;
            tasks.spawn(housekeeping::stop_with(calendar, stop));
        }
        Ok(Self { shared })
    }

    /// Takes no more requests, finishes what it took, stops its tasks. Waits for as long as the store takes to answer;
    /// bound it from outside if that may be for ever.
    pub async fn shutdown(&self) {
        levels::flush(&self.shared).await;
        self.shared.stop.cancel();
        self.shared.writer.close();
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
    }
}

/// What an exclusive store has, it has for us alone: its orders (refusals rest on them) and the ends of its open holds. Of a shared
/// store only the time is asked; its orphans are found by the sweeper's scan.
async fn learn(store: &dyn Store, memory: &Memory) -> Result<(), StoreError> {
    if store.sharing() == Sharing::Shared {
        let page = store.orders_after(None, 0).await?;
        memory.deadlines.set_time(page.now);
        return Ok(());
    }
    let mut after = None;
    loop {
        let page = store.orders_after(after, ORDERS_PAGE).await?;
        for (order, _) in &page.orders {
            if let Some(known) = &memory.known {
                known.insert(*order);
            }
        }
        let holds = page.orders.iter().filter_map(|(order, held_until)| Some(((*held_until)?, *order)));
        memory.deadlines.set_time(page.now);
        memory.deadlines.adopt(holds);
        if page.orders.len() < ORDERS_PAGE {
            return Ok(());
        }
        after = page.orders.last().map(|(order, _)| *order);
    }
}
