//! Products, merged with what is held of them, their versions, and what customers have of them.

use super::chain::Chain;
use super::customers::Customers;
use super::report::{AuditReport, Check, Subject};
use super::rows::Rows;
use crate::ids::ProductId;
use crate::journal::ChangeKind;
use crate::product::Alert;
use crate::quantity::Units;
use crate::store::StoreError;
use crate::store::audit_rows::{EffectRow, HeldRow, ProductRow, Snapshot, VersionRow, Watermarks};

/// Effects of one version kept for judging it; there are as many as kinds, unless the journal is corrupt.
const EFFECTS_MAX: usize = 64;

struct Streams {
    products: Rows<ProductRow>,
    held: Rows<HeldRow>,
    versions: Rows<VersionRow>,
    effects: Rows<EffectRow>,
    customers: Customers,
}

/// Checks every product of the open piece.
pub(super) async fn check(
    snapshot: &mut dyn Snapshot,
    marks: &Watermarks,
    report: &mut AuditReport,
) -> Result<(), StoreError> {
    let mut streams = Streams {
        products: Rows::new(|s| s.products()),
        held: Rows::new(|s| s.held()),
        versions: Rows::new(|s| s.versions()),
        effects: Rows::new(|s| s.effects()),
        customers: Customers::new(),
    };
    while let Some(product) = streams.first_key(snapshot).await? {
        let row = streams.products.next_if(snapshot, |row| row.product == product).await?;
        let held = streams.held.next_if(snapshot, |row| row.product == product).await?;
        let chain = streams.fold_versions(snapshot, product, marks, report).await?;
        let held = held.map_or(0, |row| row.units);
        match &row {
            Some(row) => {
                report.checked.products += 1;
                check_stock(row, held, report);
                check_settings(row, &chain, report);
                check_head(row, &chain, report);
            }
            None => report_missing(product, held, &chain, report),
        }
        streams.customers.check(snapshot, product, row.as_ref(), marks, report).await?;
    }
    Ok(())
}

impl Streams {
    async fn first_key(&mut self, snapshot: &mut dyn Snapshot) -> Result<Option<ProductId>, StoreError> {
        let keys = [
            self.products.peek(snapshot).await?.map(|row| row.product),
            self.held.peek(snapshot).await?.map(|row| row.product),
            self.versions.peek(snapshot).await?.map(|row| row.product),
            self.effects.peek(snapshot).await?.map(|row| row.product),
            self.customers.first_key(snapshot).await?,
        ];
        Ok(keys.into_iter().flatten().min())
    }

    async fn fold_versions(
        &mut self,
        snapshot: &mut dyn Snapshot,
        product: ProductId,
        marks: &Watermarks,
        report: &mut AuditReport,
    ) -> Result<Chain, StoreError> {
        let mut chain = Chain::new(product, marks.journal);
        loop {
            let version = self.versions.next_if(snapshot, |row| row.product == product).await?;
            let upto = version.as_ref().map(|row| row.version);
            let effects = self.effects_upto(snapshot, product, upto, report).await?;
            let Some(version) = version else { return Ok(chain) };
            report.checked.versions += 1;
            chain.push(version, &effects, report);
        }
    }

    /// The effects of this version. Those that belong to no version are reported and left out.
    async fn effects_upto(
        &mut self,
        snapshot: &mut dyn Snapshot,
        product: ProductId,
        version: Option<i64>,
        report: &mut AuditReport,
    ) -> Result<Vec<EffectRow>, StoreError> {
        let mut effects = Vec::new();
        let is_wanted = |row: &EffectRow| {
            row.product == product && (version.is_none() || row.version.is_none() || row.version <= version)
        };
        while let Some(effect) = self.effects.next_if(snapshot, is_wanted).await? {
            check_effect_shape(&effect, report);
            if version.is_some() && effect.version == version && effects.len() < EFFECTS_MAX {
                effects.push(effect);
            } else if effect.version.is_none() {
                let detail = format!("batch {} moves it but does not list it", effect.batch);
                report.add(Check::JournalShape, Subject::Product(product), detail);
            }
        }
        Ok(effects)
    }
}

fn check_effect_shape(effect: &EffectRow, report: &mut AuditReport) {
    let detail = match effect.kind {
        None => format!("batch {} has a line that belongs to no command", effect.batch),
        Some(code) if ChangeKind::from_code(code).is_none() => {
            format!("batch {} has a command of the unknown kind {code}", effect.batch)
        }
        Some(_) => return,
    };
    report.add(Check::JournalShape, Subject::Product(effect.product), detail);
}

fn check_stock(row: &ProductRow, held_by_lines: i64, report: &mut AuditReport) {
    let subject = Subject::Product(row.product);
    if row.held < 0 || row.held > row.on_hand {
        let detail = format!("{} held of {} on hand", row.held, row.on_hand);
        report.add(Check::StockBounds, subject.clone(), detail);
    }
    if row.held != held_by_lines {
        let detail = format!("{} held, but HELD reservations hold {held_by_lines}", row.held);
        report.add(Check::HeldSum, subject, detail);
    }
}

fn check_head(row: &ProductRow, chain: &Chain, report: &mut AuditReport) {
    let subject = Subject::Product(row.product);
    let Some(head) = &chain.head else {
        let detail = format!("version {}, but the journal does not know the product", row.version);
        report.add(Check::ProductHead, subject, detail);
        return;
    };
    if (row.version, row.on_hand, row.held, row.last_batch)
        != (head.version, head.on_hand, head.held, head.batch)
    {
        let detail = format!(
            "version {} with {} on hand, {} held, last batch {}; the journal ends at version {} with {} on hand, {} \
             held, batch {}",
            row.version,
            row.on_hand,
            row.held,
            row.last_batch,
            head.version,
            head.on_hand,
            head.held,
            head.batch
        );
        report.add(Check::ProductHead, subject, detail);
    }
}

fn check_settings(row: &ProductRow, chain: &Chain, report: &mut AuditReport) {
    let mut add = |detail: String| report.add(Check::ProductSettings, Subject::Product(row.product), detail);
    let admin = chain.admin_commands;
    let admin_fits =
        if chain.is_complete { row.admin_version == admin } else { row.admin_version >= admin.max(1) };
    if !admin_fits {
        add(format!(
            "admin version {}, but the journal has {admin} administrative changes",
            row.admin_version
        ));
    }
    if row.per_customer_limit.is_some() != row.limited_since.is_some() {
        add(format!(
            "limit {:?} per customer, in force since {:?}: both or neither must be set",
            row.per_customer_limit,
            row.limited_since.map(|at| at.to_string())
        ));
    }
    let available = Units::stored(row.on_hand.saturating_sub(row.held));
    let threshold = row.low_stock_threshold.map(Units::stored);
    let alert = Alert::from_code(row.alert_state);
    // A level that stands is one that would not change; which of two depends on where the product came from.
    if i64::from(alert.code()) != row.alert_state || alert.next(available, threshold) != alert {
        add(format!(
            "alert state {} with {available} available and threshold {:?}",
            row.alert_state, row.low_stock_threshold
        ));
    }
}

fn report_missing(product: ProductId, held: i64, chain: &Chain, report: &mut AuditReport) {
    let subject = Subject::Product(product);
    if held != 0 {
        report.add(
            Check::HeldSum,
            subject.clone(),
            format!("no such product, but HELD reservations hold {held}"),
        );
    }
    if let Some(head) = &chain.head {
        let detail = format!("no such product, but the journal knows it up to version {}", head.version);
        report.add(Check::ProductHead, subject, detail);
    }
}
