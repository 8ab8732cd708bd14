//! A store's whole journal, put together from the rows that the audit reads. It is held in memory: a few hundred bytes a command.
//!
//! Batches are read first and everything else of them after: what is committed meanwhile is left out as a whole.

use std::collections::BTreeMap;

use anyhow::Context;
use indicatif::ProgressBar;
use inventory_core::clock::Timestamp;
use inventory_core::ids::{AdjustmentId, BatchId, CustomerId, Note, ProductId};
use inventory_core::journal::{
    ChangeKind, JournalCommand, JournalEntry, JournalLine, JournalProduct, Remark,
};
use inventory_core::quantity::Units;
use inventory_core::store::Store;
use inventory_core::store::audit_rows::{
    AdjustRow, CommandLineRow, EffectRow, Piece, Snapshot, VersionRow, Watermarks,
};

/// A journal and how far it was pruned.
pub struct WholeJournal {
    /// Every batch, by its id.
    pub entries: Vec<JournalEntry>,
    /// Entries before this may be gone, or cut down to checkpoints.
    pub pruned_before: Option<Timestamp>,
}

/// Reads all of it; `bar` tells how many batches there are. Rows that make no sense are an error: they are for the audit to name.
pub async fn read(store: &dyn Store, bar: &ProgressBar) -> anyhow::Result<WholeJournal> {
    let mut snapshot = store.snapshot().await.context("the ledger could not be read")?;
    let read = read_from(snapshot.as_mut(), bar).await;
    let closed = snapshot.close().await.context("the ledger could not be read to its end");
    let journal =
        read.context("the journal could not be read; `holdfast audit` names what is wrong with it")?;
    closed?;
    Ok(journal)
}

async fn read_from(snapshot: &mut dyn Snapshot, bar: &ProgressBar) -> anyhow::Result<WholeJournal> {
    let pieces = snapshot.pieces().await?;
    let mut journal = Parts::default();
    for piece in pieces.iter().filter(|piece| matches!(piece, Piece::Batches { .. })) {
        journal.marks = snapshot.open(piece).await?;
        loop {
            let page = snapshot.batches().await?;
            if page.is_empty() {
                break;
            }
            for row in page {
                let at = row.at.with_context(|| format!("batch {} has parts, but no entry", row.batch))?;
                journal.batches.insert(row.batch, Part { at, ..Part::default() });
            }
            bar.set_message(format!("{} batches", journal.batches.len()));
        }
    }
    for piece in &pieces {
        match piece {
            Piece::Products { .. } => read_products(snapshot, piece, &mut journal).await?,
            Piece::Orders { .. } => read_orders(snapshot, piece, &mut journal).await?,
            Piece::Adjustments { .. } => read_adjustments(snapshot, piece, &mut journal).await?,
            Piece::Batches { .. } | Piece::Deliveries { .. } => {}
        }
    }
    let pruned_before = journal.marks.journal;
    let entries = journal.batches.into_iter().map(|(batch, part)| part.into_entry(batch)).collect();
    Ok(WholeJournal { entries, pruned_before })
}

async fn read_products(
    snapshot: &mut dyn Snapshot,
    piece: &Piece,
    journal: &mut Parts,
) -> anyhow::Result<()> {
    journal.pruned_to(snapshot.open(piece).await?);
    loop {
        let page = snapshot.versions().await?;
        if page.is_empty() {
            break;
        }
        for row in page {
            journal.add_version(&row)?;
        }
    }
    loop {
        let page = snapshot.effects().await?;
        if page.is_empty() {
            return Ok(());
        }
        for row in page {
            journal.add_setting(&row)?;
        }
    }
}

async fn read_orders(snapshot: &mut dyn Snapshot, piece: &Piece, journal: &mut Parts) -> anyhow::Result<()> {
    journal.pruned_to(snapshot.open(piece).await?);
    loop {
        let page = snapshot.command_lines().await?;
        if page.is_empty() {
            return Ok(());
        }
        for row in page {
            journal.add_command_line(row)?;
        }
    }
}

async fn read_adjustments(
    snapshot: &mut dyn Snapshot,
    piece: &Piece,
    journal: &mut Parts,
) -> anyhow::Result<()> {
    journal.pruned_to(snapshot.open(piece).await?);
    loop {
        let page = snapshot.adjusts().await?;
        if page.is_empty() {
            return Ok(());
        }
        for row in page {
            journal.add_adjust(row)?;
        }
    }
}

/// What has been read so far.
#[derive(Default)]
struct Parts {
    batches: BTreeMap<BatchId, Part>,
    marks: Watermarks,
}

/// One entry.
struct Part {
    at: Timestamp,
    /// By place in the batch.
    commands: BTreeMap<i64, JournalCommand>,
    /// Administration, whose places the audit does not read.
    administration: Vec<JournalCommand>,
    products: Vec<JournalProduct>,
}

impl Default for Part {
    fn default() -> Self {
        Self {
            at: Timestamp::EPOCH,
            commands: BTreeMap::new(),
            administration: Vec::new(),
            products: Vec::new(),
        }
    }
}

impl Parts {
    /// Pruning may have gone on meanwhile.
    fn pruned_to(&mut self, marks: Watermarks) {
        self.marks.journal = self.marks.journal.max(marks.journal);
    }

    fn add_version(&mut self, row: &VersionRow) -> anyhow::Result<()> {
        let version = u64::try_from(row.version)
            .with_context(|| format!("product {} has a version {}", row.product, row.version))?;
        if let Some(part) = self.batches.get_mut(&row.batch) {
            part.products.push(JournalProduct {
                product: row.product,
                version,
                on_hand: Units::stored(row.on_hand),
                held: Units::stored(row.held),
                previous: row.previous,
            });
        }
        Ok(())
    }

    /// Sets and imports are not read one by one: their sum stands for them.
    fn add_setting(&mut self, row: &EffectRow) -> anyhow::Result<()> {
        let kind = row.kind.map(kind_of).transpose()?.context("a line of a batch belongs to no command")?;
        if matches!(kind, ChangeKind::Set | ChangeKind::Import)
            && let Some(part) = self.batches.get_mut(&row.batch)
        {
            part.administration.push(command(kind, line(row.product, row.units)));
        }
        Ok(())
    }

    fn add_command_line(&mut self, row: CommandLineRow) -> anyhow::Result<()> {
        let kind = kind_of(row.kind)?;
        let Some(part) = self.batches.get_mut(&row.batch) else { return Ok(()) };
        let known = part.commands.entry(row.position).or_insert_with(|| JournalCommand {
            kind,
            order: Some(row.order),
            lines: Default::default(),
            remark: None,
        });
        known.lines.extend(row.line.map(|(product, units)| line(product, units)));
        if let (None, Some(customer)) = (&known.remark, &row.customer) {
            let customer = Some(CustomerId::parse(customer)?);
            known.remark = Some(Box::new(Remark { customer, ..Remark::default() }));
        }
        Ok(())
    }

    fn add_adjust(&mut self, row: AdjustRow) -> anyhow::Result<()> {
        let kind = kind_of(row.kind)?;
        let (Some(part), ChangeKind::Adjust, Some((product, units, _))) =
            (self.batches.get_mut(&row.batch), kind, row.line)
        else {
            return Ok(());
        };
        let note = |text: Option<String>| text.as_deref().map(Note::parse).transpose();
        let remark = Remark {
            adjustment: Some(AdjustmentId::parse(&row.id)?),
            reason: note(row.reason)?,
            reference: note(row.reference)?,
            ..Remark::default()
        };
        let remark = Some(Box::new(remark));
        part.administration.push(JournalCommand { remark, ..command(kind, line(product, units)) });
        Ok(())
    }
}

impl Part {
    /// Administration that takes stock away is put first and that which brings some last: so what there was in between is not
    /// thought to be more than it can have been.
    fn into_entry(self, batch: BatchId) -> JournalEntry {
        let brings = |command: &JournalCommand| command.lines.iter().any(|line| line.units > Units::ZERO);
        let (last, mut commands): (Vec<_>, Vec<_>) = self.administration.into_iter().partition(brings);
        commands.extend(self.commands.into_values());
        commands.extend(last);
        JournalEntry { batch, at: self.at, commands, products: self.products }
    }
}

fn kind_of(code: i64) -> anyhow::Result<ChangeKind> {
    ChangeKind::from_code(code).with_context(|| format!("a command is of the unknown kind {code}"))
}

fn line(product: ProductId, units: i64) -> JournalLine {
    JournalLine { product, units: Units::stored(units) }
}

fn command(kind: ChangeKind, line: JournalLine) -> JournalCommand {
    JournalCommand { kind, order: None, lines: std::iter::once(line).collect(), remark: None }
}
