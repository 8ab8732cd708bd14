//! The answer of a call, and its failure, under the lease of whoever made it.

use std::time::Duration;

use super::actions::Postponed;
use super::advance::advance;
use super::apply::{Applied, ApplyError, Cause};
use super::batch::{Change, Facts, Need, Writes};
use super::claim::Claim;
use super::{Store, StoreOptions};
use crate::saga::Input;

/// When to try again, and what to tell the saga about it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Retry {
    /// From now, by the database's clock.
    pub after: Duration,
    /// What was last seen.
    pub error: String,
    /// Whether the saga should hear that it keeps failing.
    pub tell: bool,
}

/// What became of an answer.
#[derive(Clone, PartialEq, Debug)]
pub enum Settled {
    /// The saga heard it.
    Applied(Box<Applied>),
    /// The lease was lost meanwhile: nothing was written. Whoever holds it now gets the same answer.
    LeaseLost,
}

/// Gives the saga the answer of a call.
struct Settle {
    claim: Claim,
    input: Input,
    again: Retry,
    cause: Cause,
}

impl Change for Settle {
    type Answer = Settled;

    fn need(&self) -> Need {
        Need { order: Some(self.claim.order), leases: true, ..Need::default() }
    }

    fn decide(
        &self,
        facts: &Facts,
        options: &StoreOptions,
        writes: &mut Writes,
    ) -> Result<Settled, ApplyError> {
        let Claim { order, action, token, .. } = self.claim;
        let locked = facts.order(order)?;
        if !facts.holds_lease(order, action, token) {
            return Ok(Settled::LeaseLost);
        }
        let applied = advance(locked, &self.input, &self.cause, options, writes)?;
        if applied.order.saga.outstanding.contains(&action) {
            writes.postponed.push(Postponed::new(&self.claim, &self.again));
        }
        Ok(Settled::Applied(Box::new(applied)))
    }
}

/// Puts a call off that failed.
struct PutOff {
    claim: Claim,
    retry: Retry,
}

impl Change for PutOff {
    type Answer = Settled;

    fn need(&self) -> Need {
        Need { order: Some(self.claim.order), leases: true, ..Need::default() }
    }

    fn decide(
        &self,
        facts: &Facts,
        options: &StoreOptions,
        writes: &mut Writes,
    ) -> Result<Settled, ApplyError> {
        let Claim { order, action, attempts, token } = self.claim;
        let locked = facts.order(order)?;
        if !facts.holds_lease(order, action, token) {
            return Ok(Settled::LeaseLost);
        }
        writes.postponed.push(Postponed::new(&self.claim, &self.retry));
        if !self.retry.tell {
            return Ok(Settled::Applied(Box::new(Applied::unchanged(locked.0.clone()))));
        }
        let input = Input::ActionFailing { action, attempts, error: self.retry.error.clone() };
        let applied = advance(locked, &input, &Cause::default(), options, writes)?;
        Ok(Settled::Applied(Box::new(applied)))
    }
}

impl Store {
    /// Gives the saga the answer of a call. If it still wants the call made, that is tried again after `again`.
    pub async fn settle(
        &self,
        claim: &Claim,
        input: &Input,
        again: &Retry,
        cause: &Cause,
    ) -> Result<Settled, ApplyError> {
        let (claim, input, again, cause) = (*claim, input.clone(), again.clone(), cause.clone());
        self.change(Settle { claim, input, again, cause }).await
    }

    /// Puts a call off that failed, and lets the saga know if it is told to.
    pub async fn retry(&self, claim: &Claim, retry: &Retry) -> Result<Settled, ApplyError> {
        self.change(PutOff { claim: *claim, retry: retry.clone() }).await
    }
}
