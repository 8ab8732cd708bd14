//! An engine in this process.

use std::io::Read;

use async_trait::async_trait;
use inventory_core::engine::{Engine, ReserveRequest};
use inventory_core::error::{CommitError, Failure, ReleaseError, ReserveError};
use inventory_core::ids::{OrderId, ProductId};
use inventory_core::journal::ProductVersion;

use super::retry::until_answered;
use super::{
    Admission, AuditReport, CHECKPOINT, Change, Ending, ImportReport, Ledger, ProductNow, Unanswered, import,
};
use crate::cli::Format;
use crate::data_dir::DataDir;
use crate::verbs::audit;

/// An engine, and the folder it lives in, which stays ours as long as this value lives.
pub struct Embedded {
    engine: Engine,
    place: String,
    _folder: Option<DataDir>,
}

impl Embedded {
    /// Around an open engine. `place` says where it keeps its data, without secrets.
    pub fn new(engine: Engine, place: String, folder: Option<DataDir>) -> Self {
        Self { engine, place, _folder: folder }
    }
}

#[async_trait]
impl Ledger for Embedded {
    fn place(&self) -> &str {
        &self.place
    }

    fn is_embedded(&self) -> bool {
        true
    }

    async fn reserve(&self, request: &ReserveRequest) -> Result<Admission, Unanswered> {
        let (admission, tries) = until_answered(|| async {
            match self.engine.reserve(request.clone()).await {
                Ok(reserved) if reserved.replayed => Ok(Admission::Replayed),
                Ok(_) => Ok(Admission::Admitted),
                Err(why) => refusal_code(why).map(|code| Admission::Refused(code.to_owned())),
            }
        })
        .await?;
        Ok(admission.after(tries))
    }

    async fn commit(&self, order: OrderId) -> Result<Ending, Unanswered> {
        let call = || async {
            match self.engine.commit(order, None, None).await {
                Ok(_) => Ok(Ending::Done),
                Err(why) => commit_code(why).map(|code| Ending::Refused(code.to_owned())),
            }
        };
        Ok(until_answered(call).await?.0)
    }

    async fn release(&self, order: OrderId) -> Result<Ending, Unanswered> {
        let call = || async {
            match self.engine.release(order, None, None, None).await {
                Ok(_) => Ok(Ending::Done),
                Err(why) => release_code(why).map(|code| Ending::Refused(code.to_owned())),
            }
        };
        Ok(until_answered(call).await?.0)
    }

    async fn import(
        &self,
        rows: Box<dyn Read + Send>,
        format: Format,
        stored: &(dyn Fn(u64) + Sync),
    ) -> anyhow::Result<ImportReport> {
        import::into_engine(&self.engine, rows, format, stored).await
    }

    async fn product(&self, product: ProductId) -> Result<Option<ProductNow>, Unanswered> {
        let call = || async { self.engine.products(&[product]).await.map_err(Unanswered::from) };
        let (found, _) = until_answered(call).await?;
        Ok(found.into_iter().next().map(|product| ProductNow {
            name: product.name.as_ref().map(|name| name.as_str().to_owned()),
            on_hand: product.on_hand.get(),
            held: product.held.get(),
            version: product.version,
        }))
    }

    async fn changes(
        &self,
        product: ProductId,
        from_version: u64,
        limit: usize,
    ) -> Result<Vec<Change>, Unanswered> {
        let call =
            || async { self.engine.history(product, from_version, limit).await.map_err(Unanswered::from) };
        let (versions, _) = until_answered(call).await?;
        Ok(versions.into_iter().flat_map(changes_of).collect())
    }

    async fn audit(&self) -> anyhow::Result<AuditReport> {
        audit::of_engine(&self.engine).await
    }

    async fn close(&self) {
        self.engine.shutdown().await;
    }
}

impl From<Failure> for Unanswered {
    fn from(failure: Failure) -> Self {
        Self { is_transient: failure.is_transient(), message: failure.to_string(), source: None }
    }
}

impl Admission {
    /// What a repeated call finds is its own earlier try, whose answer was lost.
    pub(super) fn after(self, tries: u32) -> Self {
        if tries > 1 && self == Self::Replayed { Self::Admitted } else { self }
    }
}

/// The code that the HTTP contract gives a refusal, so that both ways in tell the same.
fn refusal_code(why: ReserveError) -> Result<&'static str, Unanswered> {
    match why {
        ReserveError::Conflict { .. } => Ok("order_conflict"),
        ReserveError::AlreadyReleased(_) => Ok("already_released"),
        ReserveError::Expired(_) => Ok("reservation_expired"),
        ReserveError::ProductNotFound(_) => Ok("product_not_found"),
        ReserveError::CustomerRequired { .. } => Ok(super::wire::CUSTOMER_REQUIRED),
        ReserveError::CustomerLimit { .. } => Ok("customer_limit"),
        ReserveError::InsufficientStock(_) => Ok("insufficient_stock"),
        ReserveError::Failed(failure) => Err(failure.into()),
    }
}

fn commit_code(why: CommitError) -> Result<&'static str, Unanswered> {
    match why {
        CommitError::NotFound(_) => Ok("reservation_not_found"),
        CommitError::Conflict { .. } => Ok("order_conflict"),
        CommitError::MoreThanHeld { .. } => Ok("invalid_request"),
        CommitError::AlreadyReleased(_) => Ok("already_released"),
        CommitError::Expired(_) => Ok("reservation_expired"),
        CommitError::Failed(failure) => Err(failure.into()),
    }
}

fn release_code(why: ReleaseError) -> Result<&'static str, Unanswered> {
    match why {
        ReleaseError::NotFound(_) => Ok("reservation_not_found"),
        ReleaseError::MoreThanHeld { .. } => Ok("invalid_request"),
        ReleaseError::AlreadyCommitted(_) => Ok("already_committed"),
        ReleaseError::AlreadyReleased(_) => Ok("already_released"),
        ReleaseError::Expired(_) => Ok("reservation_expired"),
        ReleaseError::Failed(failure) => Err(failure.into()),
    }
}

/// A version's changes, each with what was there after it: the journal keeps only what was there after the batch, and the steps
/// before follow by undoing each change. A checkpoint's one line says only how things stood.
fn changes_of(version: ProductVersion) -> Vec<Change> {
    let mut state = Change {
        version: version.after.version,
        at: version.at.to_string(),
        kind: CHECKPOINT.to_owned(),
        order_id: None,
        quantity: 0,
        reason: None,
        on_hand: version.after.on_hand.get(),
        held: version.after.held.get(),
    };
    if version.changes.is_empty() {
        return vec![state];
    }
    let mut told = Vec::with_capacity(version.changes.len());
    for change in version.changes.into_iter().rev() {
        told.push(Change {
            kind: change.kind.name().to_owned(),
            order_id: change.order.map(|order| order.to_string()),
            quantity: change.units.get(),
            reason: change.reason.map(|reason| reason.as_str().to_owned()),
            ..state.clone()
        });
        let (on_hand, held) = change.kind.effect(change.units);
        state.on_hand -= on_hand.get();
        state.held -= held.get();
    }
    told.reverse();
    told
}

#[cfg(test)]
mod tests {
    use inventory_core::clock::Timestamp;
    use inventory_core::ids::BatchId;
    use inventory_core::journal::{ChangeKind, JournalProduct, ProductChange};
    use inventory_core::quantity::Units;
    use uuid::Uuid;

    use super::*;

    fn version(changes: Vec<ProductChange>) -> ProductVersion {
        let after = JournalProduct {
            product: ProductId::new(1),
            version: 4,
            on_hand: Units::stored(10),
            held: Units::stored(3),
            previous: None,
        };
        ProductVersion { batch: BatchId::new(Uuid::nil()), at: Timestamp::EPOCH, after, changes }
    }

    #[test]
    fn a_version_without_changes_is_a_checkpoint() {
        let told = changes_of(version(Vec::new()));
        assert_eq!((told.len(), told[0].kind.as_str(), told[0].on_hand), (1, CHECKPOINT, 10));
    }

    #[test]
    fn every_change_of_a_batch_is_told_with_what_was_there_after_it() {
        let change =
            |kind, units| ProductChange { kind, order: None, units: Units::stored(units), reason: None };
        let told = changes_of(version(vec![change(ChangeKind::Reserve, 2), change(ChangeKind::Release, 1)]));
        let short: Vec<_> = told.iter().map(|c| (c.kind.as_str(), c.quantity, c.version, c.held)).collect();
        assert_eq!(short, [("reserve", 2, 4, 4), ("release", 1, 4, 3)]);
    }

    #[test]
    fn a_replay_found_by_a_second_try_is_our_own_admission() {
        assert_eq!(Admission::Replayed.after(2), Admission::Admitted);
        assert_eq!(Admission::Replayed.after(1), Admission::Replayed);
    }
}
