//! Admission: may this order have its lines? Answered from memory wherever memory is entitled to an answer.
//!
//! A yes is a take on the counters. A no is final only if all of this holds: the order id is new (the retry of the order
//! that took the last unit must be a replay), `base` itself is too small (a take in flight may yet fail), no rule that comes before
//! "insufficient stock" could apply, and — over a shared store — the read behind it started at most Δ ago. Everything else goes
//! to the writer, where the rules decide under lock.

use std::time::Duration;

use tokio::time::Instant;

use super::{Engine, ReserveRequest};
use crate::counters::{ShortLine, Take, Taken};
use crate::error::{Failure, ReserveError, Shortage};
use crate::ids::ProductId;
use crate::store::Sharing;

/// The first wait for a settle that might go unheard; doubles up to [`CONTENTION_POLL_MAX`]. Settles ring a bell, but a cart that
/// gives back what it took in vain does not.
const CONTENTION_POLL: Duration = Duration::from_millis(5);
const CONTENTION_POLL_MAX: Duration = Duration::from_millis(100);

/// What the writer is to be asked.
#[derive(Debug)]
pub(super) enum Admission {
    /// Everything was taken.
    Taken(Taken),
    /// Nothing was taken; the rules decide under lock.
    AskRules,
}

impl Engine {
    pub(super) async fn admit(&self, request: &ReserveRequest) -> Result<Admission, ReserveError> {
        // Nearly always it ends here, and needs neither clock nor bell. The rest is boxed: a request in flight is a future, and need not be
        // as large as its rarest turn.
        if self.shared.memory.is_known(request.order) {
            return Ok(Admission::AskRules);
        }
        match self.shared.memory.counters.take(&request.lines) {
            Take::Taken(taken) => Ok(Admission::Taken(taken)),
            refused => Box::pin(self.admit_or_wait(request, refused)).await,
        }
    }

    /// Goes on from what the counters said first.
    async fn admit_or_wait(
        &self,
        request: &ReserveRequest,
        refused: Take,
    ) -> Result<Admission, ReserveError> {
        // Nobody listened yet when they said that others were at it: then they are asked again.
        let mut said = Some(refused).filter(|said| !matches!(said, Take::Contended));
        let give_up_at = Instant::now() + self.shared.options.contention_wait_max;
        let mut poll = CONTENTION_POLL;
        loop {
            if self.shared.memory.is_known(request.order) {
                return Ok(Admission::AskRules);
            }
            // Listening starts before the take: a settle in between is not missed.
            let settled = self.shared.memory.settled.notified();
            let take = said.take().unwrap_or_else(|| self.shared.memory.counters.take(&request.lines));
            let verdict = match take {
                Take::Taken(taken) => return Ok(Admission::Taken(taken)),
                Take::Unknown(products) => self.load(request, products).await?,
                Take::Short(short) => self.refuse_if_final(request, &short).await?,
                Take::Contended => {
                    self.shared.memory.stats.contended.add(1);
                    let until = (Instant::now() + poll).min(give_up_at);
                    poll = (poll * 2).min(CONTENTION_POLL_MAX);
                    let _rung_or_not = tokio::time::timeout_at(until, settled).await;
                    None
                }
            };
            if let Some(admission) = verdict {
                return Ok(admission);
            }
            if Instant::now() >= give_up_at {
                self.shared.memory.stats.overloaded.add(1);
                return Err(Failure::Overloaded.into());
            }
        }
    }

    /// Loads products on first use. Unknown ones are refused, unless the order is: then it is for the rules to say.
    async fn load(
        &self,
        request: &ReserveRequest,
        products: Vec<ProductId>,
    ) -> Result<Option<Admission>, ReserveError> {
        let seen = self.shared.reader.read(products.clone(), Some(request.order)).await?;
        if seen.knows(request.order) {
            return Ok(Some(Admission::AskRules));
        }
        let missing: Vec<_> = products.into_iter().filter(|id| seen.product(*id).is_none()).collect();
        if missing.is_empty() { Ok(None) } else { Err(ReserveError::ProductNotFound(missing)) }
    }

    /// Refuses if memory may. `Ok(None)`: try again, the counters know more now.
    async fn refuse_if_final(
        &self,
        request: &ReserveRequest,
        short: &[ShortLine],
    ) -> Result<Option<Admission>, ReserveError> {
        // Asked again, after the counters: the order's own batch may have been settled since the last look, and that may be
        // what made its retry short. Orders are remembered before they are settled.
        if self.shared.memory.is_known(request.order)
            || request.lines.iter().any(|line| self.shared.memory.counters.is_limited(line.product))
        {
            return Ok(Some(Admission::AskRules));
        }
        let shortages = match self.shared.sharing {
            Sharing::Exclusive => short
                .iter()
                .map(|line| Shortage {
                    product: line.product,
                    requested: line.requested,
                    available: line.available,
                    earliest_expiry_at: None,
                })
                .collect(),
            Sharing::Shared => match self.confirm(request).await? {
                Confirmed::Short(shortages) => shortages,
                Confirmed::Known => return Ok(Some(Admission::AskRules)),
                Confirmed::InStock => return Ok(self.still_refuses(short).then_some(Admission::AskRules)),
                Confirmed::TooOld => return Ok(None),
            },
        };
        self.shared.memory.stats.refused_in_memory.add(1);
        Err(ReserveError::InsufficientStock(shortages))
    }

    /// Whether the counters stand by a refusal that a fresh read has just contradicted. They were told by that same read, and took
    /// it for old: a failover has taken versions back, and this engine's writer, idle since, does not know yet. It learns by a command.
    fn still_refuses(&self, short: &[ShortLine]) -> bool {
        short.iter().any(|line| {
            let cell = self.shared.memory.counters.inspect(line.product);
            cell.is_some_and(|cell| cell.base.available < line.requested.units())
        })
    }

    /// Asks a shared store whether the order is new and its lines are short indeed, as of at most Δ ago.
    async fn confirm(&self, request: &ReserveRequest) -> Result<Confirmed, Failure> {
        let products = request.lines.iter().map(|line| line.product).collect();
        let seen = self.shared.reader.read(products, Some(request.order)).await?;
        if seen.knows(request.order) {
            return Ok(Confirmed::Known);
        }
        if seen.started.elapsed() > self.shared.options.refusal_age_max {
            return Ok(Confirmed::TooOld);
        }
        let shortages: Vec<_> = request
            .lines
            .iter()
            .filter_map(|line| {
                let available = seen.product(line.product)?.available();
                (available < line.quantity.units()).then_some(Shortage {
                    product: line.product,
                    requested: line.quantity,
                    available,
                    earliest_expiry_at: None,
                })
            })
            .collect();
        Ok(if shortages.is_empty() { Confirmed::InStock } else { Confirmed::Short(shortages) })
    }
}

/// What a fresh read says about a refusal.
enum Confirmed {
    /// The order is known: a replay, or another question for the rules.
    Known,
    /// There is stock after all.
    InStock,
    /// The read took too long to rest a refusal on.
    TooOld,
    Short(Vec<Shortage>),
}
