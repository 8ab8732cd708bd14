//! Rows into an engine. Rows go in chunks that name no product twice, so that the order of rows is the order of effects.

use std::collections::HashSet;
use std::io::Read;

use anyhow::Context;
use futures::future::join_all;
use inventory_core::command::SetStock;
use inventory_core::engine::Engine;
use inventory_core::error::SetError;
use inventory_core::outcome::SetChange;
use tokio::sync::mpsc;

use super::retry::until_answered;
use super::{ImportReport, REJECTED_LISTED_MAX, Unanswered};
use crate::cli::Format;
use crate::rows::{self, RejectedRow, Row, UnreadableRows};

/// Rows on their way to the engine at a time.
const CHUNK_ROWS_MAX: usize = 1_000;
/// Chunks read ahead.
const CHUNKS_AHEAD_MAX: usize = 2;

type Chunk = Vec<(u64, Row)>;

/// Imports everything that can be imported; what cannot stands in the report.
pub(super) async fn into_engine(
    engine: &Engine,
    source: Box<dyn Read + Send>,
    format: Format,
    stored: &(dyn Fn(u64) + Sync),
) -> anyhow::Result<ImportReport> {
    let (send, mut receive) = mpsc::channel(CHUNKS_AHEAD_MAX);
    let reader = tokio::task::spawn_blocking(move || -> Result<(), UnreadableRows> {
        let mut chunk = Chunker::default();
        for row in rows::read(source, format)? {
            if let Some(full) = chunk.push(row?)
                && send.blocking_send(full).is_err()
            {
                return Ok(());
            }
        }
        // The receiver is gone only if the import has failed, and then says so itself.
        send.blocking_send(chunk.finish()).ok();
        Ok(())
    });
    let mut report = ImportReport::default();
    while let Some(chunk) = receive.recv().await {
        let answers = join_all(chunk.into_iter().map(|(number, row)| import_row(engine, number, row))).await;
        for answer in answers {
            tally(&mut report, answer?);
        }
        stored(report.rows);
    }
    reader.await.context("the reader of the file stopped")?.with_context(|| {
        format!(
            "only {} rows were stored; mend the file and import it again, a repeat changes nothing",
            report.rows
        )
    })?;
    Ok(report)
}

async fn import_row(
    engine: &Engine,
    number: u64,
    row: Row,
) -> Result<Result<SetChange, RejectedRow>, Unanswered> {
    let set = match row {
        Ok(set) => set,
        Err(rejected) => return Ok(Err(rejected)),
    };
    let product_id = Some(set.product.get());
    let reject = |code: &str, detail: String| {
        Ok(Err(RejectedRow { row: number, product_id, code: code.to_owned(), detail }))
    };
    let call = || async {
        match engine.import(SetStock::clone(&set)).await {
            Ok(done) => Ok(Ok(done.change)),
            Err(SetError::Failed(failure)) => Err(failure.into()),
            Err(refused @ (SetError::Stale { .. } | SetError::BelowHeld { .. })) => Ok(Err(refused)),
        }
    };
    match until_answered(call).await?.0 {
        Ok(change) => Ok(Ok(change)),
        Err(SetError::BelowHeld { held, .. }) => reject(
            "below_held",
            format!("onHand {} is less than the {held} held; release holds first", set.on_hand),
        ),
        Err(other) => reject("stale", other.to_string()),
    }
}

fn tally(report: &mut ImportReport, answer: Result<SetChange, RejectedRow>) {
    report.rows += 1;
    match answer {
        Ok(SetChange::Created) => report.created += 1,
        Ok(SetChange::Updated) => report.updated += 1,
        Ok(SetChange::Unchanged) => report.unchanged += 1,
        Err(rejected) if report.rejected.len() < REJECTED_LISTED_MAX => report.rejected.push(rejected),
        Err(_) => report.rejected_more += 1,
    }
}

/// Collects rows until there are enough, or until a product comes a second time.
#[derive(Default)]
struct Chunker {
    rows: Chunk,
    products: HashSet<i64>,
}

impl Chunker {
    /// Takes a row in, and gives what must go before it.
    fn push(&mut self, (number, row): (u64, Row)) -> Option<Chunk> {
        let product = row.as_ref().ok().map(|set| set.product.get());
        let repeats = product.is_some_and(|product| self.products.contains(&product));
        let full = (repeats || self.rows.len() >= CHUNK_ROWS_MAX).then(|| {
            self.products.clear();
            std::mem::take(&mut self.rows)
        });
        self.products.extend(product);
        self.rows.push((number, row));
        full
    }

    fn finish(self) -> Chunk {
        self.rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunks(text: String) -> Vec<Vec<u64>> {
        let mut chunker = Chunker::default();
        let rows = rows::read(Box::new(std::io::Cursor::new(text)), Format::Csv).unwrap();
        let mut all: Vec<Chunk> = rows.filter_map(|row| chunker.push(row.unwrap())).collect();
        all.push(chunker.finish());
        all.iter().map(|chunk| chunk.iter().map(|(number, _)| *number).collect()).collect()
    }

    #[test]
    fn a_chunk_ends_before_a_product_comes_twice() {
        let text = "productId,onHand\n1,1\n2,1\nbad,1\n1,2\n2,2\n2,3\n".to_owned();
        assert_eq!(chunks(text), [vec![1, 2, 3], vec![4, 5], vec![6]]);
    }

    #[test]
    fn rejected_rows_are_listed_up_to_a_bound_and_counted_beyond() {
        let mut report = ImportReport::default();
        for row in 1..=1_005 {
            let bad = RejectedRow { row, product_id: None, code: String::new(), detail: String::new() };
            tally(&mut report, Err(bad));
        }
        assert_eq!((report.rows, report.rejected.len(), report.rejected_more), (1_005, 1_000, 5));
        assert_eq!(report.rejected_total(), 1_005);
    }

    #[test]
    fn a_chunk_ends_when_it_is_full() {
        let rows: String = (0..2_500).map(|product| format!("{product},1\n")).collect();
        let lengths: Vec<usize> = chunks(format!("productId,onHand\n{rows}")).iter().map(Vec::len).collect();
        assert_eq!(lengths, [1_000, 1_000, 500]);
    }
}
