//! Change a product's stock by a keyed delta.

use smallvec::smallvec;

use super::stock::not_locked;
use super::working::Working;
use crate::command::Adjust;
use crate::error::AdjustError;
use crate::ids::Note;
use crate::journal::{ChangeKind, JournalLine, Remark};
use crate::limits::UNITS_MAX;
use crate::outcome::Adjusted;
use crate::store::Adjustment;

/// A repeat changes nothing and answers with the product as it is now. A delta of zero is a note for the audit:
/// it changes no stock and is journalled like any other.
pub(super) fn adjust(working: &mut Working<'_>, command: &Adjust) -> Result<Adjusted, AdjustError> {
    let earlier = working.adjustment(&command.adjustment);
    let replayed = earlier.is_some();
    if let Some(difference) = earlier.and_then(|earlier| differs(earlier, command)) {
        return Err(AdjustError::Conflict { adjustment: command.adjustment.to_string(), difference });
    }
    let Some(product) = working.stock.product(command.product) else {
        return Err(if replayed || working.stock.is_skipped(command.product) {
            not_locked(command.product).into()
        } else {
            AdjustError::ProductNotFound(command.product)
        });
    };
    if replayed {
        return Ok(Adjusted { product: product.clone(), replayed });
    }
    let on_hand = product.on_hand + command.delta;
    if on_hand < product.held {
        return Err(AdjustError::BelowHeld {
            product: command.product,
            on_hand: product.on_hand,
            held: product.held,
        });
    }
    if on_hand.get() > UNITS_MAX {
        return Err(AdjustError::TooMuch(command.product));
    }
    let Some(product) = working.stock.administer(ChangeKind::Adjust, command.product, command.delta) else {
        return Err(not_locked(command.product).into());
    };
    let product = product.clone();
    working.adjusted(Adjustment {
        id: command.adjustment.clone(),
        product: command.product,
        delta: command.delta,
        reason: command.reason.clone(),
        reference: command.reference.clone(),
        at: working.now,
        version: product.version,
    });
    let line = JournalLine { product: command.product, units: command.delta };
    working.journal(ChangeKind::Adjust, None, smallvec![line], remark(command));
    Ok(Adjusted { product, replayed })
}

fn remark(command: &Adjust) -> Remark {
    Remark {
        adjustment: Some(command.adjustment.clone()),
        reason: Some(command.reason.clone()),
        reference: command.reference.clone(),
        ..Remark::default()
    }
}

/// The first difference, in words.
fn differs(had: &Adjustment, asked: &Adjust) -> Option<String> {
    let reference = |note: &Option<Note>| note.as_ref().map_or("none".to_owned(), |n| format!("\"{n}\""));
    if had.product != asked.product {
        Some(format!("product was {}, is {}", had.product, asked.product))
    } else if had.delta != asked.delta {
        Some(format!("delta was {}, is {}", had.delta, asked.delta))
    } else if had.reason != asked.reason {
        Some(format!("reason was \"{}\", is \"{}\"", had.reason, asked.reason))
    } else if had.reference != asked.reference {
        let (had, asked) = (reference(&had.reference), reference(&asked.reference));
        Some(format!("reference was {had}, is {asked}"))
    } else {
        None
    }
}
