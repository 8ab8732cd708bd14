//! The answer of a call, and its failure, under the lease of whoever made it.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::actions::Postponed;
use super::advance::advance;
use super::apply::{Applied, ApplyError, Cause};
use super::batch::{Change, Facts, Need, Writes};
use super::claim::Claim;
use super::{Order, Store, StoreOptions};
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

/// The claim's order under its lock, if the claim still holds its lease.
fn held<'f>(facts: &'f Facts, claim: &Claim) -> Result<Option<(&'f Order, DateTime<Utc>)>, ApplyError> {
    let locked = facts.order(claim.order)?;
    Ok(facts.holds_lease(claim.order, claim.action, claim.token).then_some(locked))
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
        let Some(locked) = held(facts, &self.claim)? else { return Ok(Settled::LeaseLost) };
        let applied = advance(locked, &self.input, &self.cause, options, writes)?;
        if applied.order.saga.outstanding.contains(&self.claim.action) {
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
        let Some(locked) = held(facts, &self.claim)? else { return Ok(Settled::LeaseLost) };
        writes.postponed.push(Postponed::new(&self.claim, &self.retry));
        if !self.retry.tell {
            return Ok(Settled::Applied(Box::new(Applied::unchanged(locked.0.clone()))));
        }
        let Claim { action, attempts, .. } = self.claim;
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
