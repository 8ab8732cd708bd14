//! Giving letters up for good.

use super::redrive::complete;
use super::{DeadLetters, Selection, Settlement};
use crate::events::TransportError;

impl DeadLetters {
    /// Settles letters without sending them back. Later events of a key go on when none of its letters is left.
    pub async fn discard(&self, selection: &Selection) -> Result<Settlement, TransportError> {
        let letters = self.letters().await?;
        let mut chosen = letters.pending(selection.key.as_deref());
        chosen.truncate(selection.max.unwrap_or(usize::MAX));
        if selection.dry_run {
            let unparking = complete(&letters, &chosen);
            return Ok(Settlement { settled: chosen, unparking, ..Settlement::default() });
        }
        self.settle(&letters, chosen, |_| None).await
    }
}
