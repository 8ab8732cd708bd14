//! `holdfast explain PRODUCT [--at VERSION]`.

use std::io::{self, Write};

use console::style;
use inventory_core::ids::ProductId;

use crate::Verdict;
use crate::cli::ExplainArgs;
use crate::config::Settings;
use crate::ledger::{self, CHECKPOINT, Change, Ledger, ProductNow, Reach};

/// Versions read at a time; a long history is printed as it comes.
const PAGE_VERSIONS: usize = 500;

/// Tells a product's history.
pub async fn run(settings: &Settings, args: &ExplainArgs) -> anyhow::Result<Verdict> {
    let ledger = ledger::open(settings, args.target.url.as_deref(), Reach::Existing).await?;
    let told = explain(ledger.as_ref(), args, &mut io::stdout()).await;
    ledger.close().await;
    told.map(|()| Verdict::Done)
}

async fn explain(
    ledger: &dyn Ledger,
    args: &ExplainArgs,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    let product = ProductId::new(args.product);
    let Some(now) = ledger.product(product).await? else {
        anyhow::bail!("{} has no product {product}: check the number, or import it first", ledger.place());
    };
    if let Some(at) = args.at
        && !(1..=now.version).contains(&at)
    {
        anyhow::bail!("product {product} has versions 1 to {}: give one of these with --at", now.version);
    }
    let until = args.at.unwrap_or(now.version);
    writeln!(out, "{}", title(product, &now))?;
    writeln!(out, "{}", style(columns()).dim())?;
    let mut from = 1;
    let mut last = None;
    while from <= until {
        let page = ledger.changes(product, from, PAGE_VERSIONS).await?;
        let Some(newest) = page.iter().map(|change| change.version).max() else { break };
        for change in page.into_iter().filter(|change| change.version <= until) {
            if last.is_none() && change.version > 1 {
                writeln!(
                    out,
                    "{}",
                    style(format!("versions 1 to {} were pruned", change.version - 1)).dim()
                )?;
            }
            writeln!(out, "{}", row(&change))?;
            last = Some(change);
        }
        from = newest + 1;
    }
    if let (Some(at), Some(last)) = (args.at, last) {
        writeln!(out, "{}", verdict_at(at, &last))?;
    }
    Ok(())
}

fn title(product: ProductId, now: &ProductNow) -> String {
    let name = now.name.as_deref().map(|name| format!(" · {name}")).unwrap_or_default();
    format!(
        "{}{name}\nnow at version {}: {} on hand, {} held, {} available\n",
        style(format!("Product {product}")).bold(),
        now.version,
        now.on_hand,
        now.held,
        now.on_hand - now.held
    )
}

fn columns() -> String {
    format!("{:>8}  {:<27}  {:>9} {:>9} {:>9}  what", "version", "at", "on hand", "held", "available")
}

fn row(change: &Change) -> String {
    format!(
        "{:>8}  {:<27}  {:>9} {:>9} {:>9}  {}",
        change.version,
        change.at,
        change.on_hand,
        change.held,
        change.on_hand - change.held,
        sentence(change)
    )
}

/// A change in plain words.
fn sentence(change: &Change) -> String {
    let units = change.quantity;
    let order = change.order_id.as_deref().map(|order| format!(" order {order}")).unwrap_or_default();
    let what = match change.kind.as_str() {
        "reserve" => format!("{units} held for{order}"),
        "commit" => format!("{units} sold to{order}"),
        "commit_late" => format!("{units} sold to{order}, after its hold had expired"),
        "release" => format!("{units} given back by{order}"),
        "release_part" => format!("{units} of its hold given back by{order}"),
        "expire" => format!("{units} given back: the hold of{order} ran out"),
        "adjust" => format!("stock changed by {units:+}"),
        "set" if units == 0 => "settings changed".to_owned(),
        "set" => format!("stock set, {units:+}"),
        "import" if units == 0 => "settings changed by import".to_owned(),
        "import" => format!("stock imported, {units:+}"),
        CHECKPOINT => "as it stood; what happened was pruned".to_owned(),
        other => format!("{other} {units}{order}"),
    };
    match &change.reason {
        Some(reason) => format!("{what} ({reason})"),
        None => what,
    }
}

fn verdict_at(at: u64, last: &Change) -> String {
    let (on_hand, held) = (last.on_hand, last.held);
    format!("\nat version {at}: {on_hand} on hand, {held} held, {} available", on_hand - held)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(kind: &str, quantity: i64) -> Change {
        Change {
            version: 3,
            at: "2026-01-02T03:04:05.000006Z".to_owned(),
            kind: kind.to_owned(),
            order_id: Some("o-1".to_owned()),
            quantity,
            reason: None,
            on_hand: 10,
            held: 4,
        }
    }

    #[test]
    fn every_kind_of_change_has_its_words() {
        use inventory_core::journal::ChangeKind;
        let bare = |kind: &str| format!("{kind} 2 order o-1");
        for kind in ChangeKind::ALL {
            let told = sentence(&change(kind.name(), 2));
            let moves_nothing = kind.effect(inventory_core::quantity::Units::stored(1))
                == (inventory_core::quantity::Units::ZERO, inventory_core::quantity::Units::ZERO);
            assert_eq!(told == bare(kind.name()), moves_nothing, "{told}");
        }
    }

    #[test]
    fn signs_and_reasons_are_told() {
        assert_eq!(sentence(&change("adjust", -3)), "stock changed by -3");
        let reasoned = Change { reason: Some("broken".to_owned()), ..change("adjust", 3) };
        assert_eq!(sentence(&reasoned), "stock changed by +3 (broken)");
        assert_eq!(sentence(&change("set", 0)), "settings changed");
    }

    #[test]
    fn a_row_stands_under_its_columns() {
        let row = row(&change("reserve", 2));
        let columns = columns();
        assert_eq!(columns.find("what"), row.find("2 held for order o-1"), "{columns}\n{row}");
    }

    #[test]
    fn a_past_version_ends_with_how_things_stood() {
        assert_eq!(verdict_at(3, &change("reserve", 2)), "\nat version 3: 10 on hand, 4 held, 6 available");
    }
}
