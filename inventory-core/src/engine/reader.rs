//! Shared reads: whoever needs rows waits for one read that started after the need arose, many products at a time and one
//! read at a time. Cold products, refusals over a shared store and `GET` all use it; a flash crowd on a cold product is one load.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::error::Failure;
use crate::ids::{OrderId, ProductId};
use crate::product::Product;
use crate::store::{IdMap, IdSet, Store, StoreError};
use crate::writer::Memory;

/// Needs that may wait; one more is refused.
const NEEDS_WAITING_MAX: usize = 16_384;
/// Needs served by one read.
const NEEDS_PER_READ_MAX: usize = 1_000;

/// What one read found: rows of many askers.
#[derive(Debug)]
pub(super) struct Seen {
    /// When the read was sent: no row is staler than this.
    pub(super) started: Instant,
    products: IdMap<ProductId, Product>,
    orders: IdSet<OrderId>,
}

impl Seen {
    pub(super) fn product(&self, product: ProductId) -> Option<&Product> {
        self.products.get(&product)
    }

    pub(super) fn knows(&self, order: OrderId) -> bool {
        self.orders.contains(&order)
    }
}

#[derive(Debug)]
struct Need {
    products: Vec<ProductId>,
    order: Option<OrderId>,
    reply: oneshot::Sender<Result<Arc<Seen>, Failure>>,
}

/// Asks for reads. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Reader {
    needs: mpsc::Sender<Need>,
}

impl Reader {
    /// A reader and the task that serves it.
    pub(super) fn new(
        store: Arc<dyn Store>,
        memory: Arc<Memory>,
        stop: CancellationToken,
    ) -> (Self, impl Future<Output = ()>) {
        let (needs, waiting) = mpsc::channel(NEEDS_WAITING_MAX);
        (Self { needs }, serve(store, memory, waiting, stop))
    }

    /// Reads products, and whether `order` is known. The counters learn what was seen.
    pub(super) async fn read(
        &self,
        products: Vec<ProductId>,
        order: Option<OrderId>,
    ) -> Result<Arc<Seen>, Failure> {
        let (reply, answer) = oneshot::channel();
        match self.needs.try_send(Need { products, order, reply }) {
            Ok(()) => answer.await.unwrap_or(Err(Failure::Stopped)),
            Err(mpsc::error::TrySendError::Full(_)) => Err(Failure::Overloaded),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(Failure::Stopped),
        }
    }
}

async fn serve(
    store: Arc<dyn Store>,
    memory: Arc<Memory>,
    mut waiting: mpsc::Receiver<Need>,
    stop: CancellationToken,
) {
    let mut needs = Vec::new();
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            count = waiting.recv_many(&mut needs, NEEDS_PER_READ_MAX) => if count == 0 { return },
        }
        let answer = read_once(&*store, &memory, &needs).await.map(Arc::new);
        let answer = answer.map_err(|error| failure_of(&error));
        for need in needs.drain(..) {
            let _gone = need.reply.send(answer.clone());
        }
    }
}

async fn read_once(store: &dyn Store, memory: &Memory, needs: &[Need]) -> Result<Seen, StoreError> {
    let mut products: Vec<ProductId> = needs.iter().flat_map(|need| need.products.iter().copied()).collect();
    products.sort_unstable();
    products.dedup();
    let mut orders: Vec<OrderId> = needs.iter().filter_map(|need| need.order).collect();
    orders.sort_unstable();
    orders.dedup();

    let epoch = memory.counters.epoch();
    let started = Instant::now();
    let read = store.read(&products, &orders).await?;
    for product in &read.products {
        memory.counters.observe(product.id, Memory::base_of(product, epoch));
    }
    Ok(Seen {
        started,
        products: read.products.into_iter().map(|product| (product.id, product)).collect(),
        orders: read.known_orders.into_iter().collect(),
    })
}

/// A read that failed changed nothing.
pub(super) fn failure_of(error: &StoreError) -> Failure {
    Failure::Unavailable { reason: error.message.clone() }
}
