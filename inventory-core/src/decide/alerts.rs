//! `low` and `depleted`: judged once per batch, on each changed product's final state, against what was announced
//! last.

use crate::event::Fact;
use crate::product::{Alert, Product};
use crate::quantity::Units;

/// Where the product is now.
pub(super) fn level(product: &Product) -> Alert {
    let available = product.available();
    if available <= Units::ZERO {
        Alert::Depleted
    } else if product.low_stock_threshold.is_some_and(|threshold| available < threshold) {
        Alert::Low
    } else {
        Alert::None
    }
}

/// Brings the alert up to date; a fall to a level fires that level's event once. A fall from enough straight to
/// zero says `depleted` only; a rise says nothing and re-arms what it rose above.
pub(super) fn judge(product: &mut Product) -> Option<Fact> {
    let before = product.alert;
    product.alert = level(product);
    match (before, product.alert) {
        (Alert::None, Alert::Low) => Some(Fact::StockLow(product.clone())),
        (Alert::None | Alert::Low, Alert::Depleted) => Some(Fact::StockDepleted(product.clone())),
        (Alert::None | Alert::Low | Alert::Depleted, Alert::None)
        | (Alert::Low | Alert::Depleted, Alert::Low)
        | (Alert::Depleted, Alert::Depleted) => None,
    }
}
